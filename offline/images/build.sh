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

say() {
  printf '==> %s\n' "$*"
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

tag_of() {
  sed -n "s/.*\"$1\": \"\(.*\)\".*/\1/p" "$here/tags.json"
}

# Debian's packages come from where apt itself gets them (a company's mirror, its proxy), else from debootstrap's default.
debian_mirror() {
  # shellcheck disable=SC2016 # $(REPO_URI) is apt's own placeholder
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null | head -n 1
}

use_apt_proxy() {
  eval "$(apt-config shell apt_proxy Acquire::http::Proxy)"
  if [ -n "${apt_proxy:-}" ]; then
    export http_proxy="$apt_proxy"
  fi
}

# debootstrap knows a suite by a script of that name; a copy of its folder gets one for suites newer than itself.
debootstrap_scripts() {
  cp -r /usr/share/debootstrap "$work/debootstrap"
  [ -e "$work/debootstrap/scripts/$suite" ] || ln -s sid "$work/debootstrap/scripts/$suite"
}

make_rootfs() {
  [ "$(id -u)" = 0 ] || fail "Making images from Debian packages needs root (debootstrap). Nothing was changed."
  say "downloading and unpacking Debian $suite with $packages"
  debootstrap_scripts
  use_apt_proxy
  mirror=$(debian_mirror)
  DEBOOTSTRAP_DIR="$work/debootstrap" debootstrap --variant=minbase --include="$packages" \
    "$suite" "$work/rootfs" ${mirror:+"$mirror"} >"$cache/images/debootstrap.log" 2>&1 ||
    fail "debootstrap failed; its log is $cache/images/debootstrap.log:
$(tail -n 5 "$cache/images/debootstrap.log")"
}

# The users are made again in the Dockerfile, with the numbers they have in the official images.
strip_rootfs() {
  chroot "$work/rootfs" userdel redis
  chroot "$work/rootfs" apt-get clean
  rm -rf "$work/rootfs/var/lib/apt/lists/"* "$work/rootfs/var/cache/debconf/"*-old "$work/rootfs/var/log/"*.log \
    "$work/rootfs/usr/share/doc/"* "$work/rootfs/usr/share/man/"* "$work/rootfs/usr/share/info/"* \
    "$work/rootfs/usr/share/locale/"* "$work/rootfs/dev/"*
}

base_tarball() {
  if [ -e "$tarball" ]; then
    return
  fi
  make_rootfs
  strip_rootfs
  tar -C "$work/rootfs" --numeric-owner -cf "$work/base.tar" .
  mv "$work/base.tar" "$tarball"
}

# buildx may be missing (Debian's docker.io has none); the classic builder is in every engine.
docker_build() {
  if docker buildx version >/dev/null 2>&1; then
    docker build --quiet "$@"
  else
    DOCKER_BUILDKIT=0 docker build --quiet "$@"
  fi
}

build_images() {
  say "making the images"
  base=bluegreen-offline-base:$key
  docker import "$tarball" "$base" >/dev/null
  mkdir "$work/context"
  cp "$here/Dockerfile" "$here/redis-entrypoint.sh" "$work/context/"
  cp "$node_binary" "$work/context/node"
  for name in nginx redis node; do
    docker_build --build-arg "BASE=$base" --target "$name" --tag "$(tag_of "$name")" "$work/context" >"$work/build.log" 2>&1 ||
      fail "docker build of $(tag_of "$name") failed:
$(cat "$work/build.log")"
  done
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
