#!/bin/sh
# Makes stand-ins for the images named in tags.json, with which the tests of ACME run, from Go modules:
#   build.sh CACHE_DIR BASE_IMAGE
# The binaries are kept in the cache. BASE_IMAGE is what lego gets a shell from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$1/acme-$(cksum <"$here/go.sum" | cut -d ' ' -f 1)
base=$2

# No C compiler is needed, and nothing of the user's own settings changes what is built.
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off

# shellcheck source=../docker.sh
. "$here/../docker.sh"

say() {
  printf '==> %s\n' "$*"
}

build_pebble() {
  say "compiling pebble"
  (cd "$here" && go build -trimpath -o "$work/pebble" github.com/letsencrypt/pebble/v2/cmd/pebble)
  mv "$work/pebble" "$cache/pebble"
}

# Nearly all of lego is clients of DNS services. They are in one list, which a copy of the sources gets another one for.
build_lego() {
  say "compiling lego"
  sources=$(cd "$here" && go mod download github.com/go-acme/lego/v4 && go list -m -f '{{.Dir}}' github.com/go-acme/lego/v4)
  cp -r "$sources" "$work/sources"
  chmod -R u+w "$work/sources"
  cp "$here/providers.go.txt" "$work/sources/providers/dns/zz_gen_dns_providers.go"
  (cd "$work/sources" && go build -trimpath -o "$work/lego" ./cmd/lego)
  mv "$work/lego" "$cache/lego"
}

build_images() {
  say "making the images"
  mkdir "$work/context"
  cp "$here/Dockerfile" "$cache/lego" "$cache/pebble" "$work/context/"
  docker_build --build-arg "BASE=$base" --target lego --tag "$(tag_of lego)" "$work/context"
  docker_build --build-arg "BASE=$base" --target pebble --tag "$(tag_of pebble)" "$work/context"
}

main() {
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  [ -x "$cache/pebble" ] || build_pebble
  [ -x "$cache/lego" ] || build_lego
  build_images
}

main
