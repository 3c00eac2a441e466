#!/bin/sh
# The host's part of the delivery of a certificate, with the functions settings, acme_script and in_container_script before
# it, as the input of "sh -s".
set -eu

main() {
  eval "$(settings)"
  [ -z "$ACME" ] || obtain
  start "$PROXY"
  status=0
  { settings && in_container_script; } | docker exec -i "$PROXY" sh -s || status=$?
  case $status in
    0) return 0 ;;
    2) echo "What to do next: mend the certificate or its settings, then run 'pulumi up' again." ;;
    *) echo "What to do next: see the reason above and in 'docker logs $PROXY', then run 'pulumi up' again." ;;
  esac >&2
  exit 1
}

start() { # container
  said=$(docker start "$1" 2>&1 >/dev/null </dev/null) || {
    echo "error: the container $1 can't be started. No certificate was changed. Docker says:"
    printf '%s\n' "$said" | sed 's/^/  | /'
    echo "What to do next: mend that; or, if the container is gone, run 'pulumi up --refresh', which makes it again."
    exit 1
  } >&2
}

obtain() {
  start "$ACME"
  acme_script | docker exec -i "$ACME" sh -s now || {
    {
      echo 'error: no certificate was obtained; the reason is above. Without one, nginx serves plain HTTP; a former one stays.'
      echo "What to do next, by that reason, and then run 'pulumi up' again:"
      echo "  unauthorized, connection, dns: each name has to lead to port 80 of this host, from everywhere"
      echo "  get directory, dial tcp: this host has to reach the ACME server (tls.acmeDirectory)"
      echo "  rateLimited: wait as long as it says"
      echo "  invalidEmail, contact: set another tls.acmeEmail"
    } >&2
    exit 1
  }
}

main
