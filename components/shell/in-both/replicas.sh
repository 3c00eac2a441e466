# shellcheck shell=sh
# A color may have several containers, which are peers. It goes by the name of the first one, of which those of the others are made: as
# namesOf in settings/color.ts does it. On the host and in nginx's container.

names_of() { # first [count]: a line each
  [ -n "$1" ] || return 0
  printf '%s\n' "$1"
  number=2
  while [ "$number" -le "${2:-1}" ]; do
    printf '%s\n' "$1-$number"
    number=$((number + 1))
  done
}

# Of names, a line each, those that are among others, and those that are not.
among() { sieve "$1" "$2" 1; }   # names others
without() { sieve "$1" "$2" 0; } # names others
# Not every grep takes an empty pattern for an empty line alone.
sieve() {
  printf '%s\n' "$1" | OTHERS=$2 WANTED=$3 awk '
    BEGIN { n = split(ENVIRON["OTHERS"], all, "\n"); for (i = 1; i <= n; i++) others[all[i]] }
    NF && ($0 in others) == ENVIRON["WANTED"]'
}
