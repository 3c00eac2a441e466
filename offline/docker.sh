# shellcheck shell=sh disable=SC2154 # $here
# Images of a folder that has tags.json and a Dockerfile, for the scripts that source this. $here is that folder.

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
