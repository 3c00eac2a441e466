import assert from "node:assert/strict";
import { losesNothing, type Options } from "../support/load";
import { useImages, useTag } from "../support/images";
import { useStack, type Config, type TestStack } from "../support/stack";

const REQUESTS: Options["requests"] = [{ method: "GET", path: "/" }];
const SHORT_GATE = { health: { gateTimeoutSeconds: 5 } } satisfies Config;

/** The variable A of who is live, and how many containers of the colors run. */
async function now(stack: TestStack) {
  const { env } = JSON.parse((await stack.live()).body) as { env: { A?: string } };
  const colors = [...(await stack.containers("blue")), ...(await stack.containers("green"))];
  return { a: env.A, running: colors.filter(({ State }) => State.Running).length };
}

describe("a release while the idle color is ill", () => {
  const images = useImages({ one: "ok", two: "ok", three: "ok" });
  const stack = useStack({
    ...SHORT_GATE,
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  before(() => stack.up());

  it("F3: the live color goes live, the idle one is told and stopped, and setting back always works", async () => {
    await losesNothing(
      stack.port,
      async () => {
        for (const a of ["1", "2"]) {
          await stack.set({ env: { A: a }, green: { env: { BEHAVIOUR: "wrong-status" } } });
          const { output } = await stack.upFails();
          assert.match(output, /==> blue is live[^]*error: green did not pass its health gate/);
          assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
          assert.deepEqual(await now(stack), { a, running: 2 });
        }
        await stack.set({ blue: { image: images.three } });
        await stack.upFails();
        assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
        await stack.set({ activeColor: "green" });
        const { output } = await stack.upFails();
        assert.match(output, /green did not pass its health gate[^]*blue keeps serving/);
        assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
        await stack.set({ activeColor: "blue" });
        await stack.unset("green.env");
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
        assert.deepEqual(await now(stack), { a: "2", running: 2 });
      },
      { requests: REQUESTS },
    );
    for (const color of ["blue", "green"] as const) await stack.container(color);
    await stack.expectNoChange();
  });
});

describe("F3: after a failed update, what was set before works again", () => {
  const images = useImages({ one: "ok", two: "ok", three: "ok" });
  const otherNginx = useTag("nginx:1.30.6");
  const stack = useStack({
    ...SHORT_GATE,
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  before(() => stack.up());

  const settings: { [kind: string]: Config } = {
    "the live image": { blue: { image: images.three } },
    "the idle image": { green: { image: images.three } },
    "a flip": { activeColor: "green" },
    "the environment": { env: { A: "1" }, blue: { env: { B: "2" } } },
    "a command, which the plugin does not see go": { command: ["node", "-e", "setInterval(() => {}, 1000)"] },
    "what else a container has": {
      containerPort: 4000,
      command: ["node", "/fixture-app.js"],
      volumes: [{ volumeName: "bgtest-shared", containerPath: "/shared" }],
      memoryMb: 200,
      labels: { owner: "us" },
      timeZone: "Europe/Vienna",
      stopGraceSeconds: 3,
      restart: "on-failure",
      logs: { maxFiles: 2 },
    },
    "nginx and the live image": { proxy: { image: otherNginx }, blue: { image: images.three } },
  };
  for (const [kind, changed] of Object.entries(settings)) {
    it(kind, async () => {
      const setBack = stack.keepConfig();
      await stack.set({ ...changed, health: { bodyText: "never there" } });
      await stack.upFails();
      assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
      setBack();
      await stack.up();
      assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
      for (const role of ["blue", "green", "proxy", "edge"] as const) await stack.container(role);
    });
  }

  it("and nothing is left to do", () => stack.expectNoChange());
});
