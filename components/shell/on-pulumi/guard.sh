#!/bin/sh
# Refuses what would take the service offline unless it is permitted.
#
# Given: WANTED (what the edge is to be made with, a line "SETTING VALUE" each) PERMITTED (yes or no)
#        PULUMI_COMMAND_STDOUT (the former output of this command: what the edge was made with)
set -eu

main() {
  former=${PULUMI_COMMAND_STDOUT:-$WANTED}
  if [ "$former" != "$WANTED" ] && [ "$PERMITTED" != yes ]; then
    {
      echo "error: this change needs downtime: these can't be changed while requests are served."
      changes
      echo "Nothing was changed: what is live keeps serving."
      echo "What to do next: set it back, or set allowDowntime to true and run 'pulumi up' again; expect a few seconds offline."
    } >&2
    exit 1
  fi
  printf '%s' "$WANTED"
}

changes() {
  printf '%s\n' "$former" "$WANTED" | cut -d ' ' -f 1 | awk '!known[$0]++' | while read -r setting; do
    before=$(value_of "$setting" "$former") value=$(value_of "$setting" "$WANTED")
    [ "$before" = "$value" ] || echo "  $setting: ${before:-none} -> ${value:-none}"
  done
}
# A former version did not have all of them.
value_of() { printf '%s\n' "$2" | sed -n "s/^$1 //p"; }

main
