# shellcheck shell=sh
# For the take-over, in the nginx that serves: a line "SERVICE STATUS" for the live color of every service. That nginx may be of
# an earlier version of the package, so this uses nothing of it but what all have.
set -u

# shellcheck source=../uploaded/nginx.sh
. /bluegreen/nginx.sh

listens || exit 1
for warm in "$RUN"/warm-*.sock; do
  [ -S "$warm" ] || continue
  name=${warm##*/warm-}
  code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 --unix-socket "$warm" http://localhost/ </dev/null)
  printf '%s %s\n' "${name%.sock}" "$code"
done
