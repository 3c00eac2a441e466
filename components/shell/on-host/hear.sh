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
      '?command '* | '?image '*) answer "${line#?}" ;;
      # Of strategy "recreate" (recreate.sh).
      '?exchange '*) exchange "${line#* }" ;;
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

# A gate or "status" asks for the health of a container that only Docker can tell.
answer() { # "KIND CONTAINER ASKER"
  read -r kind container asker <<END
$1
END
  "check_by_$kind" "$container"
  tell_nginx "$asker"
}
# $verdict and $said, as a file: the script there has its own text as its input.
tell_nginx() { # asker
  said=$(printf '%s' "$said" | head -c 300 | tr -c '[:print:]' ' ')
  # shellcheck disable=SC2016 # expanded in nginx's container
  printf '%s\n' "$verdict" "$said" |
    docker exec -i "$NGINX" sh -c 'cat >"$1.new" && mv -f "$1.new" "$1"' sh "/run/bluegreen/told.$1" || :
}

# Given: HEALTH_COMMAND (words for a shell) HEALTH_TIMEOUT
check_by_command() { # container
  eval "set -- \"\$1\" $HEALTH_COMMAND"
  status=0
  said=$(within "$HEALTH_TIMEOUT" docker exec "$@" 2>&1) || status=$?
  case $status-$said in
    12[67]-*'OCI runtime'*'not found'* | 12[67]-*'OCI runtime'*'no such file'*)
      verdict='command-missing for-ever' said="no such command in the image: $2"
      ;;
    126-*'OCI runtime'*'permission denied'*) verdict='command-denied for-ever' said="the command can't be run: $2" ;;
    1-*'Error response from daemon'*) verdict=not-running ;;
    0-*) verdict=passed said="exit code 0${said:+: $said}" ;;
    143-*) verdict=command-slow said="it did not end within $HEALTH_TIMEOUT s${said:+: $said}" ;;
    *) verdict=command-failed said="exit code $status${said:+: $said}" ;;
  esac
}
# within SECONDS COMMAND...: with exit status 143 where it was ended. Hosts have no common command for that.
within() {
  whole=${1%.*}
  [ "$whole" = "$1" ] || whole=$((whole + 1))
  shift
  "$@" </dev/null &
  child=$!
  # It must not hold what reads the output.
  (sleep "$whole" && kill "$child") >/dev/null 2>&1 &
  timer=$!
  ended=0
  # Some shells say that it was terminated.
  wait "$child" 2>/dev/null || ended=$?
  kill "$timer" 2>/dev/null || :
  return "$ended"
}

check_by_image() { # container
  facts=$(docker inspect --format "$HEALTH_FACTS" "$1" 2>&1 </dev/null) || facts="gone $facts"
  said=$(printf '%s\n' "$facts" | sed -n '1!p' | tail -n 1)
  state=${facts%%
*}
  case $state in
    'running none') verdict='image-none for-ever' said='the image has no HEALTHCHECK' ;;
    'running healthy') verdict=passed said="healthy${said:+, $said}" ;;
    'running '*) verdict=image-${state#running } said="${state#running }${said:+, $said}" ;;
    *) verdict=not-running said="the container is ${state%% *}" ;;
  esac
}
# A line "STATE HEALTH", and one for each of the last checks.
HEALTH_FACTS='{{.State.Status}} {{with .State.Health}}{{.Status}}{{range .Log}}{{"\n"}}its last check ended with {{.ExitCode}}: {{printf "%q" .Output}}{{end}}{{else}}none{{end}}'
