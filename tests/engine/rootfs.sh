#!/bin/sh
# Makes the root file system of an engine, with Debian's packages, and prints where it is:
#   rootfs.sh CACHE_DIR docker|podman|podman4
set -eu

# Without iptables no engine publishes a port, and top of a container needs ps. Podman: names of containers are resolved by
# aardvark-dns, and catatonit is what it takes for --init.
podman=podman,runc,netavark,aardvark-dns,catatonit,ca-certificates,iptables,nftables,procps
case $2 in
  # What comes after Debian 13: it has Docker 28.5 or newer.
  docker) suite=forky packages=docker.io,iptables,procps ;;
  podman) suite=trixie packages=$podman ;;
  podman4) suite=bookworm packages=$podman ;;
esac

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
