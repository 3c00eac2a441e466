import assert from "node:assert/strict";
import { useDemo } from "../support/demo";
import { addressOf, docker, inspect } from "../support/docker";
import { crash, describeOnOwnDocker } from "../support/faults";
import { indent, Load } from "../support/load";
import { until } from "../support/running";
import { useStack, type Role } from "../support/stack";
import { fault, type Told } from "./table";

const ENGINE_TIMES = 30;
const ROUNDS = 4;
const SERVING_WITHIN_S = 40;
/** So many good answers in a row are called serving again. */
const SERVING = 50;
const SERVED_AGAIN = "served again without a hand";

describeOnOwnDocker(
  "self-healing",
  () => [useDemo("1.0.0"), useDemo("1.1.0"), useDemo("1.2.0")] as [string, string, string],
  (engine, [one, two, three]) => {
    const stack = useStack({
      blue: { image: one },
      green: { image: two },
      drainSeconds: 4,
      health: { intervalSeconds: 0.5, passes: 3, gateTimeoutSeconds: 30 },
      // With the default, unless-stopped, Docker takes what it ends when its daemon was killed alone for a stop by hand.
      restart: "always",
    });
    before("first deploy", () => stack.up());

    /** A load that counts what is lost: these cases kill what serves. */
    async function underLoad(act: (load: Load) => Promise<unknown>): Promise<Told["requests"]> {
      const requests = [
        { method: "GET" as const, path: "/" },
        { method: "GET" as const, path: "/slow?ms=100" },
      ];
      const options = { port: stack.port, kept: 8, fresh: 8, maxSeconds: 1200, maxRequests: 2_000_000 };
      const load = await Load.start({ ...options, requests }, engine.within());
      try {
        await load.more(50);
        await act(load);
      } finally {
        await load.stop();
      }
      return load.totals;
    }
    const servingAgain = async (load: Load, from: number) => {
      await load.calm(SERVING, SERVING_WITHIN_S);
      return (performance.now() - from) / 1000;
    };

    const ENDS = {
      "daemon and all containers killed": () => engine.killEverything(),
      "daemon killed alone": () => engine.endDaemon("KILL"),
      "daemon stopped": () => engine.endDaemon("TERM"),
    };
    for (const [name, end] of Object.entries(ENDS)) {
      const times = ENGINE_TIMES / Object.keys(ENDS).length;
      fault(`${name} and started again, ${times} times`, async () => {
        const healSeconds: number[] = [];
        const requests = await underLoad(async (load) => {
          for (let i = 1; i <= times; i++) {
            await end();
            const started = performance.now();
            await engine.startDaemon();
            healSeconds.push(await servingAgain(load, started));
            if (i % 5 === 0) console.log(indent(`${i} of ${times}`));
          }
        });
        return { happened: `${SERVED_AGAIN}, from the daemon's start`, requests, healSeconds };
      });
    }

    const MOMENTS = { "in the gate": "gate: blue passed 1 of 3", "in the drain": "drain: up to" };
    let images = [three, one];
    for (const [moment, words] of Object.entries(MOMENTS)) {
      fault(
        `daemon and all containers killed ${moment} of a release of the live color, then up`,
        async () => {
          const [blueImage, ...others] = images;
          images = [...others, blueImage];
          let healSeconds = 0;
          const requests = await underLoad(async (load) => {
            await stack.set({ blue: { image: blueImage } });
            const update = stack.start("up", "--yes", "--skip-preview");
            await update.says(words);
            await engine.killEverything();
            const started = performance.now();
            await engine.startDaemon();
            healSeconds = await servingAgain(load, started);
            const { code, output } = await update.ended;
            assert.notEqual(code, 0, output);
            await stack.refresh();
            await stack.up();
            await load.calm(SERVING);
          });
          await inOrder();
          assert.equal((await stack.container("blue")).Config.Image, blueImage);
          return {
            happened: "the update failed; the next one released it",
            requests,
            healSeconds: [healSeconds],
          };
        },
      );
    }

    const STRIKES: { [what: string]: [Role, (container: string) => Promise<unknown>] } = {
      "docker restart of the edge": ["edge", (id) => docker("restart", id)],
      "kill -9 of the edge": ["edge", crash],
      "docker restart of nginx": ["proxy", (id) => docker("restart", id)],
      "kill -9 of nginx": ["proxy", crash],
      "docker restart of the live color": ["blue", (id) => docker("restart", id)],
      "kill -9 of the live color": ["blue", crash],
      "the live color comes back with another address": ["blue", withAnotherAddress],
      "docker restart of Redis": ["redis", (id) => docker("restart", id)],
      "kill -9 of Redis": ["redis", crash],
    };
    const healSeconds = new Map<string, number[]>(Object.keys(STRIKES).map((what) => [what, []]));

    fault(`${Object.keys(STRIKES).length} restarts and kills, ${ROUNDS} times in any order`, async () => {
      const requests = await underLoad(async (load) => {
        for (let round = 1; round <= ROUNDS; round++) {
          for (const what of shuffled(Object.keys(STRIKES))) {
            const [role, strike] = STRIKES[what];
            const started = performance.now();
            await strike((await stack.container(role)).Id);
            healSeconds.get(what)?.push(await servingAgain(load, started));
            await until(
              () => `everything runs again after ${what}`,
              async () => (await Promise.all(ROLES.map(runs))).every(Boolean),
            );
          }
          console.log(indent(`round ${round} of ${ROUNDS}`));
        }
      });
      await inOrder();
      return { happened: SERVED_AGAIN, requests, healSeconds: [...healSeconds.values()].flat() };
    });
    for (const what of Object.keys(STRIKES)) {
      fault(`of these, ${what}`, () => {
        const seconds = healSeconds.get(what) ?? [];
        assert.equal(seconds.length, ROUNDS);
        return Promise.resolve({ happened: SERVED_AGAIN, healSeconds: seconds });
      });
    }

    const ROLES: Role[] = ["edge", "proxy", "blue", "green", "redis"];
    const runs = async (role: Role) => (await stack.container(role)).State.Running;

    async function inOrder(): Promise<void> {
      // A color needs a moment to find a Redis again that was killed.
      let said = "";
      await until(
        () => `all is in order, not:\n${said}`,
        async () => {
          const { code, output } = await stack.bluegreen("status");
          said = output;
          return code === 0;
        },
      );
      await stack.up("--expect-no-changes");
    }
  },
);

/** Stopped, and started again when its former address is another's. */
async function withAnotherAddress(container: string): Promise<void> {
  const former = await addressOf(container);
  const [network] = Object.keys((await inspect(container)).NetworkSettings.Networks);
  const others: string[] = [];
  await docker("stop", container);
  try {
    // Docker gives the lowest address that is free.
    for (let taken = ""; taken !== former; taken = await addressOf(others[0])) {
      assert.ok(others.length < 10, `nobody gets ${former}`);
      others.unshift(await docker("run", "--detach", "--network", network, "nginx:1.30.6"));
    }
    await docker("start", container);
    assert.notEqual(await addressOf(container), former);
  } finally {
    await docker("rm", "--force", "--volumes", ...others);
  }
}

function shuffled<T>(list: T[]): T[] {
  return list
    .map((one) => [Math.random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
