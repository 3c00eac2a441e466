#!/bin/sh
# The main process of the ACME container; "acme.sh now" does at once what it does twice a day: obtain the certificate, or
# renew it when it is time. NAMES, EMAIL, DIRECTORY and FOLDER are in its environment.
set -u

# nginx answers the challenges from here.
WEBROOT=/bluegreen/state/acme-challenge

main() {
  if [ "${1:-}" = now ]; then obtain; else go_on; fi
}

go_on() {
  trap 'exit 0' TERM INT
  pause=3600
  while :; do
    sleep "$pause" &
    wait "$!"
    if obtain; then pause=43200; else pause=3600; fi
  done
}

# The file "failed" is what Docker's health check of this container looks for.
obtain() {
  mkdir -p "$WEBROOT" "$FOLDER"
  if (flock 9 && call_client) 9>>"$FOLDER/lock"; then
    rm -f "$FOLDER/failed"
  else
    : >"$FOLDER/failed"
    return 1
  fi
}

call_client() {
  set -- --server "$DIRECTORY" --email "$EMAIL" --accept-tos --path "$FOLDER" --http --http.webroot "$WEBROOT"
  for name in $NAMES; do set -- "$@" --domains "$name"; done
  if [ -e "$FOLDER/certificates/${NAMES%% *}.crt" ]; then
    /lego "$@" renew --dynamic --force-cert-domains --no-random-sleep
  else
    /lego "$@" run
  fi
}

main "$@"
