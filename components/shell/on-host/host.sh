#!/bin/sh
# The host's part of the switch and of the idle gate: what needs the Docker client. It runs where the Docker engine can be
# reached, as the input of "sh -s": the functions settings (assignments, the same for both parts) and in_container_script come
# before it, with explain.sh and failure.sh; switch.sh or idle-gate.sh after it.
#
# Given: SERVICE (its name) SERVICE_ID (the label bluegreen.id of all that belongs to it) PROXY IDLE STOP_GRACE_SECONDS KEEP_IMAGES
set -eu

# Each call of the Docker client takes a tenth of a second, so one answer has to tell all: a line "NAME ROLE STATE IMAGE" for
# each container of the service.
look_around() {
  containers=$(docker ps --all --filter "label=bluegreen.id=$SERVICE_ID" \
    --format '{{.Names}} {{.Label "bluegreen.role"}} {{.State}} {{.Image}}' </dev/null) || {
    echo "error: no answer from Docker at ${DOCKER_HOST:-its default address}. Nothing was changed."
    echo "What to do next: see that it runs and that you may use it ('docker ps' on that machine tells). Then run 'pulumi up' again."
    exit 1
  } >&2
}
line_of() { printf '%s\n' "$containers" | grep -F -- "$1 "; }
runs() { case $(line_of "$1") in "$1 "*" running "*) ;; *) return 1 ;; esac }

start() { # container
  runs "$1" || try_to_start "$1" || cannot_start "$1" "$said"
}
try_to_start() { # container
  echo "==> starting $1"
  seen_before_start=yes
  said=$(docker start "$1" 2>&1 >/dev/null </dev/null)
}
cannot_start() { # container what-docker-said
  if [ -z "$(line_of "$1")" ]; then
    echo "error: the container $1 is gone: it was removed by hand or by a prune."
    echo "What to do next: run 'pulumi up --refresh', which makes it again."
  else
    echo "error: the container $1 can't be started. Docker says:"
    printf '%s\n' "$2" | sed 's/^/  | /'
    echo "What to do next: mend its image, command or volumes, or set them back, and run 'pulumi up' again."
  fi >&2
  tell_what_there_is
  exit 1
}

# What is served, from the first lines of the site: "live: blue NAME" and "idle: green NAME"; none before the first commit.
# The edge has the same site, should nginx be down. It fails where neither answers.
read_served() {
  for nginx in "$PROXY" $(printf '%s\n' "$containers" | awk '$2 == "edge" { print $1 }'); do
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
  'sed -n "/^# [a-z]*: [a-z]* ./s/^# //p" "$site"')
serves() { # live|idle container
  case "
$served
" in *"
$1: blue $2
"* | *"
$1: green $2
"*) ;; *) return 1 ;; esac
}

# The journal names who it was, and what the container was made from.
run_in_nginx() { # container started-container
  {
    printf "%s='%s'\n" WHO "$(who)" IMAGE "$(image_of "$1")" STARTED "$2"
    settings
    in_container_script
  } | docker exec -i "$PROXY" sh -s
}

# The user and the machine that run this, and for SSH where they came from.
who() {
  printf '%s@%s%s' "$(id -un)" "$(uname -n)" "${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}" | tr -d "'"
}

# Docker's list has an id where the name is another image's by now.
image_of() { # container
  image=$(printf '%s\n' "$containers" | awk -v name="$1" '$1 == name { print $4 }')
  case $image in *[!0-9a-f]*) ;; *) image=$(docker inspect --format '{{.Config.Image}}' "$1" </dev/null) || image='' ;; esac
  printf '%s' "$image" | tr -d "'"
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
  tell_what_there_is
  exit 1
}

report_failure() { # color container status
  if [ "$3" != 10 ]; then
    [ "$3" -lt 128 ] || echo "error: the switch was killed (exit status $3); what it had begun is undone." >&2
    next="see the reason above, then run 'pulumi up' again."
    [ "$3" != 1 ] || show_nginx >&2
    echo "What to do next: $next" >&2
    return 0
  fi
  explain_failure "$1" "$2" >&2
}

# Whatever is neither live nor an idle color that shall run: a candidate that failed, what was replaced, and what an update
# that was killed has left. Pulumi deletes only at the end of an update that passes.
stop_what_is_not_served() { # [candidate that failed]
  # Without an answer nobody knows what serves.
  read_served || return 0
  # What was started here was seen when it did not run yet.
  [ -z "${seen_before_start:-}" ] || look_around
  printf '%s\n' "$containers" | while read -r name role state _; do
    case $role in blue | green) ;; *) continue ;; esac
    ! serves live "$name" || continue
    ! serves idle "$name" || [ "$IDLE" = stopped ] || continue
    if [ "$name" = "${1:-}" ] && ! serves idle "$name"; then
      stop "$name" "$(failed_grace)"
    elif [ "$state" = running ] || [ "$state" = restarting ]; then
      stop "$name" "$STOP_GRACE_SECONDS"
    fi
  done
}
stop() { # container seconds
  echo "==> stopping $1, within $2 s"
  docker stop -t "$2" "$1" >/dev/null </dev/null || echo "==> warning: $1 could not be stopped" >&2
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
