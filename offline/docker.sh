# shellcheck shell=sh disable=SC2154 # $here
# Images of a folder that has tags.json and a Dockerfile, for the scripts that source this, after debian.sh where they build_targets.
# $here is that folder.

# What the image is called that tags.json has under this name.
tag_of() {
  sed -n "s/.*\"$1\": \"\(.*\)\".*/\1/p" "$here/tags.json"
}

# buildx may be missing (Debian's docker.io has none); the classic builder is in every engine.
docker_build() {
  if docker buildx version >/dev/null 2>&1; then
    docker build --quiet "$@"
  else
    DOCKER_BUILDKIT=0 docker build --quiet "$@"
  fi
}

# build_targets WORK BASE NAME...: an image of each target of the Dockerfile in WORK/context, on the image BASE.
build_targets() {
  build_work=$1 build_base=$2
  shift 2
  for name; do
    docker_build --build-arg "BASE=$build_base" --target "$name" --tag "$(tag_of "$name")" "$build_work/context" >"$build_work/build.log" 2>&1 ||
      fail "docker build of $(tag_of "$name") failed:
$(cat "$build_work/build.log")"
  done
}
