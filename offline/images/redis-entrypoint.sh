#!/bin/sh
# What the official redis image does at its start: bare options mean redis-server, and the server never runs as root, nor with
# any of root's capabilities. What it makes can be read by itself alone.
set -eu

case "${1:-}" in
  -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find /data ! -user redis -exec chown redis:redis '{}' +
  umask 0077
  exec setpriv --reuid=redis --regid=redis --clear-groups --nnp \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all -- "$@"
fi
exec "$@"
