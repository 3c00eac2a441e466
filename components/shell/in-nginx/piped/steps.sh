#!/bin/sh
# The steps that the switch and the idle gate share, inside nginx's container. The settings, this file, probe.sh and then
# switch.sh or idle-gate.sh are piped into "docker exec -i PROXY sh -s".
#
# Until the commit nothing that serves has changed; whatever fails until "committed" is set, the former site is back and
# serving. Killed at any step, the entrypoint of the nginx that serves puts it back.
#
# Given: SERVICE WHO LOCK_HOLDER LOCK_WAIT_SECONDS GATE_TIMEOUT HEALTH_INTERVAL HEALTH_PASSES (and those of probe.sh) IDLE
#        DRAIN_SECONDS SITE_TEMPLATE PREVIEW_TEMPLATE NO_PREVIEW STAGED_TEMPLATE
# Exit status: 0 done; 3 another switch runs; 10 the candidate failed its gate or its watch; 1 anything else.
set -eu

# shellcheck source=../uploaded/nginx.sh
. /bluegreen/nginx.sh
# shellcheck source=../uploaded/journal.sh
. /bluegreen/journal.sh

# A second more than keepalive_min_timeout in nginx.conf.
KEPT_CONNECTION_SECONDS=3
# How long a gate that has not passed yet says nothing.
PROGRESS_SECONDS=10

begin() {
  use_service "$SERVICE"
  wait_for 10 nginx_answers || fail 1 "nginx does not run in its container; its log says why: docker logs $PROXY"
  mkdir -p "$PLACE" || cannot_write
  take_lock
  [ -e "$SITE" ] || : >"$SITE" || cannot_write
  trap put_back EXIT
  trap 'exit 1' HUP INT TERM
  settle_interrupted
  tell_of_interrupted
  read_served
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
  exec 9>>"$LOCK"
  # The entrypoint takes it too, for the moment in which it settles what was interrupted.
  if ! flock -w 1 9; then
    holder=$(cat "$LOCK.holder" 2>/dev/null) || holder='unknown'
    case $holder in
      "$LOCK_HOLDER "*) wait_seconds=$((GATE_TIMEOUT + DRAIN_SECONDS + 30)) ;;
      *) wait_seconds=$LOCK_WAIT_SECONDS ;;
    esac
    say "another switch is running ($holder): waiting up to $wait_seconds s for it"
    wait_for "$wait_seconds" flock -n 9 || fail 3 "another switch is still running ($holder)." \
      "Nothing was changed. Run 'pulumi up' again when it has ended."
  fi
  write_file "$LOCK.holder" "$LOCK_HOLDER since $(utc_now)" || cannot_write
}
cannot_write() { fail 1 "can't write to the state volume: is the disk full?" 'Nothing was changed.'; }

tell_of_interrupted() {
  outcome=$(tail -n 1 "$JOURNAL" 2>/dev/null | json_value outcome)
  case $outcome in interrupted*) say "the switch before this one was $outcome" ;; esac
}

# note_intent FROM TO KIND COLOR IMAGE: what is about to be done. COLOR is the one that gets IMAGE.
note_intent() {
  started=$(uptime_seconds)
  cut=''
  write_file "$INTENT" "{$(
    json_pair at "$(utc_now)"
    set -- by "$WHO" stack "$LOCK_HOLDER" kind "$3" from "$1" to "$2" "$4" "$5" config "$(hash_of "$next_site")"
    while [ $# -gt 0 ]; do
      printf ','
      json_pair "$1" "$2"
      shift 2
    done
  )}" || cannot_write
}
hash_of() { printf '%s\n' "$1" | sha256sum | cut -c1-16; }
seconds_taken() { echo $(($(uptime_seconds) - started)); }

other() { case $1 in blue) echo green ;; green) echo blue ;; esac }

# What the saved site serves now, from its first lines: "# live: blue NAME".
served() { sed -n "s/^# $1: //p" "$SITE"; }
read_served() {
  served_live=$(served live)
  served_idle=$(served idle)
}
is_live() { [ "${served_live#* }" = "$1" ]; }
is_served() { is_live "$1" || [ "${served_idle#* }" = "$1" ]; }

# fill_site COLOR LIVE IDLE: the site with these containers, as $next_site. IDLE may be empty.
fill_site() {
  next_site=$(printf '%s\n' "$SITE_TEMPLATE" "$(if [ -n "$3" ]; then echo "$PREVIEW_TEMPLATE"; else echo "$NO_PREVIEW"; fi)" |
    sed "s/<service>/$SERVICE/g; s/<live-color>/$1/g; s/<live>/$2/g; s/<idle-color>/$(other "$1")/g; s/<idle>/$3/g")
}

# --- stage

# A container that is not served yet gets an upstream and a private socket of its own; nginx starts to resolve its name.
# The committed site has an upstream of the same name, and a reload hands its addresses on: nothing is resolved anew.
stage() { # color container
  rm -f "$STAGED"
  is_served "$2" || {
    say "staging $1: $2"
    printf '%s\n' "$STAGED_TEMPLATE" | sed "s/<candidate>/$2/g" >"$STAGED"
  }
  # Before a flip to a warm color there is nothing new.
  runs_config "$(config_hash)" || reload || fail 1 "nginx does not take the candidate's configuration."
}

