# shellcheck shell=sh disable=SC2153 # FORMER's services and use_service set different names
# The take-over, inside a new nginx's container, after common.sh and drain.sh:
#
#   gate of nginx -> open its ports -> become the owner -> drain of the former one
#
# While both listen, both have the same sites: whoever has a switch under way is waited for, and none begins before the end.
# Killed before it is the owner, the entrypoint closes its ports again.
#
# Given: STACK WHO IMAGE (of this nginx) TLS_PORT (of the host, or nothing) PROXY_PROTOCOL (who speaks it, or nothing)
#        FORMER (a line "SERVICE STATUS" each: what live colors answer through the nginx that serves)

main() {
  nginx_must_answer
  if is_owner; then
    tell_of_ports
    runs_config "$(config_hash)" || reload || fail 1 'nginx did not take the new list of who speaks PROXY protocol.'
    return 0
  fi
  began=$(uptime_seconds)
  wait_for_switches
  trap close_again EXIT
  trap 'exit 1' HUP INT TERM
  gate_of_nginx
  tell_of_ports
  say 'the new nginx takes over the ports'
  open_listeners || fail 1 'the new nginx could not open its ports.'
  write_file "$OWNER" "$(own_id)" || cannot_write
  be_alone
  trap - EXIT
  exec 6>&-
  wait_until_none_is_left others_at_work 'old nginx with open connections'
  [ -z "$cut" ] || forget_draining
  note "done${cut:+, but $cut}"
  say 'the new nginx has the ports'
}

# Not before the gate: the former nginx reads it, too, whenever it reloads.
tell_of_ports() {
  write_file "$STATE/tls-port" "$TLS_PORT" && write_file "$STATE/proxy-protocol" "$PROXY_PROTOCOL" && return 0
  cannot_write
}

others_at_work() { others | grep -c -e open -e draining; }
# Who is killed in its drain can't say that it is over, and the next drain would wait for it again.
forget_draining() {
  for instance in "$INSTANCES"/*; do
    if grep -qx draining "$instance" 2>/dev/null; then rm -f "$instance"; fi
  done
}

wait_for_switches() {
  exec 6>>"$INGRESS_LOCK"
  flock -n 6 && return 0
  say "waiting for a switch that is running: $(holders)"
  wait_for 600 flock -n 6 || fail 3 "a switch is still running: $(holders)." \
    "Nothing was changed: the former nginx serves. Run 'pulumi up' again when it has ended."
}
holders() {
  for_each_service holder_of_lock | paste -s -d , -
}
holder_of_lock() { flock -s -n "$LOCK" true || printf '%s (%s)\n' "$SERVICE" "$(cat "$LOCK.holder" 2>/dev/null)"; }

# What answers through the nginx that serves has to answer the same through this one.
gate_of_nginx() {
  while read -r service code; do
    case $service:$code in :* | *:000 | *:502 | *:504) continue ;; esac
    say "gate: $service through the new nginx"
    wait_for 15 answers "$service" "$code" ||
      fail 1 "the live color of $service answers HTTP $code through the nginx that serves, and HTTP $now through the new one." \
        'Nothing was changed: the former nginx serves.'
  done <<END
$FORMER
END
}
answers() { # service code
  now=$(answer_of "$RUN/warm-$1.sock")
  [ "$now" = "$2" ]
}

close_again() {
  status=$?
  trap - EXIT
  set +e
  is_owner || ! listens || close_listeners
  is_owner || rm -f "$INSTANCES/$(own_id)"
  note "failed: ${reason:-ended by a signal}"
  exit "$status"
}

note() { # outcome
  entry=$(json_object at "$(utc_now)" by "$WHO" stack "$STACK" kind nginx image "$IMAGE" outcome "$1")
  add_entry "$STATE/journal" "${entry%\}},\"seconds\":$(($(uptime_seconds) - began))}"
}

main
