#!/bin/sh
# What nginx really does, inside the container of a proxy or of the edge: the settings of the last switch, replicas.sh, probe.sh and this
# file are piped into "docker exec -i CONTAINER sh -s". It prints facts, a line each, and changes nothing; what they mean is for
# whoever asked (cli/drift.ts).
set -u

# shellcheck source=../uploaded/nginx.sh
. /bluegreen/nginx.sh
# shellcheck source=../uploaded/journal.sh
. /bluegreen/journal.sh

main() {
  eval "$(settings)"
  use_service "$SERVICE"
  fact id "$(own_id)"
  fact owner "$(owner_id)"
  fact listens "$(yes_or_no listens)"
  fact lock_held "$(yes_or_no lock_is_held)"
  fact lock_holder "$(cat "$LOCK.holder" 2>/dev/null)"
  fact intent "$(cat "$INTENT" 2>/dev/null)"
  fact files "$(config_hash)"
  fact running "$(ask control.sock /config)"
  fact site "$(base64 2>/dev/null <"$SITE" | tr -d '\n')"
  ! listens || health
  # A line for each entry, so that one that is broken leaves the others readable.
  [ ! -e "$JOURNAL" ] || sed "s/^/journal /" "$JOURNAL"
  [ ! -e "$STATE/journal" ] || sed "s/^/nginx /" "$STATE/journal"
}

fact() { printf '%s %s\n' "$1" "$2"; }
yes_or_no() { if "$@"; then echo yes; else echo no; fi; }
# A shared lock, so that two who ask don't take each other for a switch. A switch waits longer than this takes.
lock_is_held() { ! flock -s -n "$LOCK" true; }

# The gate's request and the gate's judgement of the live color.
# shellcheck disable=SC2154 # of probe.sh
health() {
  live=$(sed -n 's/^# live: [a-z]* //p' "$SITE")
  [ -n "$live" ] || return 0
  all_live=$(names_of "$live" "$(sed -n "s/^# replicas: $live //p" "$SITE")")
  for container in $all_live; do
    if probe "$container"; then healthy=yes; else healthy=no; fi
    [ "$healthy" = yes ] || break
  done
  # Of several, users may get another one.
  if asks_past_nginx || [ "$all_live" != "$live" ]; then ask_where_users_come; fi
  fact healthy "$healthy"
  fact health_from "$container"
  fact health_code "$probe_code"
  fact health_answer "$(printf '%s' "$last_answer" | base64 | tr -d '\n')"
}

# The health was asked elsewhere. As in the gate, any answer will do here, and a slow one, too.
ask_where_users_come() {
  probe_code=$(answer_of "$RUN/warm-$SERVICE.sock")
  case $probe_code in
    000) probe_code=none ;;
    502 | 504)
      [ "$healthy" = no ] || last_answer='there is no answer where users are sent'
      healthy=no
      ;;
  esac
}

main
