#!/bin/sh
# After the switch, the workers move to the live color, all at once. It comes after conclude.sh, of which it uses who is served.
#
# Given: SERVICE SERVICE_ID LIVE_COLOR LIVE (its container); WORKERS, for each that the live color has, a line
#        "NAME CONTAINER exclusive|beside STAY_UP_SECONDS"
#
# shellcheck disable=SC2034,SC2153,SC2154 # from and for containers.sh and conclude.sh

main() {
  eval "$(settings)"
  served=''
  look_around
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 143' HUP INT TERM
  # Whoever reads may be gone. A worker that was stopped is to be replaced all the same.
  trap '' PIPE
  mkfifo "$folder/pipe"
  hold_lock | move_with_lock
}
say() { echo "==> $*" || :; }

# --- one at a time

# The rest of an update that was killed may still move them. So the kernel's lock is held in the edge, as long as anything here
# has the pipe open: also a "docker stop" that goes on after its script was killed. It tells what is remembered, and whether the last
# move came to its end; what comes by the pipe between "begin" and "end", it remembers.
hold_lock() {
  docker exec -i "$(of_role edge | head -n 1)" sh -c "$HOLD_LOCK" sh "$SERVICE" <"$folder/pipe"
}
# The edge may be of an older version: nothing of it is used but the place of the service.
# shellcheck disable=SC2016 # expanded in the edge
HOLD_LOCK='cd "/bluegreen/state/services/$1" && exec 9>>workers.lock || exit 1
flock -n 9 || { echo waits && flock 9; }
cat workers 2>/dev/null
[ ! -e workers.moving ] || echo interrupted
echo locked
while read -r line; do
  case $line in
    begin) : >workers.moving && : >workers.new && echo begun ;;
    end) mv -f workers.new workers && rm -f workers.moving ;;
    *) echo "$line" >>workers.new ;;
  esac
done'

move_with_lock() {
  exec 3>"$folder/pipe"
  passed='' interrupted=''
  while IFS= read -r line; do
    case $line in
      waits) say 'workers: the rest of an interrupted update still moves them: waiting for it' ;;
      interrupted) interrupted=yes ;;
      locked) look_at_workers && echo begin >&3 ;;
      begun)
        move_all
        return
        ;;
      *) passed="$passed$line
" ;;
    esac
  done
  nothing_was_moved 'the edge, which holds the lock for it, does not answer' "'pulumi up --refresh'"
}

# --- all of them

move_all() {
  moving=''
  while read -r name container how seconds; do
    [ -n "$name" ] || continue
    move "$name" "$container" "$how" "$seconds" </dev/null &
    moving="$moving$! $name $container
"
  done <<END
$WORKERS
END
  # What only the other color has, or had.
  for container in $(running_others); do
    stop_worker "$container" </dev/null &
    moving="$moving$! - $container
"
  done
  await_all
}
# A line "CONTAINER NAME STATE" for each container of a worker.
look_at_workers() {
  workers=$(docker ps --all --filter "label=bluegreen.id=$SERVICE_ID" --filter label=bluegreen.role=worker \
    --format '{{.Names}} {{.Label "bluegreen.worker"}} {{.State}}' </dev/null) ||
    nothing_was_moved 'Docker did not answer' "'pulumi up' again"
  # What comes late must not undo what a later one has done.
  { read_served && serves live "$LIVE"; } ||
    nothing_was_moved "nginx does not serve $LIVE: by now, another container is live" "'npx bluegreen heal'"
}
# One that waits for its next start would start.
running_of() { # name
  printf '%s\n' "$workers" | awk -v name="$1" '$2 == name && $3 ~ /^(running|restarting|paused)$/ { print $1 }'
}
running_others() {
  printf '%s\n' "$workers" | awk '{ print $2 }' | sort -u | while read -r name; do
    case "
$WORKERS" in *"
$name "*) ;; *) running_of "$name" ;; esac
  done
}

