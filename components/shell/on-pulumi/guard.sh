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
      echo "error: this change needs downtime: the ports and the network can't be taken over by a second container."
      changes
      echo "Nothing was changed: what is live keeps serving."
      echo "What to do next: set it back, or set allowDowntime to true and run 'pulumi up' again; expect a few seconds offline."
    } >&2
    exit 1
  fi
  printf '%s' "$WANTED"
}

changes() {
  printf '%s\n' "$WANTED" | while read -r setting value; do
    before=$(printf '%s\n' "$former" | sed -n "s/^$setting //p")
    [ "$before" = "$value" ] || echo "  $setting: $before -> $value"
  done
}

main
