#!/bin/sh
# Asks Docker itself whether the edge's ports can be had, before anything is made or deleted: what holds a port need not be
# a container. It runs where the Docker engine can be reached, with the function settings (assignments) before it, as the
# input of "sh -s". PORTS has a line for each: setting, address, port.
set -eu

main() {
  eval "$(settings)"
  held=$(held_by_own_edge) || exit 1
  wanted=$(not_held)
  [ -n "$wanted" ] || return 0
  problem=$(bind "$wanted") || tell_which
}

# The edge that is there has its ports until it is deleted.
held_by_own_edge() {
  edges=$(docker ps --quiet --filter "label=bluegreen.id=$SERVICE_ID" --filter label=bluegreen.role=edge </dev/null) || return 1
  [ -n "$edges" ] || return 0
  # shellcheck disable=SC2086 # ids
  docker inspect --format '{{range .HostConfig.PortBindings}}{{range .}}{{.HostPort}} {{end}}{{end}}' $edges </dev/null
}
not_held() {
  printf '%s\n' "$PORTS" | while read -r setting address port; do
    case " $held " in *" $port "*) ;; *) printf '%s %s %s\n' "$setting" "$address" "$port" ;; esac
  done
}

# bind LINES: a container that ends at once, with these ports published. Not by "docker run": of one that can't start, Podman tells
# it no reason.
bind() {
  set -- "$1" --network "$NETWORK" --entrypoint true
  while read -r _ address port; do
    case $address in *:*) address="[$address]" ;; esac
    set -- "$@" --publish "$address:$port:80"
  done <<END
$1
END
  shift
  { tried=$(docker create "$@" "$IMAGE" </dev/null); } 2>&1 || return 1
  status=0
  docker start "$tried" </dev/null 2>&1 || status=1
  docker rm --force --volumes "$tried" >/dev/null 2>&1 </dev/null || :
  return "$status"
}

tell_which() {
  {
    while read -r setting address port; do
      problem=$(bind "$setting $address $port") || echo "error: $setting: port $port at $address can't be had: $(reason)"
    done <<END
$wanted
END
    echo "Nothing was changed: what is live keeps serving."
    echo "What to do next: choose another port or address (for those with '::', set proxy.ipv6 to false), or end what has it, and run 'pulumi up' again."
  } >&2
  exit 1
}
reason() {
  case $problem in
    *'address already in use'* | *'port is already allocated'*) echo "it is in use.$(holder)" ;;
    *'cannot assign requested address'* | *'address family not supported'*) echo 'the Docker host has no such address.' ;;
    *) printf 'Docker says:\n%s' "$problem" | sed '2,$s/^/  /; /failed to start containers/d' ;;
  esac
}
# Where this machine is the host, and its ports are the engine's.
holder() {
  case ${DOCKER_HOST:-} in tcp://*) return 0 ;; esac
  ss -Hltnp "sport = :$port" 2>/dev/null |
    sed -n '1s/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ The program \1 (process \2) has it./p'
}

main