# --- gate

gate() { # color container
  passes_gate "$1" "$2" && return 0
  note_failure gate "$1" "$2"
  fail 10 "$1 did not pass its health gate: no $HEALTH_PASSES passes in a row within $GATE_TIMEOUT s." \
    "Last answer to GET $HEALTH_PATH: $last_answer"
}
passes_gate() { # color container
  color=$1
  say "gate: $color on $HEALTH_PATH, $HEALTH_PASSES in a row within $GATE_TIMEOUT s"
  passes=0
  tries=0
  last_answer='no answer yet'
  gate_began=$(uptime_seconds)
  gate_ends=$((gate_began + GATE_TIMEOUT))
  next_word=$((gate_began + PROGRESS_SECONDS))
  while :; do
    if ask_for_gate "$2"; then
      passes=$((passes + 1))
      say "gate: $color passed $passes of $HEALTH_PASSES: $last_answer"
      [ "$passes" -lt "$HEALTH_PASSES" ] || return 0
    else
      passes=0
      tell_progress
    fi
    [ "$(uptime_seconds)" -lt "$gate_ends" ] || return 1
    # nginx takes some milliseconds to resolve a name that was just staged: only the first tries come faster.
    tries=$((tries + 1))
    if [ "$passes" = 0 ] && [ "$tries" -le 5 ]; then sleep 0.1; else sleep "$HEALTH_INTERVAL"; fi
  done
}
# A line now and then, so that who waits knows for what.
tell_progress() {
  now=$(uptime_seconds)
  [ "$now" -ge "$next_word" ] && [ "$now" -lt "$gate_ends" ] || return 0
  next_word=$((now + PROGRESS_SECONDS))
  say "gate: $color after $((now - gate_began)) of $GATE_TIMEOUT s: $last_answer"
}
# The clock of the machine may jump, its uptime does not.
uptime_seconds() {
  read_line /proc/uptime
  echo "${line%%.*}"
}

# --- commit

commit() {
  [ "$(cat "$SITE")" = "$next_site" ] || replace_site
  rm -f "$STAGED"
  runs_config "$(config_hash)" || reload || fail 1 'nginx does not take the new configuration.'
}
replace_site() {
  write_file "$SITE.next" "$next_site" || cannot_write
  test_site "$SITE.next"
  # A second name, not a copy: a full disk must not leave half of what is put back.
  ln -f "$SITE" "$SITE.former"
  mv -f "$SITE.next" "$SITE"
}

# With sockets of its own instead of the ports: a test that binds them would take connections away from who serves.
test_site() { # file
  make_servers test "$1" >"$RUN/test-sites.conf"
  sed -e "s#$RUN/sites.conf#$RUN/test-sites.conf#" -e "/staged-/d" "$BASE/nginx.conf" >"$RUN/test.conf"
  nginx -t -c "$RUN/test.conf" >"$RUN/test.log" 2>&1 ||
    fail 1 'nginx refuses the new configuration:' "$(cat "$RUN/test.log")"
}

# From here on there is no way back.
keep_committed() {
  rm -f "$SITE.former"
  committed=yes
}

# Whatever ended it before it was through.
put_back() {
  status=$?
  trap - EXIT
  [ -z "${committed:-}" ] || exit "$status"
  set +e
  [ ! -e "$SITE.former" ] || bring_back_former
  rm -f "$SITE.next" "$STAGED"
  set_watched no
  is_owner || set_listeners closed
  runs_config "$(config_hash)" || reload || warn 'nginx did not answer with the former configuration'
  end_intent "failed: ${reason:-ended by a signal}" "$(seconds_taken)"
  now=$(served live)
  if [ -n "$now" ]; then now="${now%% *} keeps serving"; else now='no color is live yet'; fi
  printf '==> the former configuration is in place: %s\n' "$now" >&2
  exit "$status"
}

# --- drain

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

# Two numbers: connections from here to leaving containers, and other nginx that have not finished theirs: a replaced one, or
# the edge when it served meanwhile. All nginx of this service share one network namespace, so its table has the connections of
# the old workers too.
open_connections() {
  connections=0
  for container in $leaving; do
    address=$(getent hosts "$container" | cut -d' ' -f1) || continue
    connections=$((connections + $(established_to "$address")))
  done
  echo "$connections $(others | grep -c -e open -e draining)"
}
# The kernel prints an IPv4 address as one number in the machine's byte order, which is little endian on amd64 and arm64.
established_to() {
  # shellcheck disable=SC2046 # four numbers
  hex=$(printf '%02X' $(printf '%s' "$1" | awk -F. '{ print $4, $3, $2, $1 }'))
  awk -v remote="$hex" '$4 == "01" && index($3, remote ":") == 1 { n++ } END { print n + 0 }' /proc/net/tcp
}
others() {
  for instance in "$INSTANCES"/*; do
    [ ! -f "$instance" ] || [ "${instance##*/}" = "$(own_id)" ] || cat "$instance"
  done
}
