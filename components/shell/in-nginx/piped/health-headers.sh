# shellcheck shell=sh disable=SC2154 # from common.sh
# Delivers the headers of the health request, inside nginx's container, after common.sh: for the next switch, which keeps them when
# it has passed (keep_health in switch.sh). They may be secrets, so they are in a file for root alone, as keys of certificates are, and not
# in the site, which each nginx has and "status" shows.
#
# Given: SERVICE HEADERS, and those of own_place

main() {
  nginx_must_answer
  is_owner || exit 4
  use_service "$SERVICE"
  own_place
  (umask 077 && write_file "$PLACE/health-headers.next" "$HEADERS") || cannot_write
  say 'nginx has the headers of health.headers'
}

main
