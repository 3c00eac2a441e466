import assert from "node:assert/strict";
import type { Color } from "../../components/settings";
import { PLACE, SERVICE, type JournalEntry, type Service } from "../proxy/service";
import { describeTotals, failed, Load, type Options, type Totals } from "../support/load";

const LOOK = `
. /bluegreen/nginx.sh
use_service ${SERVICE}
. /bluegreen/journal.sh
. /bluegreen/settle.sh
runs_config "$(config_hash)" && [ ! -s "$RUN"/staged-*.conf ] && echo loaded || echo 'not loaded'
sed -n 's/^# [a-z]*: [a-z]* //p' "$SITE"
cat "$JOURNAL"
`;

/** Who is on the live and on the preview port. */
export type Serving = [live: string, idle: string];

/**
 * When no switch is under way: these two serve, as the saved site says and nginx has loaded it, and nothing is
 * staged. Gives the journal.
 */
export async function agrees(service: Service, serving: Serving): Promise<JournalEntry[]> {
  const [loaded, live, idle, ...journal] = (await service.inProxy("sh", "-c", LOOK)).split("\n");
  assert.deepEqual([await service.live(), await service.idle()], serving);
  assert.deepEqual([live, idle, loaded], [...serving, "loaded"]);
  return journal.map((line) => JSON.parse(line) as JournalEntry);
}

/** The live color, and the container that serves as this color. */
export async function liveColor(service: Service): Promise<{ color: Color; container: string }> {
  const [, color, container] = /^# live: (blue|green) (\S+)$/m.exec(await service.site()) ?? assert.fail();
  return { color: color as Color, container };
}

const SETTLED = `
. /bluegreen/nginx.sh
use_service ${SERVICE}
# A new nginx that was not made the owner closes its ports by itself.
settled() { [ ! -e "$INTENT" ] && { is_owner || ! listens; } && runs_config "$(config_hash)"; }
wait_for 20 settled`;

/** Waits until the entrypoint of nginx has settled what a killed switch left, and gives the seconds that it took. */
export async function settled(service: Service): Promise<number> {
  const started = performance.now();
  await service.inProxy("sh", "-c", SETTLED);
  return (performance.now() - started) / 1000;
}

/** After a switch that got through, whatever was killed before it: only what belongs there is on the state volume. */
export async function leftNothing(service: Service): Promise<void> {
  const files = await service.inProxy(
    "sh",
    "-c",
    `cd /bluegreen/state && echo $(ls) && echo $(ls ${PLACE}) && ls instances | wc -l`,
  );
  assert.equal(
    files,
    "beat ingress.lock instances journal owner proxy-protocol services tls-port\nhealth id journal lock lock.holder site.conf\n1",
  );
}

const LIGHT = {
  kept: 8,
  fresh: 4,
  pauseMs: 60,
  maxSeconds: 1200,
  maxRequests: 2_000_000,
  requests: [{ method: "GET" as const, path: "/" }],
};

/** Runs something under a light load on kept and on new connections, of which no request may fail unless it is said to. */
export async function underLoad(
  { port }: { port: number },
  act: (load: Load) => Promise<unknown>,
  { loses = false, ...options }: Partial<Options> & { loses?: boolean } = {},
): Promise<Totals> {
  const load = await Load.start({ ...LIGHT, port, ...options });
  try {
    await load.more(50);
    await act(load);
    await load.more(50);
  } finally {
    await load.stop();
  }
  const { totals } = load;
  if (!loses) assert.equal(failed(totals), 0, [describeTotals(totals), ...totals.firstFailures].join("\n"));
  return totals;
}
