# shellcheck shell=sh
# The drain: waiting for the connections of what is about to end. After common.sh.
#
# Given: DRAIN_SECONDS

# A second more than keepalive_min_timeout in nginx.conf.
KEPT_CONNECTION_SECONDS=3

# wait_until_none_is_left COMMAND WORDS: COMMAND prints how many there are. What then is left is in $cut, in words.
wait_until_none_is_left() {
  drain_started=$(uptime_seconds)
  told='' cut=''
  while open=$("$1") && [ "$open" != 0 ] || may_get_more; do
    if [ -z "$told" ] && [ "$open" != 0 ]; then
      say "drain: up to $DRAIN_SECONDS s for $open $2"
      told=yes
    fi
    if drained_for "$DRAIN_SECONDS" && ! may_get_more; then
      cut="$open $2 were left after $DRAIN_SECONDS s"
      warn "drain: $cut; they end now"
      return 0
    fi
    sleep 0.25
  done
  [ -z "$told" ] || say 'drain: none is left'
}
drained_for() { [ $(($(uptime_seconds) - drain_started)) -ge "$1" ]; }
# An old worker may get one more request on a kept connection, and sends it to the color that it knows.
may_get_more() { [ -n "${leaving:-}" ] && ! drained_for "$KEPT_CONNECTION_SECONDS"; }

wait_for_connections_to() { # containers that are about to end
  leaving=$1
  wait_until_none_is_left open_connections 'connections to the old container'
}
# All nginx of an ingress share one network namespace, so its table has the connections of the old workers and of other nginx too.
# By IPv4: so nginx asks a color (nginx.conf), also on a network that has IPv6.
open_connections() {
  connections=0
  for container in $leaving; do
    address=$(getent ahostsv4 "$container" | sed -n '1s/ .*//p')
    [ -n "$address" ] || continue
    connections=$((connections + $(established_to "$address")))
  done
  echo "$connections"
}
# The kernel prints an IPv4 address as one number in the machine's byte order, which is little endian on amd64 and arm64.
established_to() {
  # shellcheck disable=SC2046 # four numbers
  hex=$(printf '%02X' $(printf '%s' "$1" | awk -F. '{ print $4, $3, $2, $1 }'))
  awk -v remote="$hex" '$4 == "01" && index($3, remote ":") == 1 { n++ } END { print n + 0 }' /proc/net/tcp
}
