import assert from "node:assert/strict";
import { useImages, type Behaviour } from "../support/images";
import { useStack, type TestStack } from "../support/stack";

const HEALTH = { gateTimeoutSeconds: 3, timeoutSeconds: 1, jsonField: "status", jsonValue: "UP" };
const WITHOUT_REDIS = { redis: { enabled: false } };

const WAYS: { [way: string]: { behaviour: Behaviour; lastAnswer: RegExp } } = {
  "never up": {
    behaviour: "never-up",
    lastAnswer: /Last answer to GET \/health: none: \S+:3000 refuses connections/,
  },
  "wrong status": {
    behaviour: "wrong-status",
    lastAnswer: /Last answer to GET \/health: HTTP 500 \{"status":"UP"\}/,
  },
  "a redirect": { behaviour: "redirects", lastAnswer: /Last answer to GET \/health: HTTP 302/ },
  "nested UP in a DOWN answer": {
    behaviour: "nested-up",
    lastAnswer:
      /Last answer to GET \/health: HTTP 200 \{"status":"DOWN","components":\{"x":\{"status":"UP"\}\}\}/,
  },
  "exits at start": {
    behaviour: "exits",
    lastAnswer: /Last answer to GET \/health: none: /,
  },
};

describe("a failing gate", () => {
  const behaviours = Object.values(WAYS).map(({ behaviour }) => behaviour);
  const images = useImages<string>({
    good: "ok",
    better: "ok",
    best: "ok",
    ...Object.fromEntries(behaviours.map((behaviour) => [behaviour, behaviour])),
  });
  const stack = useStack({
    blue: { image: images.good },
    green: { image: images.better },
    health: HEALTH,
    ...WITHOUT_REDIS,
  });
  before(async () => void (await stack.up()));

  for (const [way, { behaviour, lastAnswer }] of Object.entries(WAYS)) {
    it(`${way}: the live color's new image fails the up with the reason, the old one serves, the new one is stopped`, async () => {
      await stack.set({ blue: { image: images[behaviour] } });
      const { output } = await stack.upFails();
      assert.match(output, /error: blue did not pass its health gate: no 2 passes in a row within 3 s/);
      assert.match(output, lastAnswer);
      assert.match(output, new RegExp(`\\| fixture: blue ${behaviour} starts`), "its last log lines");
      assert.match(output, /blue keeps serving/);
      assert.match(
        output,
        /What to do next: .* Then run 'pulumi up' again; or set back what you have changed/,
      );
      assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green better" });
      await onlyRunning(stack, "blue", images.good);
    });
  }

  it("up again without mending anything fails again, and the old color still serves", async () => {
    await stack.upFails();
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green better" });
    await onlyRunning(stack, "blue", images.good);
  });

  it("revert by config: up passes, and what failed is gone", async () => {
    await stack.set({ blue: { image: images.good } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green better" });
    assert.equal((await stack.container("blue")).Config.Image, images.good);
    await stack.expectNoChange();
  });

  it("a broken release to the idle color fails the up and touches no traffic", async () => {
    const live = await stack.container("blue");
    await stack.set({ green: { image: images["wrong-status"] } });
    const { output } = await stack.upFails();
    assert.match(output, /error: green did not pass its health gate/);
    assert.match(output, /blue keeps serving/);
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green better" });
    assert.equal((await stack.container("blue")).State.StartedAt, live.State.StartedAt);
    await onlyRunning(stack, "green", images.better);
  });

  it("fix forward: a mended image passes, and what failed is gone", async () => {
    await stack.set({ green: { image: images.best } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green best" });
    assert.equal((await stack.container("green")).Config.Image, images.best);
    await stack.expectNoChange();
  });

  it("a flip to an idle color that has become unhealthy fails; it was served on the preview port and is not stopped", async () => {
    await stack.idle("/break");
    await stack.set({ activeColor: "green" });
    const { output } = await stack.upFails();
    assert.match(output, /error: green did not pass its health gate/);
    assert.match(output, /Last answer to GET \/health: HTTP 503/);
    assert.match(output, /blue keeps serving/);
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green best" });
  });

  it("after that, setting the color back is enough", async () => {
    await stack.set({ activeColor: "blue" });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green best" });
    await stack.expectNoChange();
  });
});

describe("a failing gate of the very first deploy", () => {
  const images = useImages({ broken: "exits", good: "ok" });
  const stack = useStack({
    blue: { image: images.broken },
    green: { image: images.good },
    health: HEALTH,
    ...WITHOUT_REDIS,
  });

  it("fails, says that no color is live yet, and answers with a page that says so too", async () => {
    const { output } = await stack.upFails();
    assert.match(output, /no color is live yet/);
    assert.match(output, /\| fixture: the database password is missing/);
    const { status, body } = await stack.live();
    assert.equal(status, 503);
    assert.match(body, /No color is live yet/);
  });

  it("fix forward: the mended image goes live", async () => {
    await stack.set({ blue: { image: images.good } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue good", idle: "green good" });
    await stack.expectNoChange();
  });
});

describe("a slow start", () => {
  const images = useImages({ slow: "slow-start", quick: "ok" });
  const stack = useStack({ blue: { image: images.quick }, green: { image: images.quick }, ...WITHOUT_REDIS });
  before(async () => void (await stack.up()));

  it("within the gate's time passes", async () => {
    await stack.set({ blue: { image: images.slow } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue slow", idle: "green quick" });
  });
});

/** Of all containers of this color that wait for their deletion, just the one with this image runs. */
async function onlyRunning(stack: TestStack, color: "blue" | "green", image: string): Promise<void> {
  const running = (await stack.containers(color)).filter(({ State }) => State.Running);
  assert.deepEqual(
    running.map(({ Config }) => Config.Image),
    [image],
  );
}
