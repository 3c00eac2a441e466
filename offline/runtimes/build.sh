#!/bin/sh
# Makes stand-ins for the images named in tags.json from Debian packages, for the tests of real services:
#   build.sh CACHE_DIR
# The root file system that they share is kept in the cache.
set -eu

# Of trixie, Java and Python have the tags' versions.
suite=trixie
packages=openjdk-21-jre-headless,python3,python3-pip

here=$(cd "$(dirname "$0")" && pwd)
cache=$1/runtimes

# shellcheck source=../debian.sh
. "$here/../debian.sh"
# shellcheck source=../docker.sh
. "$here/../docker.sh"

base_tarball() {
  if [ -e "$tarball" ]; then
    return
  fi
  make_rootfs "$work" "$suite" "$packages" "$cache/debootstrap.log"
  pack_rootfs "$work" "$tarball"
}

build_images() {
  say "making the images"
  base=bluegreen-offline-runtimes:$key
  docker import "$tarball" "$base" >/dev/null
  mkdir "$work/context"
  cp "$here/Dockerfile" "$work/context/"
  build_targets "$work" "$base" java python
}

main() {
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  key=$suite-$(printf '%s' "$packages" | cksum | cut -d ' ' -f 1)
  tarball=$cache/$key.tar
  base_tarball
  build_images
}

main
