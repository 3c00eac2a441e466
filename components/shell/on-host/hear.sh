# shellcheck shell=sh disable=SC2154 # from containers.sh
# What the part in nginx's container prints is shown, but for its lines that begin with "?": by these it asks for what only Docker
# knows. After containers.sh.

# In place of the one in containers.sh. The exit status comes as the last line: that of a pipe is the reader's.
in_nginx() {
  {
    asked_status=0
    "$@" | docker exec -i "$NGINX" sh -s || asked_status=$?
    echo "?ended $asked_status"
  } | hear
}
hear() {
  while IFS= read -r line; do
    case $line in
      '?ended '*) return "${line#* }" ;;
      '?progress '*) tell_progress "${line#* }" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  # Whoever was to say how it ended was killed.
  return 137
}

# What a gate that waits says, with the last that the container has logged: mostly that says for what it waits.
tell_progress() { # "CONTAINER TEXT"
  last_line=$(docker logs --tail 5 "${1%% *}" 2>&1 </dev/null | tr -c '[:print:]\n' ' ' | grep '[^ ]' | tail -n 1 | cut -c1-200) || last_line=''
  printf '==> %s\n' "${1#* }${last_line:+; its log says: $last_line}"
}
