# shellcheck shell=sh disable=SC2034 # what is piped after it reads what is set here
# What every script begins with that is piped into "docker exec -i NGINX sh -s", inside nginx's container. The settings come before
# this file, the script itself after it.
#
# Given: WHO (for the journal)
set -eu

# shellcheck source=../uploaded/nginx.sh
. /bluegreen/nginx.sh

# Exit status: 3 another one runs; 4 this nginx does not have the ports; 10 the candidate failed its gate or its watch; 1 anything else.
fail() { # status message...
  status=$1
  shift
  reason="$*"
  printf 'error: %s\n' "$@" >&2
  exit "$status"
}

# What is on the volume and how these scripts work with what is uploaded is of one version: stacks of several repositories may bring
# several.
[ "${PROTOCOL:-}" = 1 ] || fail 1 'this nginx was made by another version of the package bluegreen, which this one does not know.' \
  'Nothing was changed. Use the same version in both stacks: update the one that has the ingress first.'
# shellcheck source=../uploaded/journal.sh
. /bluegreen/journal.sh
# shellcheck source=../uploaded/settle.sh
. /bluegreen/settle.sh

# The name of a service is its place on the volume. Another stack may have a service of that name.
#
# Given: SERVICE_ID LOCK_HOLDER
own_place() {
  mkdir -p "$PLACE" || cannot_write
  read_line "$PLACE/id"
  [ -z "$line" ] || [ "$line" = "$SERVICE_ID" ] || fail 1 "another stack has a service $SERVICE on this ingress." \
    'Nothing was changed. Give this service another name; or, if the stack of the other one is lost, remove it: npx bluegreen forget.'
  [ -n "$line" ] || write_file "$PLACE/id" "$(printf '%s\n' "$SERVICE_ID" "$LOCK_HOLDER")" || cannot_write
}

cannot_write() { fail 1 "can't write to the state volume: is the disk full?" 'Nothing was changed.'; }
nginx_must_answer() { wait_for 10 nginx_answers || fail 1 'nginx does not run in its container; its log says why.'; }

# The clock of the machine may jump, its uptime does not.
uptime_seconds() {
  read_line /proc/uptime
  echo "${line%%.*}"
}

# What the other nginx of this ingress say of themselves: those that were replaced, and the edge.
others() {
  for instance in "$INSTANCES"/*; do
    [ ! -f "$instance" ] || [ "${instance##*/}" = "$(own_id)" ] || cat "$instance"
  done
}
# Whoever else still listens answers by what it began with, so nothing changes before this nginx is alone.
be_alone() {
  wait_for 10 nobody_else_listens || {
    warn 'a former nginx did not say that it has let go; it is taken for dead'
    for instance in "$INSTANCES"/*; do [ "${instance##*/}" = "$(own_id)" ] || rm -f "$instance"; done
  }
}
nobody_else_listens() { ! others | grep -q open; }
