# shellcheck shell=sh
# What an ingress serves, inside the container of one of its nginx: a line each, for whoever asked (cli/host.ts). It changes nothing.
set -u

# shellcheck source=../uploaded/nginx.sh
. /bluegreen/nginx.sh

main() {
  listens && echo listens
  for_each_service tell
}
# A line "service NAME", and then lines about it: its id and path, its site's facts, whether a switch is running.
tell() {
  printf 'service %s\n' "$SERVICE"
  sed -n '2s/^/path /p' "$PLACE/id" 2>/dev/null
  sed -n 's/^# \(live\|idle\|replicas\|claim\|tls\): /\1 /p' "$SITE" 2>/dev/null
  flock -s -n "$LOCK" true || echo switching
}

main
