#!/bin/sh
# The switch, inside the proxy container: the settings, probe.sh and this file are piped into "docker exec -i PROXY sh -s".
#
#   stage -> gate -> take over (a new nginx) -> commit -> watch -> drain
#
# Until the commit nothing that serves has changed; whatever fails up to the end of the watch, the former site is back and
# serving. Killed at any step, the entrypoint of the nginx that serves puts it back.
# Exit status: 0 done; 10, 11: a new container of blue, green failed its gate or its watch; 12, 13: so did one that was
# served already; 1 anything else.
set -eu

# shellcheck source=nginx.sh
. /bluegreen/nginx.sh
# shellcheck source=journal.sh
. /bluegreen/journal.sh

# A second more than keepalive_min_timeout in nginx.conf.
KEPT_CONNECTION_SECONDS=3

main() {
  wait_for 10 nginx_answers || fail 1 'nginx does not run in the proxy container; its log says why.'
  take_lock
  trap put_back EXIT
  trap 'exit 1' HUP INT TERM
  settle_interrupted
  tell_of_interrupted
  read_served
  note_intent
  stage
  gate
  take_over
  commit
  watch
  drain
  end_intent "done${cut:+, but $cut}" "$(seconds_taken)"
  say "$LIVE_COLOR is live"
}

fail() { # status message...
  status=$1
  shift
  reason="$*"
  printf 'error: %s\n' "$@" >&2
  exit "$status"
}

# The lock is the kernel's: it ends with its holder, however that one ends. A holder of the same stack can only be the
# rest of an interrupted run (Pulumi has a lock of its own against two at once), so that one is waited for.
take_lock() {
  exec 9>>"$STATE/lock"
  # The entrypoint takes it too, for the moment in which it settles what was interrupted.
  if ! flock -w 1 9; then
    holder=$(cat "$STATE/lock.holder" 2>/dev/null) || holder='unknown'
    case $holder in
      "$LOCK_HOLDER "*) wait_seconds=$((GATE_TIMEOUT + DRAIN_SECONDS + 30)) ;;
      *) wait_seconds=$LOCK_WAIT_SECONDS ;;
    esac
    say "another switch is running ($holder): waiting up to $wait_seconds s for it"
    wait_for "$wait_seconds" flock -n 9 || fail 1 "another switch is still running ($holder)." \
      "Nothing was changed. Run 'pulumi up' again when it has ended."
  fi
  write_file "$STATE/lock.holder" "$LOCK_HOLDER since $(utc_now)" || cannot_write
}
cannot_write() { fail 1 "can't write to the state volume: is the disk full?" 'Nothing was changed.'; }

tell_of_interrupted() {
  outcome=$(tail -n 1 "$JOURNAL" 2>/dev/null | json_value outcome)
  case $outcome in interrupted*) say "the switch before this one was $outcome" ;; esac
}

note_intent() {
  started=$(uptime_seconds)
  cut=''
  write_file "$INTENT" "{$(
    json_pair at "$(utc_now)"
    set -- by "$WHO" stack "$LOCK_HOLDER" from "${served_live%% *}" to "$LIVE_COLOR" \
      blue "$BLUE_IMAGE" green "$GREEN_IMAGE" config "$CONFIG_HASH"
    while [ $# -gt 0 ]; do
      printf ','
      json_pair "$1" "$2"
      shift 2
    done
  )}" || cannot_write
}
seconds_taken() { echo $(($(uptime_seconds) - started)); }

container_of() { case $1 in blue) printf '%s' "$BLUE" ;; green) printf '%s' "$GREEN" ;; esac }
other() { case $1 in blue) echo green ;; green) echo blue ;; esac }

# What the saved site serves now, from its first lines: "# live: blue NAME".
served() { sed -n "s/^# $1: //p" "$SITE"; }
read_served() {
  served_live=$(served live)
  served_idle=$(served idle)
  idle_color=$(other "$LIVE_COLOR")
  live_container=$(container_of "$LIVE_COLOR")
  idle_container=$(container_of "$idle_color")
}
is_live() { [ "${served_live#* }" = "$1" ]; }
is_served() { is_live "$1" || [ "${served_idle#* }" = "$1" ]; }

# --- stage

# A container that is not served yet gets an upstream of its own and a private socket; nginx starts to resolve its name.
# The committed site has an upstream of the same name, and a reload hands its addresses on: nothing is resolved anew.
stage() {
  : >"$RUN/staged.conf"
  : >"$RUN/watch.log"
  ! is_watched || set_watched yes
  for color in blue green; do
    is_served "$(container_of "$color")" || {
      say "staging $color: $(container_of "$color")"
      staged_site "$color" >>"$RUN/staged.conf"
    }
  done
  # Before a flip to a warm color there is nothing new.
  runs_config "$(config_hash)" || reload || fail 1 "nginx does not take the candidate's configuration."
}
staged_site() { case $1 in blue) printf '%s\n' "$BLUE_STAGED_SITE" ;; green) printf '%s\n' "$GREEN_STAGED_SITE" ;; esac }

