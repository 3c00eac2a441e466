#!/bin/sh
# The switch on the host, after conclude.sh.
#
# Given: LIVE_COLOR LIVE LIVE_PORT LIVE_OWN LIVE_REPLICAS (how many, where there are several)
#
# shellcheck disable=SC2154,SC2034 # from and for conclude.sh

main() {
  eval "$(settings)"
  candidate_port=$LIVE_PORT own_settings=$LIVE_OWN candidate_replicas=${LIVE_REPLICAS:-1}
  all_live=$(names_of "$LIVE" "$candidate_replicas")
  look_around
  start_live_first
  started_idle=''
  start_what_becomes_idle
  run_in_nginx "$LIVE" "$started_idle" && status=0 || status=$?
  conclude "$LIVE_COLOR" "$LIVE" "$status"
}

# One at a time, what is not live yet is started when nothing else runs any more (recreate.sh).
start_live_first() {
  if [ -n "${STRATEGY:-}" ]; then
    seen_before_start=yes
    read_served || :
    serves live "$LIVE" || return 0
    runs "$LIVE" || stop_all_but "$LIVE" || give_up
  fi
  # shellcheck disable=SC2086 # names
  start_all "$LIVE" $all_live
}

# What is live or idle now. That it does not start is no reason not to switch.
start_what_becomes_idle() {
  [ "$IDLE" = running ] || return 0
  stopped=$(printf '%s\n' "$containers" | awk '($2 == "blue" || $2 == "green") && $3 ~ /exited|created/ { print $1 }')
  # Mostly there is none, and each question takes a tenth of a second.
  [ -n "$stopped" ] || return 0
  read_served || return 0
  for name in $(without "$stopped" "$all_live"); do
    if serves live "$name" || serves idle "$name"; then
      if try_to_start "$name"; then
        started_idle="${started_idle:+$started_idle }$name"
      else
        echo "==> warning: $name could not be started: $said" >&2
      fi
    fi
  done
}

main
