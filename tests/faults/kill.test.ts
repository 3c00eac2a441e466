import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { other, type Color } from "../../components/settings";
import { SERVICE, useLiveService, type Service, type SwitchOptions } from "../proxy/service";
import { docker } from "../support/docker";
import { agrees, leftNothing, liveColor, settled, underLoad, type Serving } from "./agreement";
import { killedInContainer, killedOnHost, SHIMS, type KillAt } from "./shims";
import { fault, type Told } from "./table";

interface Killing extends SwitchOptions {
  /** Makes what the next switch needs, and says to which color it is. */
  prepare: () => Promise<Color>;
  /** Killed at are the calls from the first that contains this; those before it are another case's. */
  from?: string;
  /** What is killed. */
  killed?: "the switch" | "the take-over";
}

/**
 * Runs the switch again and again, each time killed one call later. Whatever was killed has to be settled by the proxy
 * itself, in such a way that nobody notices and the next switch goes on from there.
 */
async function killAtEachCall(
  service: Service,
  { prepare, from, killed: what = "the switch", ...options }: Killing,
): Promise<Told> {
  const healSeconds: number[] = [];
  const outcomes = new Map<string, number>();
  const killed = new Set<string>();

  const run = async (killAt: KillAt) => {
    const color = await prepare();
    const serving: Serving = [service.containers[color], service.containers[other(color)]];
    const edit = killedInContainer(killAt);
    const edits = what === "the switch" ? { edit } : { editTakeOver: edit };
    const ended = await service.switch(color, { ...options, ...edits });
    const calls = (await service.inProxy("cat", `${SHIMS}/calls`)).split("\n");
    return { ...ended, serving, calls };
  };
  const kill = async (killAt: KillAt) => {
    const before: Serving = [await service.live(), await service.idle()];
    const { code, output, serving } = await run(killAt);
    // It made one call less than the first run, and is through.
    if (code === 0) return;
    assert.ok(output.includes(`error: ${what} was killed (exit status 137)`), output);
    // A subshell of it may have gone on.
    killed.add(await service.inProxy("cat", `${SHIMS}/killed`));
    healSeconds.push(await settled(service));
    const done = (await liveColor(service)).container === serving[0];
    const journal = await agrees(service, done ? serving : before);
    const outcome = /^interrupted: (.*)/.exec(journal.at(-1)?.outcome ?? "")?.[1] ?? "not begun";
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };

  const requests = await underLoad(service, async () => {
    const { calls } = await run(0);
    const first = from === undefined ? 0 : calls.findIndex((call) => call.includes(from));
    assert.ok(first >= 0, calls.join("\n"));
    for (let i = first; i < calls.length; i++) await kill(i + 1);
    // What polls and pipes call does not come in the same order each time. What changes something must not be missed.
    const missed = () => calls.slice(first).filter((call) => changes(call) && !killed.has(call));
    for (const call of missed()) await kill(call);
    assert.deepEqual(missed(), [], "calls that change something, and were not killed at");
    const { code, output, serving } = await run(0);
    assert.equal(code, 0, output);
    assert.equal((await agrees(service, serving)).at(-1)?.outcome, "done");
    await leftNothing(service);
  });
  const counts = [...outcomes].map(([outcome, count]) => `${count} × ${outcome}`);
  return { happened: `killed ${healSeconds.length} times: ${counts.join("; ")}`, requests, healSeconds };
}

const changes = (call: string) => /^(mv|ln|rm|nginx|touch) /.test(call);

describe("kill -9 of the switch at each command that it calls", function () {
  this.timeout(900_000);

  describe("in the container", () => {
    const service = useLiveService();
    const former: string[] = [];
    /** The last two that were replaced stay: nobody waited for their connections when the switch was killed. */
    const replaced = async (container: string) => {
      former.push(container);
      if (former.length > 2) await docker("rm", "--force", "--volumes", former.shift() ?? "");
    };

    fault("a flip between two warm colors", () =>
      killAtEachCall(service, { prepare: async () => other((await liveColor(service)).color) }),
    );

    fault("a new container of the live color", () =>
      killAtEachCall(service, {
        from: `/run/bluegreen/staged-${SERVICE}.conf`,
        prepare: async () => {
          const { color, container } = await liveColor(service);
          if (container === service.containers[color]) {
            await replaced(container);
            await service.app(color);
          }
          return color;
        },
      }),
    );

    fault("a new nginx that takes the ports over", () =>
      killAtEachCall(service, {
        killed: "the take-over",
        prepare: async () => {
          if (await service.listens(service.proxy)) {
            await replaced(service.proxy);
            await service.newProxy();
          }
          return (await liveColor(service)).color;
        },
      }),
    );

    fault("the watch after a switch", () =>
      killAtEachCall(service, {
        watch: { seconds: 2, tolerancePercent: 5 },
        from: `/run/bluegreen/watch-${SERVICE}.log`,
        prepare: async () => other((await liveColor(service)).color),
      }),
    );
  });

  describe("on the host", () => {
    const service = useLiveService();
    const folder = path.join(tmpdir(), `bluegreen-shims-${randomBytes(4).toString("hex")}`);
    after(() => rmSync(folder, { recursive: true, force: true }));

    fault("a flip that starts the new color and stops the former one", async () => {
      const idle = "stopped";
      await service.switched("blue", { idle });
      let color: Color = "blue";
      let calls = 0;
      const healSeconds: number[] = [];
      const requests = await underLoad(service, async () => {
        for (let killed = true; killed; calls++) {
          color = other(color);
          const { code } = await service.switch(color, { idle, edit: killedOnHost(calls + 1, folder) });
          killed = code !== 0;
          healSeconds.push(await settled(service));
          await service.switched(color, { idle });
          assert.equal(await service.live(), service.containers[color]);
          assert.equal(await service.isRunning(service.containers[other(color)]), false);
        }
      });
      await leftNothing(service);
      assert.ok(calls > 10, `only ${calls} calls`);
      return {
        happened: `killed ${calls - 1} times: the part in the container ran on or never began, the next switch did the rest`,
        requests,
        healSeconds,
      };
    });

    fault("its connection is cut (lost SSH), at any moment of a release of the live color", async () => {
      const moments = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3];
      await service.switched("blue");
      const healSeconds: number[] = [];
      const requests = await underLoad(service, async () => {
        for (const seconds of moments) {
          const { blue } = service.containers;
          const candidate = await service.app("blue");
          const running = service.startSwitch("blue");
          await sleep(seconds * 1000);
          await running.kill();
          healSeconds.push(await settled(service));
          assert.ok([blue, candidate].includes(await service.live()));
          assert.match(await service.switched("blue"), /blue is live/);
          assert.equal(await service.live(), candidate);
          await docker("rm", "--force", "--volumes", blue);
        }
      });
      await agrees(service, [service.containers.blue, service.containers.green]);
      await leftNothing(service);
      return {
        happened: `cut ${moments.length} times: the part in the container went on to its end`,
        requests,
        healSeconds,
      };
    });
  });
});
