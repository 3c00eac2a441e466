#!/bin/sh
# Makes the root file system of a Docker engine of today, with Debian's packages, and prints where it is:
#   rootfs.sh CACHE_DIR
set -eu

# forky is what comes after Debian 13: it has Docker 28.5 or newer. Without iptables it does not start, and docker top needs ps.
suite=forky
packages=docker.io,iptables,procps

here=$(cd "$(dirname "$0")" && pwd)
cache=$1/engine

# shellcheck source=../../offline/debian.sh
. "$here/../../offline/debian.sh"

main() {
  mkdir -p "$cache"
  root=$cache/$suite-$(printf '%s' "$packages" | cksum | cut -d ' ' -f 1)
  [ -e "$root" ] || make
  printf '%s\n' "$root"
}

make() {
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  make_rootfs "$work" "$suite" "$packages" "$cache/debootstrap.log"
  strip_rootfs "$work/rootfs"
  # Whoever made it first meanwhile has made the same.
  mv -T "$work/rootfs" "$root" || [ -e "$root" ]
}

main "$@"
