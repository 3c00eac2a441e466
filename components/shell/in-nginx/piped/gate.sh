# shellcheck shell=sh disable=SC2154 # probe.sh and reason.sh set what is read here
# The gate: a candidate has to answer well some times in a row before it serves, and with several containers each of them: a pass is one of all.
# After common.sh, probe.sh and reason.sh.
#
# Given: GATE_TIMEOUT HEALTH_ASKED (in words) HEALTH_INTERVAL HEALTH_PASSES and those of probe.sh

# How long a gate that has not passed yet says nothing.
PROGRESS_SECONDS=10

gate() { # color container...
  passes_gate "$@" && return 0
  note_failure gate "$1" "$asked"
  [ -z "$probe_final" ] || fail 10 "$who did not pass its health gate, and never will as it is: $last_answer."
  fail 10 "$who did not pass its health gate: no $HEALTH_PASSES passes in a row within $GATE_TIMEOUT s." \
    "Last answer to $HEALTH_ASKED: $last_answer"
}
passes_gate() { # color container...
  color=$1
  shift
  say "gate: $color on ${HEALTH_ASKED#GET }, $HEALTH_PASSES in a row within $GATE_TIMEOUT s$(of_each "$@")"
  passes=0
  asked_times=0
  last_answer='no answer yet'
  gate_began=$(uptime_seconds)
  gate_ends=$((gate_began + GATE_TIMEOUT))
  next_word=$((gate_began + PROGRESS_SECONDS))
  while :; do
    if all_pass "$color" "$@"; then
      passes=$((passes + 1))
      say "gate: $color passed $passes of $HEALTH_PASSES: $last_answer$(of_each "$@")"
      [ "$passes" -lt "$HEALTH_PASSES" ] || return 0
    else
      passes=0
      tell_progress
    fi
    [ -z "$probe_final" ] && [ "$(uptime_seconds)" -lt "$gate_ends" ] || return 1
    # nginx takes some milliseconds to resolve a name that was just staged: only the first tries come faster.
    asked_times=$((asked_times + 1))
    if [ "$passes" = 0 ] && [ "$asked_times" -le 5 ]; then sleep 0.1; else sleep "$HEALTH_INTERVAL"; fi
  done
}
# all_pass COLOR CONTAINER...: asks up to the first that does not. $asked is the last one, and $who is the color with that, where there are several.
all_pass() {
  of_color=$1
  shift
  for asked in "$@"; do
    who=$of_color
    [ $# = 1 ] || who="$of_color ($asked)"
    ask_for_gate "$asked" || return 1
  done
}
of_each() { [ $# = 1 ] || printf ' (each of %s containers)' "$#"; }
# A line now and then, so that who waits knows for what. The host's part adds what the container logs (hear.sh).
tell_progress() {
  now=$(uptime_seconds)
  [ "$now" -ge "$next_word" ] && [ "$now" -lt "$gate_ends" ] || return 0
  next_word=$((now + PROGRESS_SECONDS))
  printf '?progress %s gate: %s\n' "$asked" "$who after $((now - gate_began)) of $GATE_TIMEOUT s: $last_answer" || :
}
