#!/bin/sh
# Before the network is deleted, when the containers of the stack are gone: says who else is on it. Docker would only say
# after half a minute that somebody is. The input of "sh -s create" and of "sh -s delete", after the function settings
# (assignments).
#
# Given: NETWORK SERVICE_ID
set -eu

main() {
  [ "$1" = delete ] || return 0
  eval "$(settings)"
  # Without an answer the host or the network is gone, and nothing is in the way.
  others=$(docker ps --filter "network=$NETWORK" --format '{{.Names}} {{.Label "bluegreen.id"}}' 2>/dev/null </dev/null) || return 0
  [ -z "$others" ] || refuse >&2
}

refuse() {
  echo "error: the network $NETWORK can't be deleted, since other containers are on it: $(printf '%s\n' "$others" | sed 's/ .*//' | paste -s -d ' ' -)"
  echo "The service's own containers are deleted."
  echo "What to do next: run these commands, and then what you ran again:"
  printf '%s\n' "$others" | while read -r name id; do
    if [ "$id" = "$SERVICE_ID" ]; then
      # Left by an update that was killed.
      echo "  docker rm -f $name"
    else
      echo "  docker network disconnect $NETWORK $name"
    fi
  done
  exit 1
}

main "$@"
