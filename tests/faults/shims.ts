import assert from "node:assert/strict";
import { printingFunction, shellFile, quote } from "../../components/shell";

/**
 * Stands before every command that a switch calls, and kills the switch where it is about to make the call
 * KILL_AT, which is a number or the call itself. Polls are one call: what is called again after a sleep is not counted again.
 */
const SHIM = `#!/bin/sh
set -f
PATH=\${PATH#*:}
name=\${0##*/}
call=$(printf '%s ' $name $* | sed "s/[.]$SWITCH\\([. ]\\)/.PID\\1/g; s/[0-9a-f]\\{8\\}-[0-9a-f-]\\{27\\}/ID/g")
counted() {
  [ ! -e "$SHIMS/polling" ] || ! grep -qFx -e "$call" "$SHIMS/window" || return 1
  if [ -e "$SHIMS/polling" ]; then rm -f "$SHIMS/polling" "$SHIMS/window"; fi
  printf '%s\\n' "$call" | tee -a "$SHIMS/window" >>"$SHIMS/calls"
}
if [ "$name" = sleep ]; then
  : >"$SHIMS/polling"
else
  # The commands of a pipe are called at once. In a subshell, since the command may be about the caller's descriptor 8.
  (
    flock 8
    counted || exit 0
    case $KILL_AT in "$call" | "$(wc -l <"$SHIMS/calls")") ;; *) exit 0 ;; esac
    printf '%s' "$call" >"$SHIMS/killed"
    kill -9 "$SWITCH"
    exit 1
  ) 8>"$SHIMS/lock" || exit 137
fi
exec "$name" "$@"
`;

export type KillAt = number | string;

/** What of these scripts' words is a program where they run gets a shim, for this one shell and what it calls. */
const arm = (folder: string, scripts: string[], killAt: KillAt) => {
  const words = new Set(
    scripts
      .map(shellFile)
      .join("\n")
      .match(/[a-z][a-z0-9]+/g),
  );
  return `${printingFunction("shim", SHIM)}
export SHIMS=${folder} KILL_AT=${quote(String(killAt))} SWITCH=$$
[ -d "$SHIMS" ] || {
  mkdir "$SHIMS"
  shim >"$SHIMS/shim"
  chmod +x "$SHIMS/shim"
  for word in ${[...words].join(" ")}; do
    case $(command -v "$word") in /*) ln -s shim "$SHIMS/$word" ;; esac
  done
}
rm -f "$SHIMS/calls" "$SHIMS/window" "$SHIMS/polling" "$SHIMS/killed"
: >"$SHIMS/window"
PATH=$SHIMS:$PATH
`;
};

/** Where the shims of the part in the container are. */
export const SHIMS = "/tmp/bluegreen-shims";

const IN_CONTAINER = [
  "in-both/replicas.sh",
  ...[
    "common.sh",
    "probe.sh",
    "reason.sh",
    "gate.sh",
    "drain.sh",
    "steps.sh",
    "switch.sh",
    "takeover.sh",
  ].map((file) => `in-nginx/piped/${file}`),
  ...["nginx.sh", "journal.sh", "settle.sh"].map((file) => `in-nginx/uploaded/${file}`),
];
/** The input of a switch or a take-over with a part in the container that is killed at this call. */
export const killedInContainer = (killAt: KillAt) => (input: string) => {
  const start = shellFile("in-nginx/piped/common.sh");
  assert.ok(input.includes(start));
  return input.replace(start, () => arm(SHIMS, IN_CONTAINER, killAt) + start);
};

/** The same with a part on the host that is killed. */
export const killedOnHost = (killAt: KillAt, folder: string) => (input: string) =>
  arm(
    folder,
    ["in-both/replicas.sh", "on-host/containers.sh", "on-host/conclude.sh", "on-host/switch.sh"],
    killAt,
  ) + input;
