import assert from "node:assert/strict";
import { docker } from "../support/docker";
import { crash } from "../support/faults";
import { useImages } from "../support/images";
import { until } from "../support/running";
import { useStack } from "../support/stack";

describe("idle: stopped", () => {
  const images = useImages({ one: "ok", two: "ok", three: "slow-start" });
  const stack = useStack({
    idle: "stopped",
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  const runs = async () => ({
    blue: (await stack.container("blue")).State.Running,
    green: (await stack.container("green")).State.Running,
  });

  it("the idle color passes the gate of its first deploy and is stopped after it", async () => {
    const { output } = await stack.up();
    assert.match(output, /gate: green passed 2 of 2/);
    assert.deepEqual(await runs(), { blue: true, green: false });
    assert.equal((await stack.serving()).live, "blue one");
  });

  it("that it is stopped is no change for up and refresh", () => stack.expectNoChange());

  it("flip: it is started for the gate, and the old color is stopped after the flip", async () => {
    const before = await stack.container("blue");
    await stack.set({ activeColor: "green" });
    const { output } = await stack.up();
    assert.ok(
      output.indexOf("==> starting ") < output.indexOf("gate: green passed 2 of 2") &&
        output.indexOf("green is live") < output.indexOf(`==> stopping ${before.Name.slice(1)}`),
      output,
    );
    assert.deepEqual(await runs(), { blue: false, green: true });
    assert.equal((await stack.serving()).live, "green two");
  });

  it("rollback: the same containers the other way round", async () => {
    const before = await stack.container("blue");
    await stack.set({ activeColor: "blue" });
    await stack.up();
    assert.deepEqual(await runs(), { blue: true, green: false });
    assert.equal((await stack.container("blue")).Id, before.Id);
    assert.equal((await stack.serving()).live, "blue one");
  });

  it("a release to the idle color is gated and stopped, and the live color is not touched", async () => {
    const live = await stack.container("blue");
    await stack.set({ green: { image: images.three } });
    const { output } = await stack.up();
    assert.match(output, /gate: green passed 2 of 2/);
    assert.deepEqual(await runs(), { blue: true, green: false });
    assert.equal((await stack.container("blue")).State.StartedAt, live.State.StartedAt);
    await stack.expectNoChange();
  });

  it("with running again, the idle color is started, and the update waits until it answers", async () => {
    await stack.set({ idle: "running" });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green three" });
  });

  it("an nginx that does not stay up fails a flip in words; the edge serves, and the advice works", async () => {
    await stack.set({ idle: "stopped" });
    await stack.up();
    const nginx = (await stack.container("proxy")).Id;
    await docker("exec", nginx, "rm", "/bluegreen/nginx.sh");
    // Docker would start it again and again: what the update finds then is chance.
    await docker("update", "--restart", "no", nginx);
    await crash(nginx);
    await stack.set({ activeColor: "green" });
    const { output } = await stack.upFails();
    assert.match(output, /nginx \(\S+\) does not stay up: its container is \w+\. The edge serves for it\./);
    assert.match(output, /\| .*nginx\.sh/);
    assert.match(output, /blue: \S+ \(\S+\): live, running/);
    await until(
      () => "the edge serves",
      async () => (await stack.serving().catch(() => undefined))?.live === "blue one",
    );
    const [, remove] =
      /'(docker rm --force \S+)' and 'pulumi up --refresh'/.exec(output) ?? assert.fail(output);
    await docker(...remove.split(" ").slice(1));
    await stack.up("--refresh");
    assert.equal((await stack.serving()).live, "green three");
    await stack.expectNoChange();
  });
});
