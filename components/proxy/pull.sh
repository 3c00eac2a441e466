#!/bin/sh
# Gets every image onto the host before anything else is done. It runs where the Docker engine can be reached, with the
# function settings (assignments) and volumes.sh before it, as the input of "sh -s".
set -eu

main() {
  eval "$(settings)"
  all_are_there || get_images
  look_at_volumes
}

get_images() {
  folder=$(umask 077 && mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 143' HUP INT TERM
  docker_answers
  printf '%s' "$LOGINS" >"$folder/config.json"
  pull_what_is_missing
}

# Each call of the Docker client takes a tenth of a second, and mostly there is nothing to do.
all_are_there() {
  set --
  while read -r _ _ image; do set -- "$@" "$image"; done <<END
$IMAGES
END
  docker image inspect "$@" </dev/null >/dev/null 2>&1
}

docker_answers() {
  docker version </dev/null >/dev/null 2>"$folder/error" || {
    echo "error: no answer from Docker at ${DOCKER_HOST:-its default address}. Nothing was changed." >&2
    sed 's/^/  /' "$folder/error" >&2
    echo "What to do next: see that it runs and that you may use it ('docker ps' on that machine tells). Then run 'pulumi up' again." >&2
    exit 1
  }
}

pull_what_is_missing() {
  failed=''
  while read -r setting account image; do
    docker image inspect "$image" </dev/null >/dev/null 2>&1 || pull || failed="$failed $setting"
  done <<END
$IMAGES
END
  [ -z "$failed" ] || {
    echo "Nothing was changed: what is live keeps serving." >&2
    echo "What to do next: see that each of these images is pushed, or built on the host, and spelt right; a private registry needs its login in 'registries', or 'docker login' on the host. Then run 'pulumi up' again." >&2
    exit 1
  }
}

# An account of the settings is for this call alone, and the host's own accounts and credential helpers are for the rest.
pull() {
  echo "==> pulling $image"
  if [ "$account" = given ]; then set -- --config "$folder"; else set --; fi
  docker "$@" pull "$image" </dev/null 2>"$folder/error" || {
    echo "error: $setting: $image is not on the host and can't be pulled:" >&2
    sed 's/^/  /' "$folder/error" >&2
    return 1
  }
}

main
