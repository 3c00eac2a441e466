#!/bin/sh
# The host's part of the delivery of a certificate, with the functions settings, acme_script and in_container_script before
# it, as the input of "sh -s".
set -eu

main() {
  eval "$(settings)"
  [ -z "$ACME" ] || obtain
  docker start "$PROXY" >/dev/null </dev/null
  { settings && in_container_script; } | docker exec -i "$PROXY" sh -s || {
    echo "What to do next: mend the certificate or its settings, then run 'pulumi up' again." >&2
    exit 1
  }
}

obtain() {
  docker start "$ACME" >/dev/null </dev/null
  acme_script | docker exec -i "$ACME" sh -s now || {
    {
      echo 'error: no certificate was obtained; the reason is above. Without one, nginx serves plain HTTP; a former one stays.'
      echo "What to do next: the names have to lead to port 80 of this host, from everywhere. Then run 'pulumi up' again."
    } >&2
    exit 1
  }
}

main
