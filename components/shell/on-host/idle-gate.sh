#!/bin/sh
# The idle gate on the host, after conclude.sh.
#
# Given: BLUE BLUE_PORT BLUE_OWN GREEN GREEN_PORT GREEN_OWN; BLUE_REPLICAS GREEN_REPLICAS (how many, where there are several)
#
# shellcheck disable=SC2154,SC2034 # from and for conclude.sh

main() {
  eval "$(settings)"
  look_around
  read_served || :
  choose_candidate
  # One at a time, it is gated when it becomes live.
  if [ -n "${STRATEGY:-}" ]; then
    stop_what_is_not_served
    echo "==> $idle_color does not run beside what is live"
    return 0
  fi
  started=''
  all_idle=$(names_of "$candidate" "$candidate_replicas")
  if [ "$IDLE" = running ] || [ "$(all_served idle)" != "$all_idle" ]; then
    for name in $all_idle; do runs "$name" || started="${started:+$started }$name"; done
    # shellcheck disable=SC2086 # names
    start_all "$candidate" $all_idle
  fi
  status=0
  if [ -n "$started" ] || [ "$(all_served idle)" != "$all_idle" ]; then
    run_in_nginx "$candidate" "$started" || status=$?
  fi
  conclude "$idle_color" "$candidate" "$status"
}

# The switch has passed before, so one color is live.
choose_candidate() {
  case $served in
    *'live: blue '*) idle_color=green candidate=$GREEN candidate_port=$GREEN_PORT own_settings=$GREEN_OWN candidate_replicas=${GREEN_REPLICAS:-1} ;;
    *'live: green '*) idle_color=blue candidate=$BLUE candidate_port=$BLUE_PORT own_settings=$BLUE_OWN candidate_replicas=${BLUE_REPLICAS:-1} ;;
    *)
      echo "error: nginx names no live color of $SERVICE. Nothing was changed." >&2
      echo "What to do next: run 'npx bluegreen heal', or 'pulumi up --refresh'." >&2
      exit 1
      ;;
  esac
}

main
