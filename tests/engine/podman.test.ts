import assert from "node:assert/strict";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing } from "../support/load";
import { useStack, type Role } from "../support/stack";

const ASK = { requests: [{ method: "GET" as const, path: "/" }] };

// Run by `npm test -- podman`; on Docker it passes, too.
describe("N10 a Podman host is as a Docker host", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok", two: "ok", three: "ok", ill: "wrong-status" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    memoryMb: 200,
    health: { gateTimeoutSeconds: 4, timeoutSeconds: 2, intervalSeconds: 0.2 },
    container: { tmpfs: { "/scratch": "size=8m" }, ulimits: [{ name: "nofile", soft: 2048, hard: 4096 }] },
  });
  const ids = async (...roles: Role[]) =>
    Promise.all(roles.map(async (role) => (await stack.container(role)).Id));
  const served = (load: Parameters<typeof losesNothing>[1]) => losesNothing(stack.port, load, ASK);

  it("first release; a refresh and a second up show no change", async () => {
    await stack.setSecret("redis.password", "s3cr3t");
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.refresh("--expect-no-changes");
    await stack.expectNoChange();
  });

  it("status: in order", async () => {
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 0, output);
    assert.match(output, /^service \(.*\): in order$/m);
  });

  it("the containers have the rights that Docker gives them", async () => {
    const { Id } = await stack.container("proxy");
    const status = await docker("exec", Id, "cat", "/proc/1/status");
    // CHOWN, KILL, SETGID, SETUID, NET_BIND_SERVICE
    assert.match(status, /^CapBnd:\t00000000000004e1$/m);
    assert.equal(await docker("exec", Id, "cat", "/proc/sys/net/ipv4/tcp_migrate_req"), "1");
    assert.match(await docker("exec", Id, "cat", "/proc/1/limits"), /^Max open files +16384 +16384/m);
  });

  it("flips under load lose nothing, and every container stays", async () => {
    const before = await ids("edge", "proxy", "blue", "green", "redis");
    await served(async (load) => {
      for (const activeColor of ["green", "blue"]) {
        await stack.set({ activeColor });
        const { changes } = await stack.up();
        assert.deepEqual(changes, { service: "update", switch: "replace" });
        await load.more();
      }
    });
    assert.deepEqual(await ids("edge", "proxy", "blue", "green", "redis"), before);
  });

  it("a live release under load loses nothing, and only the live color is another", async () => {
    const before = await ids("edge", "proxy", "green", "redis");
    await served(async () => {
      await stack.set({ blue: { image: images.three } });
      await stack.up();
    });
    assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
    assert.deepEqual(await ids("edge", "proxy", "green", "redis"), before);
    await stack.expectNoChange();
  });

  it("a failed gate under load: the update fails with the reason, and nobody notices; setting back is enough", async () => {
    await served(async () => {
      await stack.set({ blue: { image: images.ill } });
      const { output } = await stack.upFails();
      assert.match(output, /error: blue did not pass its health gate/);
      assert.match(output, /Last answer to GET \/health: HTTP 500/);
      await stack.set({ blue: { image: images.three } });
      await stack.up();
    });
    assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
    await stack.expectNoChange();
  });

  it("a setting that Podman does not tell: both colors are made anew with it, once", async () => {
    const before = await ids("edge", "proxy", "redis");
    await stack.set({ container: { tmpfs: { "/scratch": "size=16m" } } });
    const { changes } = await stack.up();
    assert.equal(changes.blue, "replace");
    assert.equal(changes.green, "replace");
    const mounts = await docker("exec", (await stack.container("blue")).Id, "cat", "/proc/mounts");
    assert.match(mounts, /^tmpfs \/scratch .*size=16384k/m);
    assert.deepEqual(await ids("edge", "proxy", "redis"), before);
    await stack.expectNoChange();
  });

  it("a new nginx takes over under load", async () => {
    const [edge] = await ids("edge");
    await served(async () => {
      await stack.set({ proxy: { memoryMb: 1024 }, logs: { maxSizeMb: 11 } });
      await stack.up();
    });
    assert.deepEqual(await ids("edge"), [edge]);
    await stack.expectNoChange();
  });

  it("a restart of nginx, of the edge and of a color: it serves again", async () => {
    for (const role of ["proxy", "edge", "blue"] as const) await docker("restart", (await ids(role))[0]);
    for (let tries = 0; tries < 100 && (await stack.serving().catch(() => undefined)) === undefined; tries++)
      await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
  });

  it("destroy leaves nothing but the data of Redis", async () => {
    await stack.destroy();
    const { containers, networks } = await stack.leftovers();
    assert.deepEqual({ containers, networks }, { containers: [], networks: [] });
  });
});
