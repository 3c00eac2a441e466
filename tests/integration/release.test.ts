import assert from "node:assert/strict";
import { useImages, useTag } from "../support/images";
import { useStack, type Role, type TestStack } from "../support/stack";

const NGINX = "nginx:1.30.6";

describe("releases", () => {
  const images = useImages({
    one: "ok",
    two: "ok",
    three: "ok",
    four: "ok",
    five: "ok",
    six: "ok",
    seven: "ok",
  });
  const [newerNginx, newestNginx] = [useTag(NGINX), useTag(NGINX)];
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });

  it("first deploy: the live color on the public port, the idle one on the preview port", async () => {
    const { output } = await stack.up();
    assert.match(
      output,
      /plan: first release: blue goes live with \S+; the gate asks for 2 good answer\(s\)/,
    );
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.equal((await stack.outputs()).activeColor, "blue");
  });

  it("a second up and a refresh show no change", () => stack.expectNoChange());

  it("preview of a flip: the plan in words, one resource replaced, nothing touched", async () => {
    await stack.set({ activeColor: "green" });
    const { output, changes } = await stack.preview();
    assert.match(output, /plan: switch: blue -> green \(\S+\); the gate asks for .*; blue keeps running/);
    assert.deepEqual(changes, { service: "update", switch: "replace" });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  });

  it("flip: only the switch runs, and every container stays", async () => {
    const untouched = await idsOf(stack, "blue", "green", "proxy", "edge");
    const { changes } = await stack.up();
    assert.deepEqual(changes, { service: "update", switch: "replace" });
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
    assert.deepEqual(await idsOf(stack, "blue", "green", "proxy", "edge"), untouched);
    assert.equal((await stack.outputs()).activeColor, "green");
  });

  it("rollback: the same one-resource change back", async () => {
    const untouched = await idsOf(stack, "blue", "green", "proxy", "edge");
    await stack.set({ activeColor: "blue" });
    const { changes } = await stack.up();
    assert.deepEqual(changes, { service: "update", switch: "replace" });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual(await idsOf(stack, "blue", "green", "proxy", "edge"), untouched);
  });

  it("preview of a release to the idle color: the plan in words", async () => {
    await stack.set({ green: { image: images.three } });
    const { output } = await stack.preview();
    assert.match(output, wordsOf(`green (idle): image ${images.two} -> ${images.three}`));
    assert.match(output, /plan: blue stays live and is not touched; the gate asks for/);
  });

  it("release of a new image to the idle color: the live container stays, the preview port serves the new one", async () => {
    const live = await stack.container("blue");
    const { output, changes } = await stack.up();
    assert.match(output, /gate: green passed 2 of 2/);
    assert.deepEqual(changes, {
      service: "update",
      images: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green three" });
    const now = await stack.container("blue");
    assert.deepEqual([now.Id, now.State.StartedAt], [live.Id, live.State.StartedAt]);
  });

  it("preview of a change of the live color's image: the plan in words", async () => {
    await stack.set({ blue: { image: images.four } });
    const { output } = await stack.preview();
    assert.match(output, wordsOf(`blue (live): image ${images.one} -> ${images.four}`));
    assert.match(
      output,
      /plan: the new blue is started beside the live one; .*; the old one ends after a drain of up to 2 s/,
    );
  });

  it("change of the live color's image: gated and switched to, then the old one is deleted", async () => {
    const [idle, old] = [await stack.container("green"), await stack.container("blue")];
    const { output } = await stack.up();
    assert.match(output, /gate: blue passed 2 of 2/);
    assert.deepEqual(await stack.serving(), { live: "blue four", idle: "green three" });
    assert.notEqual((await stack.container("blue")).Id, old.Id);
    assert.equal((await stack.container("green")).Id, idle.Id);
  });

  it("both colors changed at once", async () => {
    await stack.set({ blue: { image: images.five }, green: { image: images.six } });
    const { output } = await stack.up();
    assert.match(output, /gate: blue passed 2 of 2/);
    assert.match(output, /gate: green passed 2 of 2/);
    assert.deepEqual(await stack.serving(), { live: "blue five", idle: "green six" });
    await oneOfEach(stack);
  });

  it("both colors changed and the live one with them, in one up", async () => {
    await stack.set({ activeColor: "green", blue: { image: images.one }, green: { image: images.two } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
    await oneOfEach(stack);
  });

  it("preview of an nginx upgrade: the plan in words", async () => {
    await stack.set({ proxy: { image: newerNginx } });
    const { output } = await stack.preview();
    assert.match(output, wordsOf(`nginx: ${NGINX} -> ${newerNginx}; the new one takes over the open ports`));
  });

  it("nginx upgrade: a new nginx takes over, edge and colors stay", async () => {
    const untouched = await idsOf(stack, "edge", "blue", "green");
    const { output } = await stack.up();
    assert.match(output, /the new nginx takes over the ports/);
    assert.equal((await stack.container("proxy")).Config.Image, newerNginx);
    assert.deepEqual(await idsOf(stack, "edge", "blue", "green"), untouched);
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("nginx and the live color changed in one up", async () => {
    await stack.set({ green: { image: images.seven }, proxy: { image: newestNginx } });
    await stack.up();
    assert.equal((await stack.container("proxy")).Config.Image, newestNginx);
    assert.deepEqual(await stack.serving(), { live: "green seven", idle: "blue one" });
    await oneOfEach(stack);
  });

  it("after all of these, a second up and a refresh show no change", () => stack.expectNoChange());
});

const idsOf = (stack: TestStack, ...roles: Role[]) =>
  Promise.all(roles.map(async (role) => (await stack.container(role)).Id));

/** Nothing that was replaced is left behind. */
const oneOfEach = (stack: TestStack) => idsOf(stack, "edge", "proxy", "blue", "green");

const wordsOf = (text: string) => new RegExp(`plan: ${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);
