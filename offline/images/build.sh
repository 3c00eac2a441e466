#!/bin/sh
# Makes stand-ins for the images named in tags.json from Debian packages:
#   build.sh CACHE_DIR                makes the root file system that they share, kept in the cache (debootstrap)
#   build.sh CACHE_DIR NODE_BINARY    and then the images, each a thin layer on it (Dockerfile)
set -eu

# forky, because an older Debian's nginx lacks what the proxy needs (`resolve` in upstreams came with nginx 1.27.4).
suite=forky
packages=nginx-light,redis-server,curl,openssl
oldest_nginx=1.27.4

here=$(cd "$(dirname "$0")" && pwd)
cache=$1
node_binary=${2:-}

# shellcheck source=../debian.sh
. "$here/../debian.sh"
# shellcheck source=../docker.sh
. "$here/../docker.sh"

base_tarball() {
  if [ -e "$tarball" ]; then
    return
  fi
  make_rootfs "$work" "$suite" "$packages" "$cache/images/debootstrap.log"
  # The users are made again in the Dockerfile, with the numbers they have in the official images.
  chroot "$work/rootfs" userdel redis
  pack_rootfs "$work" "$tarball"
}

build_images() {
  say "making the images"
  base=bluegreen-offline-base:$key
  docker import "$tarball" "$base" >/dev/null
  mkdir "$work/context"
  cp "$here/Dockerfile" "$here/redis-entrypoint.sh" "$work/context/"
  cp "$node_binary" "$work/context/node"
  build_targets "$work" "$base" nginx redis node
}

version_in() {
  case $1 in
    nginx) docker run --rm "$2" nginx -v 2>&1 | sed 's/.*nginx.//' ;;
    redis) docker run --rm "$2" redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/' ;;
    node) docker run --rm "$2" node --version | tr -d v ;;
  esac
}

# Debian moves on, the tags stay: what is inside is said, and what is too old is refused.
check_versions() {
  for name in nginx redis node; do
    tag=$(tag_of "$name")
    version=$(version_in "$name" "$tag")
    case $tag in
      "$name:$version" | "$name:$version-"*) say "$tag" ;;
      *) say "$tag holds $name $version, the version Debian $suite has today" ;;
    esac
    if [ "$name" = nginx ] && [ "$(printf '%s\n' "$oldest_nginx" "$version" | sort -V | head -n 1)" != "$oldest_nginx" ]; then
      fail "nginx $version is too old: the proxy needs $oldest_nginx or newer."
    fi
  done
}

main() {
  mkdir -p "$cache/images"
  work=$(mktemp -d "$cache/images/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  key=$suite-$(printf '%s' "$packages" | cksum | cut -d ' ' -f 1)
  tarball=$cache/images/$key.tar
  base_tarball
  if [ -n "$node_binary" ]; then
    build_images
    check_versions
  fi
}

main "$@"
