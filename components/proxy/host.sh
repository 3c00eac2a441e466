#!/bin/sh
# The host's part of the switch and of the idle gate: what needs the Docker client. It runs where the Docker engine can be
# reached, as the input of "sh -s": the functions settings (assignments, the same for both parts) and in_container_script come
# before it, with explain.sh and failure.sh; switch-host.sh or idle-gate-host.sh after it.
#
# Given: SERVICE_ID (the label bluegreen.id of all that belongs to the service) PROXY IDLE STOP_GRACE_SECONDS KEEP_IMAGES
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
  ! runs "$1" || return 0
  echo "==> starting $1"
  said=$(docker start "$1" 2>&1 >/dev/null </dev/null) || cannot_start "$1" "$said"
  seen_before_start=yes
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

# What nginx serves, from the first lines of its site: "live: blue NAME" and "idle: green NAME"; none before the first
# commit. It fails where nobody answers.
read_served() {
  served=$(docker exec "$PROXY" sed -n '/^# [a-z]*: [a-z]* ./s/^# //p' /bluegreen/state/site.conf 2>/dev/null </dev/null) || {
    served=''
    return 1
  }
}
serves() { # live|idle container
  case "
$served
" in *"
$1: blue $2
"* | *"
$1: green $2
"*) ;; *) return 1 ;; esac
}

run_in_nginx() { # [assignment that the settings don't have]
  { printf '%s\n' "WHO='$(who)'" "$@" && settings && in_container_script; } | docker exec -i "$PROXY" sh -s
}

# Whom the journal names: the user and the machine that run this, and for SSH where they came from.
who() {
  printf '%s@%s%s' "$(id -un)" "$(uname -n)" "${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}" | tr -d "'"
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
    [ "$3" != 1 ] || show_nginx_errors >&2
    echo "What to do next: see the reason above, then run 'pulumi up' again." >&2
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

# By the journal. What only this host has can't be pulled again, and Docker itself keeps what a container uses.
remove_old_images() {
  [ -n "$KEEP_IMAGES" ] || return 0
  every_digest_is_a_registrys || {
    echo "==> old images stay: in containerd's image store, Docker does not tell which of them a registry has"
    return 0
  }
  # One call for all: the journal names many that are long gone.
  pulled=$(docker image ls --digests --format '{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}' </dev/null |
    sed '/@<none>$/d' | tr ' ' '\n')
  old_images | while read -r image; do
    was_pulled "$image" || continue
    ! docker image rm "$image" >/dev/null 2>&1 </dev/null || echo "==> removed an old image: $image"
  done
}
# With containerd's image store, the default of new installations from Docker 29 on, what was built here has one too.
every_digest_is_a_registrys() {
  ! docker info --format '{{.DriverStatus}}' </dev/null | grep -qF io.containerd.snapshotter
}
# Docker has a digest for its repository. A name with a digest is in its list without the tag.
was_pulled() { # image
  name=${1#docker.io/}
  case $name in *@*)
    repository=${name%@*}
    case ${repository##*/} in *:*) repository=${repository%:*} ;; esac
    name=$repository@${name#*@}
    ;;
  esac
  printf '%s\n' "$pulled" | grep -qxF -- "$name"
}
# An entry of the journal names the image that a color got then. What its containers have now is not a former one.
old_images() {
  docker exec "$PROXY" cat /bluegreen/state/journal </dev/null |
    awk -F '"' -v keep="$KEEP_IMAGES" -v containers="$containers" '
      BEGIN { lines = split(containers, all, "\n"); for (i = 1; i <= lines; i++) { split(all[i], part, " "); now[part[2], part[4]]; kept[part[4]] } }
      { for (i = 1; i < NF; i++) if (($i == "blue" || $i == "green") && $(i + 1) == ":") { color[++n] = $i; image[n] = $(i + 2) } }
      END {
        for (newest = n; newest > 0; newest--) {
          if ((color[newest], image[newest]) in now || seen[color[newest], image[newest]]++) continue
          if (count[color[newest]]++ < keep) kept[image[newest]]
        }
        for (; n > 0; n--) if (!(image[n] in kept)) { kept[image[n]]; print image[n] }
      }'
}
