#!/bin/sh
# The host's part of the switch: what needs the Docker client. It runs where the Docker engine can be reached, with the
# functions settings (assignments, the same for both parts) and in_container_script before it, as the input of "sh -s".
set -eu

main() {
  eval "$(settings)"
  docker_answers
  start_what_is_needed
  if switch_in_proxy; then
    stop_idle
    remove_old_images
  else
    report_failure "$?"
  fi
}

# Each call of the Docker client takes a tenth of a second, so one answer has to tell all.
docker_answers() {
  running=$(docker ps --format '{{.Names}}' </dev/null) || {
    echo "error: no answer from Docker at ${DOCKER_HOST:-its default address}. Nothing was changed." >&2
    exit 1
  }
}

container_of() { case $1 in blue) printf '%s' "$BLUE" ;; green) printf '%s' "$GREEN" ;; esac }
other() { case $1 in blue) echo green ;; green) echo blue ;; esac }
runs() { printf '%s\n' "$running" | grep -qxF -- "$1"; }

# A stopped color is the idle one of "idle: stopped", or a candidate that failed its gate before.
start_what_is_needed() {
  idle_container=$(container_of "$(other "$LIVE_COLOR")")
  start "$PROXY"
  start "$(container_of "$LIVE_COLOR")"
  if [ "$IDLE" = running ] || ! is_served "$idle_container"; then start "$idle_container"; fi
}
start() {
  runs "$1" || {
    echo "==> starting $1"
    docker start "$1" >/dev/null </dev/null
    running="$running
$1"
  }
}
is_served() { docker exec "$PROXY" grep -q "^# [a-z]*: [a-z]* $1\$" /bluegreen/state/site.conf </dev/null; }

switch_in_proxy() {
  { printf "WHO='%s'\n" "$(who)" && settings && in_container_script; } | docker exec -i "$PROXY" sh -s
}

# Whom the journal names: the user and the machine that run this, and for SSH where they came from.
who() {
  printf '%s@%s%s' "$(id -un)" "$(uname -n)" "${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}" | tr -d "'"
}

# Docker's own restart policy would start it again after a reboot, was it not stopped by hand.
stop_idle() {
  [ "$IDLE" = stopped ] && runs "$idle_container" || return 0
  echo "==> stopping the idle color: $idle_container"
  docker stop -t "$STOP_GRACE_SECONDS" "$idle_container" >/dev/null </dev/null
}

# By the journal. What only this host has can't be pulled again, and Docker itself keeps what a container uses.
remove_old_images() {
  [ -n "$KEEP_IMAGES" ] || return 0
  # One call for all: the journal names many that are long gone.
  pulled=$(docker image ls --digests --format '{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}' </dev/null |
    sed '/@<none>$/d' | tr ' ' '\n')
  old_images | while read -r image; do
    was_pulled "$image" || continue
    ! docker image rm "$image" >/dev/null 2>&1 </dev/null || echo "==> removed an old image: $image"
  done
}
# Docker has a digest for its repository. A name with a digest is in its list without the tag.
was_pulled() { # image
  name=${1#docker.io/}
  case $name in *@*)
    repository=${name%@*}
    case ${repository##*/} in *:*) repository=${repository%:*} ;; esac
    name=$repository@${name#*@}
    ;;
  esac
  printf '%s\n' "$pulled" | grep -qxF -- "$name"
}
old_images() {
  docker exec "$PROXY" cat /bluegreen/state/journal </dev/null |
    awk -F '"' -v keep="$KEEP_IMAGES" -v blue="$BLUE_IMAGE" -v green="$GREEN_IMAGE" '
      BEGIN { now["blue"] = blue; now["green"] = green; kept[blue]; kept[green] }
      { for (i = 1; i < NF; i++) if ($i in now && $(i + 1) == ":") { color[++n] = $i; image[n] = $(i + 2) } }
      END {
        for (newest = n; newest > 0; newest--) {
          if (image[newest] == now[color[newest]] || seen[color[newest], image[newest]]++) continue
          if (count[color[newest]]++ < keep) kept[image[newest]]
        }
        for (; n > 0; n--) if (!(image[n] in kept)) { kept[image[n]]; print image[n] }
      }'
}

report_failure() { # exit status of the switch
  case $1 in
    10 | 12) failed=blue ;;
    11 | 13) failed=green ;;
    *)
      [ "$1" -lt 128 ] || echo "error: the switch was killed (exit status $1); what it had begun is undone." >&2
      echo "What to do next: see the reason above, then run 'pulumi up' again." >&2
      exit 1
      ;;
  esac
  container=$(container_of "$failed")
  {
    docker inspect -f "State of $container: {{.State.Status}}, exit code {{.State.ExitCode}}, {{if .State.OOMKilled}}killed for want of memory, {{end}}restarted {{.RestartCount}} times." "$container"
    echo "Its last log lines:"
    docker logs --tail 30 "$container" 2>&1 | sed 's/^/  | /'
  } >&2 </dev/null
  case $1 in 10 | 11)
    echo "==> stopping the failed candidate" >&2
    docker stop -t "$STOP_GRACE_SECONDS" "$container" >/dev/null </dev/null
    ;;
  esac
  echo "What to do next: mend the $failed image or its settings and run 'pulumi up' again, or set them back and run it." >&2
  exit 1
}

main
