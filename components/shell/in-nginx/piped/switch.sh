#!/bin/sh
# The switch, inside nginx's container, after steps.sh and what that needs.
#
#   stage -> gate -> commit -> watch -> drain
#
# It knows the color that goes live and its container, and not what the other color shall run: that is the idle gate's, so
# that a release of the live color never depends on the idle one.
#
# Given: LIVE_COLOR LIVE LIVE_PORT LIVE_REPLICAS (how many, where there are several) HEALTH_HASH WATCH_SECONDS WATCH_TOLERANCE, STRATEGY (recreate,
#        or not set); from the host's part IMAGE (of LIVE) STARTED (containers that it has just started for what is idle, or nothing)
#
# shellcheck disable=SC2154 # from steps.sh and probe.sh

main() {
  begin
  [ -z "${REOPEN:-}" ] || {
    reopen
    return
  }
  choose_idle
  replicas=${LIVE_REPLICAS:-1}
  all_live=$(names_of "$LIVE" "$replicas")
  fill_site "$LIVE_COLOR" "$LIVE" "$LIVE_PORT" "$replicas" "$idle_container" "$(port_of "$idle_container")" "$(served_count "$idle_container")"
  note_intent "${served_live%% *}" "$LIVE_COLOR" "$(kind)" "$LIVE_COLOR" "$IMAGE"
  : >"$ANSWERS"
  ! is_watched || set_watched yes
  # What is live already stays.
  [ -z "${STRATEGY:-}" ] || is_live "$LIVE" || exchange
  stage "$LIVE_COLOR" "$LIVE" "$LIVE_PORT" "$replicas"
  gate_all
  await_peers "$LIVE" "$replicas"
  be_alone
  ! is_watched || before=$(add_answers '0 0')
  [ -z "${STRATEGY:-}" ] || read_closed
  commit
  watch
  [ -z "${STRATEGY:-}" ] || note_downtime
  keep_health
  drain
  try_idle
  end_intent "done${cut:+, but $cut}" "$(seconds_taken)"
  say "$LIVE_COLOR is live"
}

# After a flip, what was live is idle: a rollback is one reload. Else what is idle stays so. None before the first idle gate, and none
# ever where only one may run (recreate.sh).
choose_idle() {
  idle_container=''
  [ -z "${STRATEGY:-}" ] || return 0
  case ${served_live%% *} in
    '' | "$LIVE_COLOR") idle_container=${served_idle#* } ;;
    *) idle_container=${served_live#* } ;;
  esac
}

kind() {
  if is_live "$LIVE"; then
    echo settings
  elif [ -n "${STRATEGY:-}" ]; then
    echo recreate
  elif is_served "$LIVE"; then
    echo flip
  else
    echo release
  fi
}

