#!/bin/sh
# Before Redis is replaced: the new one loads a copy of the data and answers. Redis itself is only read. It runs where the Docker
# engine can be reached, as the input of "sh -s", after the function settings (assignments) and ask-redis.sh.
#
# Given: SERVICE_ID (the label bluegreen.id) VOLUME (with the data) IMAGE and CONFIG (the new image and configuration)
set -eu

LOADS_WITHIN_SECONDS=600

main() {
  eval "$(settings)"
  redis=$(docker ps --all --quiet --filter "label=bluegreen.id=$SERVICE_ID" --filter label=bluegreen.role=redis </dev/null)
  copy=$VOLUME-check
  folder=$(umask 077 && mktemp -d)
  trap clean_up EXIT
  trap 'exit 143' HUP INT TERM
  copy_data
  [ -n "$there" ] || return 0
  echo "==> $IMAGE loads a copy of the data of Redis"
  start_copy
  wait_for_redis "$copy" "$LOADS_WITHIN_SECONDS" "$IMAGE loads the copy" || refuse "does not start with a copy of them"
  compare
}

clean_up() {
  docker rm --force "$copy"
  docker volume rm --force "$copy"
  rm -rf "$folder"
} >/dev/null 2>&1 </dev/null

# The files are only ever appended to, or replaced by others. So a copy is whole if they are the same ones before and after
# it; what was appended meanwhile may be cut off at its end, which Redis takes for the end.
copy_data() {
  clean_up
  mkdir -p "$folder"
  labels="--label bluegreen.id=$SERVICE_ID --label bluegreen.role=redis-check"
  # shellcheck disable=SC2086 # options
  docker volume create $labels "$copy" >/dev/null </dev/null
  said=$(copying | docker run --rm -i --name "$copy" --network none --user 0 --entrypoint sh \
    --volume "$VOLUME:/from:ro" --volume "$copy:/to" "$IMAGE" -s 2>&1) || cannot_copy
  case $said in
    nothing) there='' ;;
    snapshot) only_a_snapshot ;;
    *) there=yes ;;
  esac
}
copying() {
  cat <<'END'
set -u
files() { ls -iR /from | grep -v temp-; }
[ -n "$(ls -A /from)" ] || { echo nothing; exit 0; }
[ ! -e /from/dump.rdb ] || ls /from | grep -q '^appendonly' || { echo snapshot; exit 0; }
for try in 1 2 3 4 5; do
  before=$(files)
  rm -rf /to/..?* /to/.[!.]* /to/*
  cp -a /from/. /to/ && [ "$(files)" = "$before" ] && exit 0
  sleep 2
done
exit 1
END
}
# A Redis with an append-only file does not look at a snapshot: it would begin empty, without a word.
only_a_snapshot() {
  {
    echo "error: the volume $VOLUME has a snapshot of Redis (dump.rdb) and no append-only file: the Redis of this service would not look at it, and begin empty."
    echo "Redis was not touched."
    echo "What to do next: have it write one, and then run 'pulumi up' again:"
    echo "  docker run --detach --name to-append-only --volume $VOLUME:/data $IMAGE redis-server --dir /data"
    echo "  docker exec to-append-only redis-cli CONFIG SET appendonly yes"
    echo "  docker exec to-append-only redis-cli INFO persistence # until aof_rewrite_in_progress:0 and aof_rewrite_scheduled:0"
    echo "  docker rm --force to-append-only"
  } >&2
  exit 1
}
cannot_copy() {
  {
    echo "error: the data of Redis could not be copied, to see whether $IMAGE can read them:"
    printf '%s\n' "$said" | sed 's/^/  /'
    echo "Redis was not touched."
    echo "What to do next: see that the Docker host has room for a second copy of the volume $VOLUME ('docker system df -v'), then run 'pulumi up' again."
  } >&2
  exit 1
}

start_copy() {
  printf '%s' "$CONFIG" >"$folder/redis.conf"
  # Redis reads it as a user of its own. Nobody else gets into the folder.
  chmod 644 "$folder/redis.conf"
  # shellcheck disable=SC2086 # options
  docker create $labels --name "$copy" --network none --volume "$copy:/data" \
    "$IMAGE" redis-server /etc/bluegreen-redis.conf >/dev/null </dev/null
  docker cp "$folder/redis.conf" "$copy:/etc/bluegreen-redis.conf" >/dev/null </dev/null
  said=$(docker start "$copy" 2>&1 </dev/null) || refuse "can't be started: $said"
}

# An old Redis does not even look for the files of a newer one, and starts empty.
compare() {
  [ -n "$redis" ] && had=$(keys_of "$redis") && has=$(keys_of "$copy") || return 0
  if [ "$had" -gt 0 ] && [ "$has" = 0 ]; then
    refuse "starts without them: of $had keys it finds none"
  fi
  echo "==> $IMAGE has read $has keys"
}
keys_of() { # container
  ask "$1" INFO keyspace 2>/dev/null | tr -d '\r' | awk -F '[=,]' '/^# Keyspace/ { answered = 1 } /^db/ { n += $2 } END { print n + 0; exit !answered }'
}

refuse() { # why
  {
    echo "error: redis.image: $IMAGE can't take over the data of Redis: it $1."
    last_log_lines "$copy"
    echo "Redis was not touched: it goes on with its data as before."
    echo "What to do next: set redis.image (or what else was changed of Redis) back, and run 'pulumi up' again. What a newer Redis has written, an older one can't read."
  } >&2
  exit 1
}

main
