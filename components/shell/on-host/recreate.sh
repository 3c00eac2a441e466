# shellcheck shell=sh disable=SC2154,SC2034 # from and for containers.sh, hear.sh and conclude.sh
# One at a time, on the host: stops what runs before it starts another, and after a failure starts the former container again. After
# conclude.sh, before switch.sh. Docker itself says what runs, so no two do, whatever nginx or a killed update has left.
#
# Given: SERVICE LIVE STOP_GRACE_SECONDS

# The part in nginx asks for it when the site is closed (in-nginx/piped/recreate.sh). "closed": it was live until now, and the former site is
# moved out of the way first. Where that is gone, nobody waits for us any more, and what was live serves again.
exchange() { # "[closed] ASKER"
  asker=${1##* }
  verdict=failed
  case $1 in
    closed*)
      place=/bluegreen/state/services/$SERVICE/site.conf
      said=$(docker exec "$NGINX" mv "$place.former" "$place.open" 2>&1 </dev/null) || {
        echo "error: the former site is not there any more. Nothing was stopped." >&2
        return 0
      }
      ;;
  esac
  look_around
  if stop_all_but "$LIVE" && start_live; then verdict=exchanged said=''; fi
  tell_nginx "$asker"
}

stop_all_but() { # container
  running=$(printf '%s\n' "$containers" | awk '($2 == "blue" || $2 == "green") && $3 ~ /running|restarting|paused/ { print $1 }')
  case $running in '' | "$1") return 0 ;; esac
  # One that ran beside another may be ill for that.
  for name in $running; do echo "==> stopping $name, within $STOP_GRACE_SECONDS s"; done
  # shellcheck disable=SC2086 # names
  said=$(docker stop -t "$STOP_GRACE_SECONDS" $running 2>&1 >/dev/null </dev/null) && look_around && return 0
  echo "error: what runs could not be stopped, so nothing was started beside it. Docker says: $said" >&2
  echo "What to do next: mend what Docker says, then run 'npx bluegreen heal', or 'pulumi up' again." >&2
  return 1
}
start_live() {
  runs "$LIVE" || try_to_start "$LIVE" && return 0
  docker_said=$said
  (
    give_up() { exit 0; }
    cannot_start "$LIVE" "$docker_said"
  )
  said="$LIVE can't be started: $docker_said"
  return 1
}

# After a failure: if the site is closed, what was live is started again, and nginx opens the site when it answers.
reopen() {
  read_served || return 0
  former=$(printf '%s\n' "$served" | sed -n 's/^closed: [a-z]* //p')
  [ -n "$former" ] || return 0
  look_around
  stop_all_but "$former" || return 0
  runs "$former" || try_to_start "$former" || {
    echo "error: $former, which was live, can't be started again. Docker says: $said"
    echo "Users get 503, since nothing runs. What to do next: mend what Docker says, then run 'npx bluegreen heal', or 'pulumi up' again."
    return 0
  }
  # Of before it was one at a time.
  for peer in $(all_served closed); do
    [ "$peer" = "$former" ] || try_to_start "$peer" || echo "warning: $peer can't be started again. Docker says: $said"
  done
  IMAGE=$(image_of "$former")
  in_owner print_for_reopening ||
    echo "error: nginx did not open the site again: users get 503. What to do next: run 'npx bluegreen heal', or 'pulumi up' again."
}
print_for_reopening() {
  echo "REOPEN=yes"
  print_for_nginx
}