# What is live is not gated again, or a mended idle color could not be released. But a health setting that is new counts only
# when what is live passes it: else a rollback or "status" would find out, when nobody thinks of it any more.
# shellcheck disable=SC2086 # names
gate_all() {
  fresh=$(without "$all_live" "$(all_served "${served_live#* }")")
  tried=$(without "$all_live" "$fresh")
  [ -z "$tried" ] || try_live $tried
  [ -z "$fresh" ] || gate "$LIVE_COLOR" $fresh
}
try_live() { # container...
  for try in 1 2 3; do
    ! all_pass "$LIVE_COLOR" "$@" || return 0
    [ "$try" = 3 ] || [ -n "$probe_final" ] || sleep "$HEALTH_INTERVAL"
  done
  if health_is_new; then
    note_failure live "$LIVE_COLOR" "$asked"
    fail 10 "$who, which is live, does not pass the health setting that is new. Nothing was changed." \
      "Its answer to $HEALTH_ASKED: $last_answer"
  fi
  warn "$who is live and stays so, but does not pass its health request: $last_answer. 'status' says so, too," \
    "and a flip to $LIVE_COLOR would fail. See its log: docker logs $asked"
}
# Another one than that of the last switch that passed. Where it left none, nobody knows.
health_is_new() {
  read_line "$PLACE/health"
  if [ -n "$line" ] && [ "$line" != "$HEALTH_HASH" ]; then return 0; fi
  [ "${headers_file:-}" = "$PLACE/health-headers.next" ] &&
    [ "$(cat "$headers_file")" != "$(cat "$PLACE/health-headers" 2>/dev/null)" ]
}

# An idle color that was stopped has passed its gate before; when it is ill now, that is no reason not to switch.
# shellcheck disable=SC2086 # names
try_idle() {
  again=$(among "$(all_served "$idle_container")" "$(printf '%s\n' $STARTED)")
  [ -z "$again" ] || passes_gate "$(other "$LIVE_COLOR")" $again ||
    warn "$asked was started again as the idle color, and does not pass its health gate: $last_answer. See its log: docker logs $asked"
}

# From now on, whoever asks for the health of what is live asks as this switch did.
keep_health() {
  write_file "$PLACE/health" "$HEALTH_HASH" || warn "can't write to the state volume"
  if [ -z "$HEALTH_HEADERS" ]; then
    rm -f "$PLACE/health-headers" "$PLACE/health-headers.next"
  elif [ "$headers_file" = "$PLACE/health-headers.next" ]; then
    mv -f "$headers_file" "$PLACE/health-headers"
    headers_file=$PLACE/health-headers
  fi
}

# --- watch

# For some seconds the former site is kept to go back to, and what the new live color answers is compared with what was
# answered before it.
watch() {
  if is_watched; then
    say "watch: $WATCH_SECONDS s; before the switch $(failure_share "$before")"
    watch_live || flip_back
    say "watch: $(failure_share "$after"), and $LIVE_COLOR is healthy"
    set_watched no
    reload || warn 'nginx goes on counting answers'
  fi
  keep_committed
}
is_watched() { [ "$WATCH_SECONDS" != 0 ] && [ -n "$served_live" ] && ! is_live "$LIVE"; }

watch_live() {
  after='0 0'
  sick=0
  watch_ends=$(($(uptime_seconds) + WATCH_SECONDS))
  while [ "$(uptime_seconds)" -lt "$watch_ends" ]; do
    sleep 1
    after=$(add_answers "$after")
    if too_many_failed; then
      breach="$(failure_share "$after") after the switch, $(failure_share "$before") before it"
      return 1
    fi
    # shellcheck disable=SC2086 # names
    if all_pass "$LIVE_COLOR" $all_live; then sick=0; else sick=$((sick + 1)); fi
    if [ "$sick" = 3 ]; then
      breach="three health requests in a row failed; the last answer to $HEALTH_ASKED: $last_answer"
      [ "$who" = "$LIVE_COLOR" ] || breach="$breach, from $asked"
      return 1
    fi
  done
}

# Counts are two numbers, "answers failed", from the log that nginx writes of the live color while it is watched. The few lines that
# come between the reading and the emptying are not counted.
add_answers() { # counts
  awk -v counts="$1" 'BEGIN { split(counts, n) } { n[1]++ } /^5/ { n[2]++ } END { print n[1], n[2] }' "$ANSWERS"
  : >"$ANSWERS"
}
failure_share() { # counts
  echo "${1#* } of ${1% *} answers were 5xx"
}
# Of a handful of answers no share can be told.
too_many_failed() {
  awk -v before="$before" -v after="$after" -v allowed="$WATCH_TOLERANCE" 'BEGIN {
    split(before, b); split(after, a)
    exit !(a[1] >= 20 && 100 * a[2] / a[1] > (b[1] ? 100 * b[2] / b[1] : 0) + allowed)
  }'
}

flip_back() {
  bring_back_former
  set_watched no
  reload || warn 'nginx did not answer with the former configuration'
  say "flipped back to ${served_live%% *}"
  is_served "$LIVE" || wait_for_connections_to "$all_live"
  note_failure watch "$LIVE_COLOR" "${asked:-$LIVE}"
  fail 10 "$LIVE_COLOR did not pass the watch after the switch, and was flipped back: $breach."
}

# --- drain

# Waits only for what is about to end: connections of a container that will be stopped or deleted. A flip to a warm color has none.
drain() {
  staying=$all_live
  # As many as the new site has of it.
  [ "$IDLE" = stopped ] || staying="$staying
$(names_of "$idle_container" "$(served replicas | sed -n "s/^$idle_container //p")")"
  leaving=$(without "$(all_served "${served_live#* }" && all_served "${served_idle#* }")" "$staying")
  [ -z "$leaving" ] || wait_for_connections_to "$leaving"
}

main
