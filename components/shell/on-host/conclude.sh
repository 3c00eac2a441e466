# shellcheck shell=sh disable=SC2154 # from containers.sh
# The host's part of the switch and of the idle gate, after containers.sh, explain.sh and failure.sh; switch.sh or idle-gate.sh comes
# after it.
#
# Given: SERVICE IDLE STOP_GRACE_SECONDS KEEP_IMAGES; candidate_replicas (how many containers the candidate has)

# What is served, from the first lines of the site: "live: blue NAME" and "idle: green NAME", and where there may be several of a color
# "replicas: NAME COUNT"; none before the first commit.
# The edge has the same site, should nginx be down. It fails where neither answers.
read_served() {
  for nginx in $(of_role proxy) $(of_role edge); do
    ! served=$(docker exec "$nginx" sh -c "$SETTLED_SITE" sh "$SERVICE" 2>/dev/null </dev/null) || return 0
  done
  served=''
  return 1
}
# Whatever a killed switch had begun, nginx undoes within a second. Until then its site is not what will be served.
# shellcheck disable=SC2016 # expanded in nginx's container
SETTLED_SITE=$(printf '%s ' 'cd "/bluegreen/state/services/$1" 2>/dev/null || exit 0; tries=100;' \
  'while [ -e intent ] && [ "$tries" -gt 0 ]; do sleep 0.05; tries=$((tries - 1)); done;' \
  'site=site.conf; [ ! -e site.conf.former ] || site=site.conf.former;' \
  'sed -n "/^# [a-z]*: [a-z]* ./s/^# //p" "$site";' \
  'sed -n "s/^# replicas: /replicas: /p" "$site" site.conf.open 2>/dev/null || :')
serves() { all_served "$1" | grep -qxF -- "$2"; } # live|idle container
all_served() {                                    # live|idle|closed
  printf '%s\n' "$served" | sed -n "s/^$1: [a-z]* //p" | while read -r first; do
    names_of "$first" "$(printf '%s\n' "$served" | sed -n "s/^replicas: $first //p" | head -n 1)"
  done
}

# All containers of a color: where one can't be started, none of them runs on that does not serve.
start_all() { # first container...
  first=$1
  shift
  for name in "$@"; do
    ! runs "$name" || continue
    try_to_start "$name" || {
      docker_said=$said
      [ $# = 1 ] || stop_what_is_not_served "$first" >&2
      cannot_start "$name" "$docker_said"
    }
  done
}

# The journal names who it was, and what the container was made from.
run_in_nginx() { # container started-container
  IMAGE=$(image_of "$1")
  STARTED=$2
  in_owner print_for_nginx
}
print_for_nginx() {
  printf "%s='%s'\n" WHO "$(who)" IMAGE "$IMAGE" STARTED "$STARTED"
  settings
  in_container_script
}

# What the run in nginx has ended with: the candidate's color and container, and the exit status.
conclude() { # color container status
  if [ "$3" = 0 ]; then
    stop_what_is_not_served
    remove_old_images
    return 0
  fi
  report_failure "$@"
  # Another switch may be gating what this one would stop.
  [ "$3" = 3 ] || stop_what_is_not_served "$2" >&2
  [ -z "${STRATEGY:-}" ] || [ "$3" = 3 ] || reopen >&2
  give_up
}
give_up() {
  tell_what_there_is
  exit 1
}

report_failure() { # color container status
  # What the host's part could not do, it has said itself.
  [ "$3" != 5 ] || return 0
  if [ "$3" != 10 ]; then
    [ "$3" -lt 128 ] || echo "error: the switch was killed (exit status $3); what it had begun is undone." >&2
    next="see the reason above, then run 'pulumi up' again."
    case $3 in 1 | 126) show_nginx "$3" >&2 ;; esac
    echo "What to do next: $next" >&2
    return 0
  fi
  explain_failure "$1" "$2" >&2
}

# Whatever is neither live nor an idle color that shall run: a candidate that failed, what was replaced, and what an update
# that was killed has left. What was replaced is stopped now and not earlier: up to the end of the watch it was what one goes back
# to, and up to that of the drain it had open connections. Pulumi deletes it, at the end of an update that passes.
# shellcheck disable=SC2046,SC2086 # names
stop_what_is_not_served() { # [candidate that failed]
  # Without an answer nobody knows what serves.
  read_served || return 0
  # What was started here was seen when it did not run yet.
  [ -z "${seen_before_start:-}" ] || look_around
  served_idle=$(all_served idle)
  serving=$(all_served live)
  [ "$IDLE" = stopped ] || serving="$serving
$served_idle"
  superfluous=$(without "$(printf '%s\n' "$containers" | awk '$2 == "blue" || $2 == "green" { print $1 }')" "$serving")
  failed=$(without "$(among "$superfluous" "$(names_of "${1:-}" "${candidate_replicas:-1}")")" "$served_idle")
  others=$(without "$superfluous" "$failed")
  running=$(printf '%s\n' "$containers" | awk '$3 == "running" || $3 == "restarting" { print $1 }')
  [ -z "$failed" ] || stop "$(failed_grace)" $failed
  stop "$STOP_GRACE_SECONDS" $(among "$others" "$running")
}
# All at once: each may take its whole time.
stop() { # seconds container...
  seconds=$1
  shift
  [ $# != 0 ] || return 0
  for one in "$@"; do echo "==> stopping $one, within $seconds s"; done
  docker stop -t "$seconds" "$@" >/dev/null </dev/null || echo "==> warning: $* could not be stopped" >&2
}

# After a failure: every container of a color, and what becomes of it.
tell_what_there_is() {
  look_around
  read_served || :
  echo "What there is now:"
  printf '%s\n' "$containers" | while read -r name role state image; do
    case $role in blue | green) ;; *) continue ;; esac
    if serves live "$name"; then
      what="live, $state"
    elif serves idle "$name"; then
      what="idle, $state"
    else
      what="$state; the next 'pulumi up' that passes releases or removes it"
    fi
    echo "  $role: $name ($image): $what"
  done
  tell_urls
} >&2
