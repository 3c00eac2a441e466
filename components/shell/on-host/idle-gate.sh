#!/bin/sh
# The idle gate on the host, after conclude.sh.
#
# Given: BLUE BLUE_PORT BLUE_OWN GREEN GREEN_PORT GREEN_OWN
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
  if [ "$IDLE" = running ] || ! serves idle "$candidate"; then
    runs "$candidate" || started=$candidate
    start "$candidate"
  fi
  status=0
  if [ -n "$started" ] || ! serves idle "$candidate"; then
    run_in_nginx "$candidate" "$started" || status=$?
  fi
  conclude "$idle_color" "$candidate" "$status"
}

# The switch has passed before, so one color is live.
choose_candidate() {
  case $served in
    *'live: blue '*) idle_color=green candidate=$GREEN candidate_port=$GREEN_PORT own_settings=$GREEN_OWN ;;
    *'live: green '*) idle_color=blue candidate=$BLUE candidate_port=$BLUE_PORT own_settings=$BLUE_OWN ;;
    *)
      echo "error: nginx names no live color of $SERVICE. Nothing was changed." >&2
      echo "What to do next: run 'npx bluegreen heal', or 'pulumi up --refresh'." >&2
      exit 1
      ;;
  esac
}

main
