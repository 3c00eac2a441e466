# shellcheck shell=sh
# Delivers a certificate, inside nginx's container, after common.sh. It comes as text, or from files of the container that the
# entrypoint looks at from then on.
#
# Given: SERVICE TLS_NAMES; CHAIN_TEXT KEY_TEXT, or CHAIN_FILE KEY_FILE

# shellcheck source=../uploaded/tls.sh
. /bluegreen/tls.sh

# Exit status: 2 the certificate is refused.
main() {
  nginx_must_answer
  is_owner || exit 4
  use_service "$SERVICE"
  if [ -n "$CHAIN_FILE" ]; then
    deliver_or_fail "$CHAIN_FILE" "$KEY_FILE"
    write_file "$SOURCE" "$(printf '%s\n' "$CHAIN_FILE" "$KEY_FILE" "$TLS_NAMES")"
  else
    trap 'rm -f "$RUN/given".*' EXIT
    (umask 077 && write_file "$RUN/given.chain" "$CHAIN_TEXT" && write_file "$RUN/given.key" "$KEY_TEXT")
    deliver_or_fail "$RUN/given.chain" "$RUN/given.key"
    rm -f "$SOURCE"
  fi
  run_with_delivered || fail 1 'nginx does not take the certificate; its log says why.'
  say "nginx has the certificate for $TLS_NAMES"
}

deliver_or_fail() { # chain key
  deliver "$1" "$2" "$TLS_NAMES" || fail 2 "the certificate is refused: $refusal" 'No certificate was changed; what serves goes on serving.'
}

main
