# shellcheck shell=sh
# Talks to a Redis of this project in its container. It comes before redis-check.sh and redis-ready.sh.

# ask CONTAINER COMMAND...: with the password of its own configuration, which no process list gets to see.
ask() {
  container=$1
  shift
  docker exec -i "$container" sh -s -- "$@" <<'END'
password=$(sed -n 's/^requirepass "\(.*\)"$/\1/p' /etc/bluegreen-redis.conf | sed 's/\\"/"/g')
if [ -n "$password" ]; then
  # The dot keeps a newline at its end.
  password=$(printf '%b.' "$password")
  export REDISCLI_AUTH="${password%.}"
fi
exec redis-cli "$@"
END
}

# wait_for_redis CONTAINER SECONDS WHAT: until it answers, and that takes until its data is loaded. Fails when it ended before.
wait_for_redis() {
  waited=0
  until ask "$1" PING 2>/dev/null | grep -q PONG; do
    [ "$waited" -lt "$2" ] || return 1
    is_up "$1" || return 1
    sleep 1
    waited=$((waited + 1))
    [ $((waited % 5)) != 0 ] || echo "==> $3: ${waited} s"
  done
}
# One that Docker starts again and again is up now and then.
is_up() {
  case $(docker inspect --format '{{.State.Status}} {{.RestartCount}}' "$1" 2>/dev/null </dev/null) in
    'running '[012] | 'created '* | 'restarting '[01]) ;;
    *) return 1 ;;
  esac
}

last_log_lines() { # container
  echo "Its last log lines:"
  docker logs --tail 15 "$1" 2>&1 </dev/null | sed 's/^/  | /'
}
