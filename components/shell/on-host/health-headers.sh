# shellcheck shell=sh disable=SC2154 # from containers.sh
# The host's part of the delivery of the health request's headers, after containers.sh.
#
# Given: BAD_HEADERS (names of those with a value that can't be sent)

main() {
  eval "$(settings)"
  if [ -n "$BAD_HEADERS" ]; then
    {
      echo "error: health.headers: the value of $BAD_HEADERS is empty, has a line break, or is longer than 8000 characters. Nothing was changed."
      echo "What to do next: set it right, then run 'pulumi up' again."
    } >&2
    exit 1
  fi
  look_around
  in_owner print_for_nginx || {
    echo "What to do next: see the reason above and in 'docker logs $NGINX', then run 'pulumi up' again." >&2
    exit 1
  }
}
print_for_nginx() { settings && in_container_script; }

main
