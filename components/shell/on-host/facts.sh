#!/bin/sh
# What the Docker host has, as data: a line each, a word and then JSON. It runs where the Docker engine can be reached, as the
# input of "sh -s", after the function settings (assignments), and changes nothing. What the facts mean is for whoever asked
# (components/host/problems.ts).
#
# Given: INGRESS
set -eu

# All calls of the Docker client run at once, since each takes a tenth of a second. What the others print waits in the pipe
# for its turn: no file is written, because the disk may be full.
main() {
  eval "$(settings)"
  ask engine version --format "$ENGINE,\"ipv6\":$(has_ipv6)}" |
    {
      ask container ps --all --no-trunc --format "$CONTAINER" |
        {
          ask network network ls --no-trunc --format '{"id":{{json .ID}},"name":{{json .Name}}}' |
            {
              ask volume volume ls --format '{"name":{{json .Name}}}' | {
                tell_places
                cat
              }
              cat
            }
          cat
        }
      cat
    }
}

# shellcheck disable=SC2016 # a variable of the template
ENGINE='{{$podman := false}}{{range .Server.Components}}{{if eq .Name "Podman Engine"}}{{$podman = true}}{{end}}{{end}}'
# shellcheck disable=SC2016
ENGINE="$ENGINE"'{"version":{{json .Server.Version}},"kernel":{{json .Server.KernelVersion}},"podman":{{$podman}}'

CONTAINER='{"id":{{json .ID}},"name":{{json .Names}},"ports":{{json .Ports}}'
for label in bluegreen.id bluegreen.stack bluegreen.service bluegreen.role bluegreen.ingress com.docker.compose.project; do
  CONTAINER="$CONTAINER,\"$label\":{{json (.Label \"$label\")}}"
done
CONTAINER="$CONTAINER}"

# Whether an address of it can be bound to. Of a host that is not this machine, nothing is known here.
has_ipv6() {
  case ${DOCKER_HOST:-} in tcp://*) echo true && return ;; esac
  if [ -d /proc/net ] && ! grep -q . /proc/net/if_inet6 2>/dev/null; then echo false; else echo true; fi
}

# ask KIND ARGUMENTS...: a last line "KIND all" says that nothing is missing.
ask() {
  kind=$1
  shift
  { docker "$@" </dev/null && echo all; } | sed "s/^/$kind /"
}

# What each service has on the ingress, as its edge knows it; nothing where there is none.
tell_places() {
  edge=$(docker ps --quiet --filter "label=bluegreen.ingress=$INGRESS" --filter label=bluegreen.role=edge </dev/null) || return 0
  # shellcheck disable=SC2086 # an id, or nothing
  if [ -n "$edge" ]; then ask place exec $edge sh -c "$PLACES"; else echo 'place all'; fi
}
# shellcheck disable=SC2016 # expanded in the edge
PLACES='cd /bluegreen/state/services 2>/dev/null || exit 0
for place in */id; do
  [ -e "$place" ] || continue
  read -r id <"$place"
  service=${place%/id}
  echo "{\"service\":\"$service\",\"id\":\"$id\"}"
  sed -n "s/^# port: [0-9]* /# claim: /; s/^# claim: \(.*\)/{\"service\":\"$service\",\"id\":\"$id\",\"claim\":\"\1\"}/p" "$service/site.conf" 2>/dev/null
done'
# The statuses of a pipe are lost but for the last one.
main | awk '{ print } $2 == "all" { all++ } END { exit all != 5 }'
