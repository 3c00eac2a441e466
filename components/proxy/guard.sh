#!/bin/sh
# Refuses what would take the service offline unless it is permitted. WANTED and PERMITTED come before it; the former output
# of this command says what the edge was made with.
set -eu

main() {
  former=${PULUMI_COMMAND_STDOUT:-$WANTED}
  if [ "$former" != "$WANTED" ] && [ "$PERMITTED" != yes ]; then
    {
      echo "error: this change needs downtime: the ports and the network can't be taken over by a second container."
      echo "  now:    $former"
      echo "  wanted: $WANTED"
      echo "Nothing was changed: what is live keeps serving."
      echo "What to do next: set it back, or set allowDowntime to true and run 'pulumi up' again; expect a few seconds offline."
    } >&2
    exit 1
  fi
  printf '%s' "$WANTED"
}

main
