# shellcheck shell=sh disable=SC2153,SC2154 # from containers.sh and the settings
# The host's part of the take-over, after containers.sh.
#
# Given: NGINX (the new one's container)

main() {
  eval "$(settings)"
  look_around
  start "$NGINX"
  FORMER=$(ask_who_serves)
  status=0
  print_for_nginx | docker exec -i "$NGINX" sh -s || status=$?
  [ "$status" != 0 ] || return 0
  {
    [ "$status" -lt 128 ] || echo "error: the take-over was killed (exit status $status); the former nginx serves."
    echo "What to do next: see the reason above and in 'docker logs $NGINX', then run 'pulumi up' again."
  } >&2
  exit 1
}
print_for_nginx() {
  printf "%s='%s'\n" WHO "$(who)" IMAGE "$(image_of "$NGINX")" FORMER "$FORMER"
  settings
  in_container_script
}

# What the live color of each service answers through the nginx that has the ports now, be it the edge.
ask_who_serves() {
  for nginx in $(of_role proxy) $(of_role edge); do
    if [ "$nginx" = "$NGINX" ] || ! runs "$nginx"; then continue; fi
    answers_script | docker exec -i "$nginx" sh -s 2>/dev/null && return 0
  done
  return 0
}

main
