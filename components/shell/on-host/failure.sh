# shellcheck shell=sh disable=SC2154,SC2034 # explain.sh and conclude.sh use what is set here
# What the host's part looks up when a color has failed its gate or its watch, and how it tells of it. It comes between
# explain.sh, which makes sentences of the facts, and conclude.sh, which calls it.

explain_failure() { # color container
  color=$1
  failure=$(docker exec "$NGINX" cat /run/bluegreen/failure </dev/null 2>/dev/null) || failure=''
  # Of several, which one.
  container=$(failure_fact container)
  container=${container:-$2}
  look_at_container "$container"
  log=$(docker logs --tail 30 "$container" 2>&1 </dev/null) || log=''
  explain
  nginx_logged=$(failure_fact log)
  printf '%s\n' "$state" ${listens:+"$listens"} ${likely:+"Why: $likely"} ${nginx_logged:+"nginx logged: $nginx_logged"} 'Its last log lines:'
  printf '%s\n' "$log" | sed 's/^/  | /'
  echo "What to do next: $advice Then run 'pulumi up' again; or set back what you have changed, and run it."
}

look_at_container() {
  container_status='' exit_code='' out_of_memory='' restarts='' sockets=''
  read -r container_status exit_code out_of_memory restarts <<END
$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.RestartCount}}' "$1" </dev/null)
END
  up=$(docker ps --all --filter "name=^/$1\$" --format '{{.Status}}' </dev/null)
  if [ "$container_status" = running ]; then
    sockets=$(listening_sockets "$1")
    exit_code=''
    [ "$restarts" = 0 ] || exit_code=$(last_exit_code "$1")
  fi
}

# The kernel's tables of the container's network, read from a container of nginx's image beside it: a color's own image may
# have no shell and no cat.
listening_sockets() {
  image=$(docker inspect -f '{{.Image}}' "$NGINX" </dev/null) || return 0
  docker run --rm --cap-drop ALL --read-only --network "container:$1" --entrypoint cat "$image" /proc/net/tcp /proc/net/tcp6 </dev/null 2>/dev/null || :
}

# Why nginx does not run or took no configuration is known to its log alone. For one that does not run it sets $next.
show_nginx() { # exit-status of the part in nginx
  nginx_status=$(docker inspect -f '{{.State.Status}}' "$NGINX" </dev/null 2>/dev/null) || return 0
  # A container whose process is just ending is still called running. Nothing can be run in it: Docker's exit status is 126.
  [ "$1" != 126 ] || [ "$nginx_status" != running ] || nginx_status=ending
  if [ "$nginx_status" = running ]; then
    nginx_log=$(docker logs --since 2m "$NGINX" 2>&1 </dev/null | grep '\[emerg\]\|\[alert\]\|\[crit\]' | tail -n 5) || return 0
    echo "nginx ($NGINX) has logged:"
  else
    nginx_log=$(docker logs --tail 5 "$NGINX" 2>&1 </dev/null) || nginx_log=''
    echo "nginx ($NGINX) does not stay up: its container is $nginx_status. The edge serves for it. Its last log lines:"
    next="mend what they say, then run 'pulumi up' again. If it is nothing of yours, 'docker rm --force $NGINX' and 'pulumi up --refresh' make it anew; the edge serves meanwhile."
  fi
  printf '%s\n' "$nginx_log" | sed 's/^/  | /'
}

# How long a failed candidate may take to stop, in seconds. In a gate it has never served anybody, so there is nothing to finish.
failed_grace() {
  case $(failure_fact kind) in
    watch) echo "$STOP_GRACE_SECONDS" ;;
    *) echo 1 ;;
  esac
}

# The last word of what failed. When the switch has failed, Pulumi lists outputs as removed (its issue 15755), though they stay.
tell_urls() {
  case $served in
    *'live: '*) ;;
    *) return 0 ;;
  esac
  if [ -n "${STRATEGY:-}" ]; then
    [ -z "$URL" ] || echo "The live color serves at $URL."
  else
    [ -z "$URL" ] || echo "The live color keeps serving at $URL, the idle one at $PREVIEW_URL."
  fi
  echo "(Where Pulumi lists outputs as removed, that is its display of a failed update. 'pulumi stack output' still has them.)"
}
