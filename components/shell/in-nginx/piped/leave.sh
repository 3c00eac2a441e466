# shellcheck shell=sh disable=SC2154 # from common.sh
# Takes a service off its ingress, after common.sh: its site and all else that is kept of it.
#
# Given: SERVICE SERVICE_ID

main() {
  is_owner || exit 4
  use_service "$SERVICE"
  read_line "$PLACE/id"
  [ "$line" = "$SERVICE_ID" ] || return 0
  exec 9>>"$LOCK"
  wait_for 60 flock -n 9 || fail 3 "a switch of $SERVICE is still running. Run this again when it has ended."
  # Others test their sites with those that are there.
  exec 7>>"$COMMIT_LOCK"
  flock 7
  rm -rf "$PLACE" "$STAGED" "$WATCHED" "$CERTIFICATE"
  reload || fail 1 'nginx does not take the configuration without it; its log says why.'
  say "$SERVICE has left the ingress"
}

main
