#!/bin/sh
# The idle gate on the host, after conclude.sh.
#
# Given: BLUE GREEN
#
# shellcheck disable=SC2154 # from conclude.sh

main() {
  eval "$(settings)"
  look_around
  read_served || :
  choose_candidate
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
    *'live: blue '*) idle_color=green candidate=$GREEN ;;
    *'live: green '*) idle_color=blue candidate=$BLUE ;;
    *)
      echo "error: nginx names no live color of $SERVICE. Nothing was changed." >&2
      echo "What to do next: run 'npx bluegreen heal', or 'pulumi up --refresh'." >&2
      exit 1
      ;;
  esac
}

main