# --- gate

# Gated are every container that is not served yet, the one that is to become live, and both in a new nginx.
gate() {
  if ! is_live "$live_container" || ! is_owner; then gate_color "$LIVE_COLOR"; fi
  if ! is_served "$idle_container"; then gate_color "$idle_color"; fi
}

socket_of() { # color container
  if is_live "$2"; then
    echo live.sock
  elif is_served "$2"; then
    echo preview.sock
  else
    echo "$1.sock"
  fi
}

gate_color() {
  color=$1
  socket=$(socket_of "$color" "$(container_of "$color")")
  say "gate: $color on $HEALTH_PATH, $HEALTH_PASSES in a row within $GATE_TIMEOUT s"
  passes=0
  tries=0
  last_answer='no answer yet'
  gate_ends=$(($(uptime_seconds) + GATE_TIMEOUT))
  while :; do
    if probe "$socket"; then
      passes=$((passes + 1))
      say "gate: $color passed $passes of $HEALTH_PASSES: $last_answer"
      [ "$passes" -lt "$HEALTH_PASSES" ] || return 0
    else
      passes=0
    fi
    [ "$(uptime_seconds)" -lt "$gate_ends" ] || break
    # nginx takes some milliseconds to resolve a name that was just staged: only the first tries come faster.
    tries=$((tries + 1))
    if [ "$passes" = 0 ] && [ "$tries" -le 5 ]; then sleep 0.1; else sleep "$HEALTH_INTERVAL"; fi
  done
  gate_failed "$color"
}
# The clock of the machine may jump, its uptime does not.
uptime_seconds() {
  read_line /proc/uptime
  echo "${line%%.*}"
}

gate_failed() { # color
  fail_color "$1" "$1 did not pass its health gate: no $HEALTH_PASSES passes in a row within $GATE_TIMEOUT s." \
    "Last answer to GET $HEALTH_PATH: $last_answer"
}
# The exit status tells the host's part whose log to show, and whether to stop the container.
fail_color() { # color message...
  kind=10
  ! is_served "$(container_of "$1")" || kind=12
  [ "$1" = blue ] || kind=$((kind + 1))
  shift
  fail "$kind" "$@"
}

# --- take over

# A new nginx takes over with the site as it is served now, so that it does not matter which of the two answers while
# both listen. Only when it is alone, the site changes.
take_over() {
  ! is_owner || return 0
  say 'a new nginx takes over the ports'
  wait_for 5 upstream_answers || warn 'the live color does not answer'
  listens || open_listeners || fail 1 'the new nginx could not open its ports.'
  write_file "$OWNER" "$(own_id)"
  wait_for 10 nobody_else_listens || {
    warn 'a former nginx did not say that it has let go; it is taken for dead'
    for instance in "$INSTANCES"/*; do [ "${instance##*/}" = "$(own_id)" ] || rm -f "$instance"; done
  }
}
nobody_else_listens() { ! others | grep -q open; }
others() {
  for instance in "$INSTANCES"/*; do
    [ ! -f "$instance" ] || [ "${instance##*/}" = "$(own_id)" ] || cat "$instance"
  done
}

# --- commit

commit() {
  write_file "$SITE.next" "$SITE_TEXT"
  test_site "$SITE.next"
  ! is_watched || before=$(add_answers '0 0')
  # A second name, not a copy: a full disk must not leave half of what is put back.
  ln -f "$SITE" "$SITE.former"
  mv -f "$SITE.next" "$SITE"
  : >"$RUN/staged.conf"
  reload || fail 1 'nginx does not take the new configuration.'
}

# With sockets of its own instead of the ports: a test that binds them would take connections away from who serves.
test_site() { # file
  for server in live preview secure plain; do printf 'listen unix:%s/test-%s.sock;' "$RUN" "$server" >"$RUN/test-$server.listen"; done
  sed "s#$RUN/\(live\|preview\|secure\|plain\)\.listen#$RUN/test-\1.listen#" "$1" >"$RUN/test-site.conf"
  sed -e "s#$SITE#$RUN/test-site.conf#" -e "s#$RUN/staged.conf#/dev/null#" "$BASE/nginx.conf" >"$RUN/test.conf"
  nginx -t -c "$RUN/test.conf" >"$RUN/test.log" 2>&1 ||
    fail 1 'nginx refuses the new configuration:' "$(cat "$RUN/test.log")"
}

