#!/bin/sh
# What the official redis image does at its start: bare options mean redis-server, and the server never runs as root.
set -eu

case "${1:-}" in
  -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  chown -R redis:redis /data
  exec setpriv --reuid=redis --regid=redis --clear-groups -- "$@"
fi
exec "$@"
