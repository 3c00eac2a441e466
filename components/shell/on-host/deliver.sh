# shellcheck shell=sh disable=SC2154 # from containers.sh
# The host's part of the delivery of a certificate, after containers.sh and the function acme_script.
#
# Given: ACME (the container to obtain it with first, or nothing)

main() {
  eval "$(settings)"
  look_around
  [ -z "$ACME" ] || obtain
  status=0
  in_owner print_for_nginx || status=$?
  case $status in
    0) return 0 ;;
    2) echo "What to do next: mend the certificate or its settings, then run 'pulumi up' again." ;;
    *) echo "What to do next: see the reason above and in 'docker logs $NGINX', then run 'pulumi up' again." ;;
  esac >&2
  exit 1
}
print_for_nginx() { settings && in_container_script; }

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
