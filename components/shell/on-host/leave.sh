# shellcheck shell=sh disable=SC2154 # from containers.sh
# A service comes to an ingress that others have made, and leaves it: the input of "sh -s create" and of "sh -s delete", after
# containers.sh. When it comes, it prints the ports of the ingress, as Docker has them; its site is the switch's. When the service
# is destroyed, its site goes before its containers do.
#
# Given: SERVICE

main() {
  eval "$(settings)"
  case $1 in
    create)
      look_around
      docker inspect --format '{{json .HostConfig.PortBindings}}' "$(of_role edge)" </dev/null
      ;;
    delete) leave ;;
  esac
}

# Without an answer the host or the ingress is gone, and nothing is left to be removed.
leave() {
  docker version >/dev/null 2>&1 </dev/null || return 0
  look_around
  [ -n "$(of_role proxy)" ] || return 0
  in_owner print_for_nginx
}
print_for_nginx() { settings && in_container_script; }

main "$@"
