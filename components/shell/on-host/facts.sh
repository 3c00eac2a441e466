#!/bin/sh
# What the Docker host has, as data: a line each, a word and then JSON. It runs where the Docker engine can be reached, as the
# input of "sh -s", and changes nothing. What the facts mean is for whoever asked (components/problems.ts).
set -eu

# All calls of the Docker client run at once, since each takes a tenth of a second. What the others print waits in the pipe
# for its turn: no file is written, because the disk may be full.
main() {
  ask engine version --format '{"version":{{json .Server.Version}},"kernel":{{json .Server.KernelVersion}}}' |
    {
      ask container ps --all --no-trunc --format "$CONTAINER" |
        {
          ask network network ls --no-trunc --format '{"id":{{json .ID}},"name":{{json .Name}}}' |
            {
              ask volume volume ls --format '{"name":{{json .Name}}}'
              cat
            }
          cat
        }
      cat
    }
}

CONTAINER='{"id":{{json .ID}},"name":{{json .Names}},"ports":{{json .Ports}}'
for label in bluegreen.id bluegreen.stack bluegreen.service bluegreen.role com.docker.compose.project; do
  CONTAINER="$CONTAINER,\"$label\":{{json (.Label \"$label\")}}"
done
CONTAINER="$CONTAINER}"

# ask KIND ARGUMENTS...: a last line "KIND all" says that nothing is missing.
ask() {
  kind=$1
  shift
  { docker "$@" </dev/null && echo all; } | sed "s/^/$kind /"
}

# The statuses of a pipe are lost but for the last one.
main | awk '{ print } $2 == "all" { all++ } END { exit all != 4 }'
