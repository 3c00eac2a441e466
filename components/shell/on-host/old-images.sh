# Which images of former releases may go, and their removal: after a release, and before a pull for which there is no room.
#
# Given: SERVICE KEEP_IMAGES NGINX, and in $containers a line "NAME ROLE STATE IMAGE" for the images that a color has now
# shellcheck shell=sh disable=SC2154

# By the journal. What only this host has can't be pulled again, and Docker itself keeps what a container uses.
remove_old_images() {
  [ -n "$KEEP_IMAGES" ] || return 0
  every_digest_is_a_registrys || {
    echo "==> old images stay: in containerd's image store, and with Podman, nobody can tell which of them a registry has"
    return 0
  }
  # One call for all: the journal names many that are long gone.
  pulled=$(docker image ls --digests --format '{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}' </dev/null |
    sed '/@<none>$/d' | tr ' ' '\n')
  old_images | while read -r image; do
    was_pulled "$image" || continue
    ! docker image rm "$image" >/dev/null 2>&1 </dev/null || echo "==> removed an old image: $image"
  done
}
# With containerd's image store (the default of new installations from Docker 29 on) and with Podman, what was built here has one, too.
every_digest_is_a_registrys() {
  ! docker info --format '{{.DriverStatus}}' </dev/null | grep -qF io.containerd.snapshotter &&
    ! docker version --format '{{.Server.Components}}' </dev/null | grep -qF 'Podman Engine'
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
# An entry of the journal names the image that a color got then. What its newest container has is not a former one; one that was
# replaced is there until the end of the update. Docker lists the newest first.
old_images() {
  docker exec "$NGINX" cat "/bluegreen/state/services/$SERVICE/journal" </dev/null |
    CONTAINERS=$containers awk -F '"' -v keep="$KEEP_IMAGES" '
      BEGIN {
        lines = split(ENVIRON["CONTAINERS"], all, "\n")
        for (i = 1; i <= lines; i++) {
          split(all[i], part, " ")
          kept[part[4]]
          if (!newest_of[part[2]]++) now[part[2], part[4]]
        }
      }
      { for (i = 1; i < NF; i++) if (($i == "blue" || $i == "green") && $(i + 1) == ":") { color[++n] = $i; image[n] = $(i + 2) } }
      END {
        for (newest = n; newest > 0; newest--) {
          if ((color[newest], image[newest]) in now || seen[color[newest], image[newest]]++) continue
          if (count[color[newest]]++ < keep) kept[image[newest]]
        }
        for (; n > 0; n--) if (!(image[n] in kept)) { kept[image[n]]; print image[n] }
      }'
}