# Whatever ended the switch before it was through.
put_back() {
  status=$?
  trap - EXIT
  [ -z "${committed:-}" ] || exit "$status"
  set +e
  [ ! -e "$SITE.former" ] || bring_back_former
  rm -f "$SITE.next"
  : >"$RUN/staged.conf"
  set_watched no
  is_owner || set_listeners closed
  runs_config "$(config_hash)" || reload || warn 'nginx did not answer with the former configuration'
  end_intent "failed: ${reason:-ended by a signal}" "$(seconds_taken)"
  now=$(served live)
  if [ -n "$now" ]; then now="${now%% *} keeps serving"; else now='no color is live yet'; fi
  printf '==> the former configuration is in place: %s\n' "$now" >&2
  exit "$status"
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
  rm -f "$SITE.former"
  committed=yes
}
is_watched() { [ "$WATCH_SECONDS" != 0 ] && [ -n "$served_live" ] && ! is_live "$live_container"; }

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
    if probe live.sock; then sick=0; else sick=$((sick + 1)); fi
    if [ "$sick" = 3 ]; then
      breach="three health requests in a row failed; the last answer to GET $HEALTH_PATH: $last_answer"
      return 1
    fi
  done
}

# Counts are two numbers, "answers failed", from the log that the live server writes while it is watched. The few lines that
# come between the reading and the emptying are not counted.
add_answers() { # counts
  awk -v counts="$1" 'BEGIN { split(counts, n) } { n[1]++ } /^5/ { n[2]++ } END { print n[1], n[2] }' "$RUN/watch.log"
  : >"$RUN/watch.log"
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
  is_served "$live_container" || wait_for_connections_to "$live_container"
  fail_color "$LIVE_COLOR" "$LIVE_COLOR did not pass the watch after the switch, and was flipped back: $breach."
}

# --- drain

# Waits only for what is about to end: connections of a container that will be stopped or deleted, and those that a
# replaced nginx still holds. A flip to a warm color has neither.
drain() {
  leaving=''
  for container in "${served_live#* }" "${served_idle#* }"; do
    case $container in
      '' | "$live_container") ;;
      "$idle_container") [ "$IDLE" != stopped ] || leaving="$leaving $container" ;;
      *) leaving="$leaving $container" ;;
    esac
  done
  wait_for_connections_to "$leaving"
}

wait_for_connections_to() { # containers that are about to end
  leaving=$1
  drain_started=$(uptime_seconds)
  told=''
  while open=$(open_connections) && { [ "$open" != '0 0' ] || may_get_more; }; do
    if [ -z "$told" ] && [ "$open" != '0 0' ]; then
      say "drain: up to $DRAIN_SECONDS s for ${open% *} open connections and ${open#* } old nginx"
      told=yes
    fi
    if drained_for "$DRAIN_SECONDS" && ! may_get_more; then
      cut="${open% *} connections to the old container and ${open#* } old nginx were left after $DRAIN_SECONDS s"
      warn "drain: $cut; they end now"
      forget_draining
      return 0
    fi
    sleep 0.25
  done
  [ -z "$told" ] || say 'drain: none is left'
}
# Who is killed in its drain can't say that it is over, and the next drain would wait for it again.
forget_draining() {
  for instance in "$INSTANCES"/*; do
    if grep -qx draining "$instance" 2>/dev/null; then rm -f "$instance"; fi
  done
}
drained_for() { [ $(($(uptime_seconds) - drain_started)) -ge "$1" ]; }
# An old worker may get one more request on a kept connection, and sends it to the color that it knows.
may_get_more() { [ -n "$leaving" ] && ! drained_for "$KEPT_CONNECTION_SECONDS"; }

# Two numbers: connections from here to leaving containers, and replaced nginx that still finish theirs. All nginx of
# this service share one network namespace, so its table has the connections of the old workers too.
open_connections() {
  connections=0
  for container in $leaving; do
    address=$(getent hosts "$container" | cut -d' ' -f1) || continue
    connections=$((connections + $(established_to "$address")))
  done
  echo "$connections $(others | grep -c draining)"
}
# The kernel prints an IPv4 address as one number in the machine's byte order, which is little endian on amd64 and arm64.
established_to() {
  # shellcheck disable=SC2046 # four numbers
  hex=$(printf '%02X' $(printf '%s' "$1" | awk -F. '{ print $4, $3, $2, $1 }'))
  awk -v remote="$hex" '$4 == "01" && index($3, remote ":") == 1 { n++ } END { print n + 0 }' /proc/net/tcp
}

main
