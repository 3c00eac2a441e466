#!/bin/sh
# The switch on the host, after host.sh.
#
# Given: LIVE_COLOR LIVE

main() {
  eval "$(settings)"
  look_around
  start "$PROXY"
  start "$LIVE"
  run_in_nginx && status=0 || status=$?
  conclude "$LIVE_COLOR" "$LIVE" "$status"
}

main
