#!/bin/sh
# Gets every image onto the host before anything else is done. It runs where the Docker engine can be reached, with the
# function settings (assignments), old-images.sh and volumes.sh before it, as the input of "sh -s".
#
# Given: SERVICE_ID (the label bluegreen.id of all that belongs to the service) IMAGES (a line "SETTING given|host IMAGE" for
# each) LOGINS KEEP_IMAGES SENDS (yes, where the machine that runs Pulumi has sent what it has, or nothing)
set -eu

main() {
  eval "$(settings)"
  all_are_there || get_images
  look_at_volumes
}

get_images() {
  folder=$(umask 077 && mktemp -d) || exit 1
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 143' HUP INT TERM
  docker_answers
  pull_what_is_missing
}

# Each call of the Docker client takes a tenth of a second, and mostly there is nothing to do.
all_are_there() {
  set --
  while read -r _ _ image; do set -- "$@" "$image"; done <<END
$IMAGES
END
  docker image inspect "$@" </dev/null >/dev/null 2>&1
}

docker_answers() {
  said=$(docker version </dev/null 2>&1 >/dev/null) || {
    echo "error: no answer from Docker at ${DOCKER_HOST:-its default address}. Nothing was changed."
    printf '%s\n' "$said" | sed 's/^/  /'
    echo "What to do next: see that it runs and that you may use it ('docker ps' on that machine tells). Then run 'pulumi up' again."
    exit 1
  } >&2
}

pull_what_is_missing() {
  failed=''
  full=''
  made_room=''
  while read -r setting account image; do
    docker image inspect "$image" </dev/null >/dev/null 2>&1 || get || failed="$failed $setting"
  done <<END
$IMAGES
END
  [ -z "$failed" ] || {
    echo "Nothing was changed: what is live keeps serving."
    if [ -n "$full" ]; then advice_for_full_disk; else advice; fi
    exit 1
  } >&2
}
advice() {
  echo "What to do next: see that each of these images is pushed, or built on ${SENDS:+the machine that runs Pulumi or on }the host, and spelt right; a private registry needs its login in 'registries', or 'docker login' on the host. Then run 'pulumi up' again."
}
advice_for_full_disk() {
  echo "What to do next: make room on the Docker host ('docker system df' tells what takes it, 'docker image prune --all' removes each image that no container uses), then run 'pulumi up' again. With keepImages, old images of this service make room by themselves."
}

# A disk that is full may have room for it without the images of old releases.
get() {
  echo "==> pulling $image"
  ! pull || return 0
  if is_full && [ -z "$made_room" ]; then
    made_room=yes
    echo "==> no room for $image: $(disk)"
    make_room
    ! pull || return 0
  fi
  {
    if is_full; then
      full=yes
      echo "error: $setting: there is no room for $image: $(disk):"
    else
      echo "error: $setting: $image is not on the host${SENDS:+, was not sent} and can't be pulled:"
    fi
    printf '%s\n' "$said" | sed 's/^/  /'
  } >&2
  return 1
}
is_full() { case $said in *'o space left on device'* | *'isk quota exceeded'*) ;; *) return 1 ;; esac }

# An account of the settings is for this call alone, and the host's own accounts and credential helpers are for the rest.
pull() {
  set --
  if [ "$account" = given ]; then
    said=$({ printf '%s' "$LOGINS" >"$folder/config.json"; } 2>&1) || return 1
    set -- --config "$folder"
  fi
  { said=$(docker "$@" pull "$image" </dev/null 2>&1 >&3); } 3>&1
}

# After this release, the wanted images are those that the colors have.
make_room() {
  NGINX=$(docker ps --quiet --filter "label=bluegreen.ingress=$INGRESS" --filter label=bluegreen.role=proxy </dev/null | head -n 1)
  [ -n "$NGINX" ] || return 0
  # shellcheck disable=SC2034 # for old-images.sh
  containers=$(printf '%s\n' "$IMAGES" |
    awk '/^(blue|green)\.image / { sub(/\.image/, "", $1); print "wanted", $1, "wanted", $3 }')
  remove_old_images
}

# Which disk, and how full it is where this machine is the host.
disk() {
  root=$(docker info --format '{{.DockerRootDir}}' </dev/null 2>/dev/null) || root=''
  case ${DOCKER_HOST:-} in tcp://*) used='' ;; *) used=$(df -P "$root" 2>/dev/null | awk 'NR == 2 { print ", " $5 " of it used" }') ;; esac
  echo "the disk of the Docker host is full (${root:-where Docker keeps its images}${used})"
}

main