await_all() {
  failed='' remembered=''
  while read -r pid name container; do
    [ -n "$pid" ] || continue
    if wait "$pid"; then
      remembered="$remembered$name $container
"
    else
      failed=yes
      remembered="$remembered$(printf '%s' "$passed" | sed -n "/^$name /p")
"
      [ ! -e "$folder/$container" ] || cat "$folder/$container" >&2 || :
    fi
  done <<END
$moving
END
  {
    printf '%s' "$remembered" | grep '^[^-]' || :
    echo end
  } >&3
  exec 3>&-
  [ -n "$failed" ] || return 0
  {
    echo "What to do next: mend it, then run 'pulumi up' again; or set back what you have changed, and run it."
    tell_urls
  } >&2
  exit 1
}

# --- one of them

move() { # name container exclusive|beside seconds
  name=$1 container=$2
  running=$(running_of "$name")
  others=$(printf '%s\n' "$running" | grep -vxF -- "$container") || others=''
  former=$(former_of "$name")
  if is_in_place; then
    stop_others 'It runs beside'
    return
  fi
  [ "$3" = beside ] || stop_others 'So this was not started:'
  # It may be just what a killed update has told to end.
  [ "$running" = "$others" ] || stop_worker "$container" || fail_worker "can't be stopped"
  say "$name: starting $container"
  said=$(docker start "$container" 2>&1 >/dev/null) || fail_worker "can't be started. Docker says: $said"
  stays_up "$4" || fail_worker "did not stay up for $4 s" "$(last_exit_code "$container")"
  [ "$3" = exclusive ] || stop_others 'It runs beside'
  say "$name runs in $LIVE_COLOR: $container"
}
# Which one worked before, by what is remembered, or else by what runs. A line at most.
former_of() { # name
  former=$(printf '%s' "$passed" | sed -n "s/^$1 //p")
  [ "$former" != "$container" ] || former=''
  case "
$workers
" in *"
$former $1 "*) printf '%s' "$former" ;; *) printf '%s\n' "$others" | head -n 1 ;; esac
}
# It has stayed up before, it runs, and nobody has told it to end.
is_in_place() {
  [ -z "$interrupted" ] && printf '%s' "$passed" | grep -qxF -- "$name $container" && printf '%s\n' "$workers" | grep -qxF -- "$container $name running"
}
stop_others() { # what is true of the new one, where one can't be stopped
  for other in $others; do
    stop_worker "$other" || {
      echo "error: workers.$name: $other can't be stopped. $1 $container." >"$folder/$container"
      exit 1
    }
  done
}

# With the grace that it was made with. One that is gone runs no more.
stop_worker() { # container
  grace=$(docker inspect --format '{{.Config.StopTimeout}}' "$1" 2>/dev/null) || return 0
  say "stopping $1, within $grace s"
  docker stop "$1" >/dev/null || :
  [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" != true ]
}

# Docker starts it again at once, so it may just run.
stays_up() { # seconds
  left=$1
  while [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
    [ "$(docker inspect --format '{{.State.Status}} {{.RestartCount}}' "$container")" = "running 0" ] || return 1
  done
}

# It is told at the end, since others still move.
fail_worker() { # why [exit-code]
  {
    echo "error: workers.$name: $container $1."
    [ -z "${2:-}" ] || echo "It ended with exit code $2."
    docker inspect --format 'State of it: {{.State.Status}}, restarted {{.RestartCount}} times{{if .State.OOMKilled}}, killed for want of memory{{end}}.' "$container" || :
    echo 'Its last log lines:'
    docker logs --tail 20 "$container" 2>&1 | sed 's/^/  | /'
    go_back
  } >"$folder/$container" 2>&1
  exit 1
}
go_back() {
  if ! stop_worker "$container"; then
    echo "It can't be stopped, so no other $name was started."
  elif [ -z "$former" ]; then
    echo "It was stopped. There was no $name before it, so none runs now."
  elif said=$(docker start "$former" 2>&1 >/dev/null); then
    echo "It was stopped, and $name runs as before: $former."
  else
    echo "It was stopped, and $former, which ran before it, can't be started: no $name runs now. Docker says: $said"
  fi
}

nothing_was_moved() { # why what-to-run
  {
    echo "error: the workers were not moved to $LIVE_COLOR: $1. They are as they were."
    echo "What to do next: run $2."
    tell_urls
  } >&2
  exit 1
}

main
