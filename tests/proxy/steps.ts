/** The lines of the switch's `main`, by the names of its steps: tests put something before or after one of them. */
export const STEPS = {
  take_lock: "take_lock",
  note_intent: 'note_intent "${served_live%% *}" "$LIVE_COLOR" "$(kind)" "$LIVE_COLOR" "$IMAGE"',
  stage: 'stage "$LIVE_COLOR" "$LIVE"',
  gate: 'if ! is_live "$LIVE" || ! is_owner; then gate "$LIVE_COLOR" "$LIVE"; else try_live; fi',
  take_over: "take_over",
  commit: "commit",
  watch: "watch",
  drain: "drain",
};
export type Step = keyof typeof STEPS;
