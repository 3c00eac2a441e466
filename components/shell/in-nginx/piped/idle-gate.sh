#!/bin/sh
# The idle gate, inside nginx's container, after steps.sh and what that needs: the idle color's new container is gated, and then
# answers on the preview port. What is live is not touched.
#
# Given: BLUE BLUE_PORT GREEN GREEN_PORT, BLUE_REPLICAS GREEN_REPLICAS (how many, where there are several); from the host's part IMAGE (of the
#        idle color's container) STARTED (the containers that it has just started, or nothing)
#
# shellcheck disable=SC2154 # from steps.sh

main() {
  begin
  live_color=${served_live%% *}
  [ -n "$live_color" ] || fail 1 'no color is live yet, so none is idle.'
  idle_color=$(other "$live_color")
  choose_candidate
  live=${served_live#* }
  fill_site "$live_color" "$live" "$(port_of "$live")" "$(served_count "$live")" "$container" "$port" "$count"
  note_intent "$live_color" "$live_color" idle "$idle_color" "$IMAGE"
  stage "$idle_color" "$container" "$port" "$count"
  containers=$(names_of "$container" "$count")
  # shellcheck disable=SC2086 # names
  if [ -n "$STARTED" ] || [ -n "$(without "$containers" "$(all_served "${served_idle#* }")")" ]; then gate "$idle_color" $containers; fi
  await_peers "$container" "$count"
  commit
  keep_committed
  leaving=$(without "$(all_served "${served_idle#* }")" "$containers")
  [ -z "$leaving" ] || wait_for_connections_to "$leaving"
  end_intent "done${cut:+, but $cut}" "$(seconds_taken)"
  say "$idle_color is idle, on the preview port"
}

choose_candidate() {
  case $idle_color in
    blue) container=$BLUE port=$BLUE_PORT count=${BLUE_REPLICAS:-1} ;;
    green) container=$GREEN port=$GREEN_PORT count=${GREEN_REPLICAS:-1} ;;
  esac
}

main
