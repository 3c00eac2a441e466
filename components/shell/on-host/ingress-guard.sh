# shellcheck shell=sh disable=SC2154 # from containers.sh
# Before anything of an ingress is deleted: says which services of other components are on it. The input of "sh -s create" and of
# "sh -s delete", after containers.sh.
#
# Given: SERVICE (the service that it was made for, or nothing)

main() {
  [ "$1" = delete ] || return 0
  eval "$(settings)"
  docker version >/dev/null 2>&1 </dev/null || return 0
  look_around
  for nginx in $(of_role proxy) $(of_role edge); do
    ! services=$(docker exec "$nginx" ls /bluegreen/state/services 2>/dev/null </dev/null) || break
  done
  others=$(printf '%s\n' "${services:-}" | grep -vxF -e "$SERVICE" -e '' | paste -s -d ' ' -) || others=''
  [ -z "$others" ] || refuse >&2
}

refuse() {
  echo "error: the ingress $INGRESS can't be deleted, since other services are on it: $others"
  echo 'Nothing was changed: all of them are served.'
  echo "What to do next: destroy them first, or move them to another ingress. One whose stack is lost: 'npx bluegreen forget'."
  exit 1
}

main "$@"
