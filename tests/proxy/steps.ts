/** The lines of the switch's `main`, by the names of its steps: tests put something before or after one of them. */
export const STEPS = {
  take_lock: "take_lock",
  note_intent: 'note_intent "${served_live%% *}" "$LIVE_COLOR" "$(kind)" "$LIVE_COLOR" "$IMAGE"',
  stage: 'stage "$LIVE_COLOR" "$LIVE" "$LIVE_PORT" "$replicas"',
  gate: "gate_all",
  commit: "commit",
  watch: "watch",
  drain: "drain",
};
/** The same of the take-over. */
export const TAKE_OVER_STEPS = {
  wait_for_switches: "wait_for_switches",
  gate: "gate_of_nginx",
  open: "open_listeners || fail 1 'the new nginx could not open its ports.'",
  owner: 'write_file "$OWNER" "$(own_id)" || cannot_write',
  be_alone: "be_alone",
  drain: "wait_until_none_is_left others_at_work 'old nginx with open connections'",
};

/** The input of the shell with something before or after one of its lines. */
export function withLine(line: string, before: string, after = "") {
  return (input: string): string => {
    const edited = input.replace(`\n  ${line}\n`, () => `\n${before}  ${line}\n${after}`);
    if (edited === input) throw new Error(`no line is ${line}`);
    return edited;
  };
}

/** In nginx's container: the shell that reads the switch from its standard input, and its subshells. */
export const KILL_SWITCH = `
for process in /proc/[0-9]*; do
  [ "$(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null)" != "sh -s " ] || kill -9 "\${process#/proc/}"
done`;
