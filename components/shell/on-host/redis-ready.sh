#!/bin/sh
# After Redis was made: waits until it answers, which takes until its data is loaded. It runs where the Docker engine can be
# reached, as the input of "sh -s", after the function settings (assignments) and ask-redis.sh.
#
# Given: REDIS (its container)
set -eu

ANSWERS_WITHIN_SECONDS=600

main() {
  eval "$(settings)"
  wait_for_redis "$REDIS" "$ANSWERS_WITHIN_SECONDS" "Redis loads its data" || {
    {
      docker inspect --format "error: Redis ($REDIS) does not answer: it is {{.State.Status}}, exit code {{.State.ExitCode}}, restarted {{.RestartCount}} times." "$REDIS"
      last_log_lines "$REDIS"
      echo "The colors go on as far as they can without it."
      echo "What to do next: mend what its log says (memory, disk, redis.image), then run 'pulumi up' again."
    } >&2 </dev/null
    exit 1
  }
}

main
