#!/bin/sh
# What images a Docker engine has, as data: a line each, a word and then JSON. It is asked of the host, and of the machine that
# runs Pulumi, as the input of "sh -s", after the function settings (assignments), and changes nothing. What the answers mean is
# for whoever asked (components/host/imageFacts.ts).
#
# Given: IMAGES (a line "SETTING IMAGE" for each that is wanted)
set -eu

main() {
  eval "$(settings)"
  docker version --format 'platform {"os":{{json .Server.Os}},"architecture":{{json .Server.Arch}}}' </dev/null
  docker info --format 'store {{json .DriverStatus}}' </dev/null
  tell_wanted
  tell_layers
}

tell_wanted() {
  while read -r setting image; do
    docker image inspect --format "wanted {\"setting\":\"$setting\",\"image\":{{json .}}}" "$image" </dev/null 2>/dev/null || :
  done <<END
$IMAGES
END
}

# Of all images. One that is removed meanwhile is an error, of which nobody needs to hear.
tell_layers() {
  # shellcheck disable=SC2046 # ids
  set -- $(docker image ls --all --quiet --no-trunc </dev/null | sort -u)
  [ $# -eq 0 ] || docker image inspect --format 'layers {{json .RootFS.Layers}}' "$@" </dev/null 2>/dev/null || :
}

main
