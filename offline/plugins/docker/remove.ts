import { setTimeout as sleep } from "node:timers/promises";
import { isStatus, reason } from "./client.ts";

/** The official plugin's patience, looked at more often. */
const PATIENCE_MS = 30_000;
const INTERVAL_MS = 500;

/** Removes what containers that are just stopping may still hold. */
export async function untilFree(what: string, inUse: RegExp, remove: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await remove();
      return;
    } catch (error) {
      if (isStatus(error, 404)) return;
      if (!inUse.test(reason(error)) || Date.now() > deadline) {
        throw new Error(`could not remove ${what}: ${reason(error)}`, { cause: error });
      }
      await sleep(INTERVAL_MS);
    }
  }
}
