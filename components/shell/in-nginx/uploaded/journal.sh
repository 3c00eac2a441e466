# shellcheck shell=sh
# What a switch of a service leaves behind, for people and for whoever comes after it; sourced after nginx.sh.
#
#   $INTENT    one JSON object: a switch is under way, or was killed
#   $JOURNAL   one JSON object a line for each switch that has ended, the newest last
JOURNAL_ENTRIES=50

utc_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
json_pair() { # name text
  case $2 in
    *[!A-Za-z0-9\ ._:/@+-]*)
      set -- "$1" "$(printf '%s' "$2" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
      ;;
  esac
  printf '"%s":"%s"' "$1" "$2"
}
json_object() { # name text ...
  separator='{'
  while [ $# -gt 0 ]; do
    printf '%s' "$separator"
    json_pair "$1" "$2"
    separator=','
    shift 2
  done
  printf '}'
}
# The value of a name in the one line on standard input, for names and values that need no escapes.
json_value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# end_intent OUTCOME [SECONDS]: the intent becomes the newest entry of the journal.
end_intent() {
  entry=$(cat "$INTENT" 2>/dev/null) || return 0
  entry="${entry%\}}${2:+,\"seconds\":$2},$(json_pair outcome "$1")}"
  add_entry "$JOURNAL" "$entry"
  rm -f "$INTENT"
}

# A disk that is full costs an entry, never the switch.
add_entry() { # journal entry
  if newest_entries "$@" >"$1.new"; then mv -f "$1.new" "$1"; else warn "can't write the journal"; fi
}
newest_entries() { # journal entry
  tail -n "$((JOURNAL_ENTRIES - 1))" "$1" 2>/dev/null || :
  printf '%s\n' "$2"
}
