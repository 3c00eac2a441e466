#!/bin/sh
# What the scripts on the host do with containers. They run where the Docker engine can be reached, as the input of "sh -s": the
# functions settings (assignments) and in_container_script come before this file, what uses it after it.
#
# Given: INGRESS (the label bluegreen.ingress of all that is on it) SERVICE_ID (the label bluegreen.id of all that belongs to a
#        service, or to the ingress)
set -eu

# Each call of the Docker client takes a tenth of a second, so one answer has to tell all: a line "NAME ROLE STATE IMAGE" for
# each container of the service and for each nginx of its ingress, the newest first. What version 0.1.0 has made does not say
# whose ingress it is on: there was one for each service.
look_around() {
  containers=$(docker ps --all --filter label=bluegreen.role \
    --format '{{.Names}} {{.Label "bluegreen.role"}} {{.State}} {{.Image}} {{.Label "bluegreen.id"}} {{.Label "bluegreen.ingress"}}' </dev/null) || {
    echo "error: no answer from Docker at ${DOCKER_HOST:-its default address}. Nothing was changed."
    echo "What to do next: see that it runs and that you may use it ('docker ps' on that machine tells). Then run 'pulumi up' again."
    exit 1
  } >&2
  containers=$(printf '%s\n' "$containers" | awk -v id="$SERVICE_ID" -v ingress="$INGRESS" '
    ($6 == ingress && $2 ~ /^(edge|proxy)$/) || ($5 == id && ($6 == ingress || $6 == "")) { print $1, $2, $3, $4 }')
}
of_role() { printf '%s\n' "$containers" | awk -v role="$1" '$2 == role { print $1 }'; } # role
line_of() { printf '%s\n' "$containers" | grep -F -- "$1 "; }
runs() { case $(line_of "$1") in "$1 "*" running "*) ;; *) return 1 ;; esac }

start() { # container
  runs "$1" || try_to_start "$1" || cannot_start "$1" "$said"
}
try_to_start() { # container
  echo "==> starting $1"
  # shellcheck disable=SC2034 # for conclude.sh
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
  give_up
}
# How a container has last ended, by what Docker remembers of the last minutes: the container itself has forgotten it when it runs
# again. Nothing where Docker has forgotten it too. The end of the time must be to come, or Podman says nothing.
last_exit_code() { # container
  made=$(docker inspect --format '{{.Created}}' "$1" </dev/null) || return 0
  docker events --since "$made" --until "$(($(date +%s) + 2))" --filter "container=$1" --filter event=die \
    --format '{{.Actor.Attributes.exitCode}}' </dev/null | tail -n 1
}

# A script that has more to say at its end has a function of its own in place of this one.
give_up() { exit 1; }

# in_owner COMMAND...: what the command prints runs in the nginx that has the ports, $NGINX. Mostly there is one; while an update
# replaces it, the newest does not have them yet, and says so by exit status 4.
in_owner() {
  NGINX=''
  for NGINX in $(of_role proxy); do
    start "$NGINX"
    owner_status=0
    in_nginx "$@" || owner_status=$?
    [ "$owner_status" = 4 ] || return "$owner_status"
  done
  {
    if [ -z "$NGINX" ]; then
      echo "error: there is no nginx of the ingress $INGRESS: it was removed by hand or by a prune. The edge serves, if it is there."
    else
      echo "error: no nginx of the ingress $INGRESS has the ports: the update that made it did not get that far. The edge or the former one serves."
    fi
    echo "What to do next: run 'pulumi up --refresh' in the stack that has the ingress, and then what you ran again."
  } >&2
  give_up
}

# Who listens to what it prints has a function of its own in place of this one (hear.sh).
in_nginx() { "$@" | docker exec -i "$NGINX" sh -s; }

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
