import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { useExampleApp } from "../support/demo";
import { docker, dockerLines } from "../support/docker";
import { ExampleStack } from "../support/example";
import { get } from "../support/http";
import { Load, losesNothing } from "../support/load";
import { use, whoAnswered, type Config } from "../support/stack";

// Three stacks, as of three repositories: examples/shared-ingress as it stands.
describe("an ingress that stacks share", function () {
  this.timeout(400_000);
  const [first, second] = [useExampleApp("1.0.0"), useExampleApp("1.1.0")];
  const name = `web_${randomBytes(4).toString("hex")}`;
  const project = (folder: string, config: Config, ports: (port: number, previewPort: number) => Config) =>
    use(new ExampleStack("shared-ingress", config, { project: folder, ingress: name, ports }));
  const quick = {
    blue: { image: first },
    green: { image: second },
    health: { intervalSeconds: 0.2, gateTimeoutSeconds: 8 },
    ...{ drainSeconds: 2, stopGraceSeconds: 2 },
  };
  const shop = project("shop", quick, () => ({}));
  const wiki = project("wiki", quick, () => ({}));
  // Last here, so that it is removed last.
  const ingress = project("ingress", { [name]: { drainSeconds: 2 } }, (port, previewPort) => ({
    [name]: { proxy: { port, previewPort } },
  }));

  const live = (host: string) => get(ingress.url, 10_000, host);
  const idle = (host: string) => get(ingress.previewUrl, 10_000, host);
  const who = async (service: string) => ({
    live: whoAnswered(await live(`${service}.localhost`)),
    idle: whoAnswered(await idle(`${service}.localhost`)),
  });
  const requests = [{ method: "GET" as const, path: "/" }];
  /** Neither service loses a request: 64 kept connections and new ones for each. */
  const neitherLoses = (change: () => Promise<unknown>) =>
    losesNothing(
      ingress.port,
      () => losesNothing(ingress.port, change, { requests, host: "wiki.localhost" }),
      { requests, host: "shop.localhost" },
    );

  it("a service is refused where its ingress is not there, before anything is touched", async () => {
    const { output } = await shop.upFails();
    assert.match(output, new RegExp(`ingress: there is no ingress ${name} on the Docker host`));
    assert.match(output, /Nothing was changed: no color is live yet\./);
    assert.deepEqual(await shop.leftovers(), { containers: [], volumes: [], networks: [] });
  });

  it("is there before its services: each request gets a 503", async () => {
    await ingress.up();
    const { status, body } = await live("shop.localhost");
    assert.equal(status, 503);
    assert.match(body, /No color is live yet/);
  });

  it("serves each service by its host names, and each idle color on the one preview port", async () => {
    await shop.up();
    await wiki.up();
    for (const service of ["shop", "wiki"])
      assert.deepEqual(await who(service), { live: "blue 1.0.0", idle: "green 1.1.0" });
    const { url, previewUrl } = await shop.outputs();
    assert.equal(url, `http://shop.localhost:${ingress.port}`);
    assert.equal(previewUrl, `http://shop.localhost:${ingress.previewPort}`);
  });

  it("has a 404 for a name that no service has, on both ports", async () => {
    for (const answer of [await live("other.localhost"), await idle("other.localhost")])
      assert.deepEqual([answer.status, answer.body], [404, "No service here has that name.\n"]);
  });

  it("a second update and a refresh change nothing, in any of the stacks", async () => {
    for (const stack of [ingress, shop, wiki]) await stack.expectNoChange();
  });

  it("a flip of one costs the other no request", async () => {
    await shop.set({ activeColor: "green" });
    await neitherLoses(() => shop.up());
    assert.deepEqual(await who("shop"), { live: "green 1.1.0", idle: "blue 1.0.0" });
    assert.deepEqual(await who("wiki"), { live: "blue 1.0.0", idle: "green 1.1.0" });
  });

  it("nor does a release that fails its gate, and one that passes", async () => {
    const restore = shop.keepConfig();
    await shop.set({ command: ["node", "-e", "setInterval(() => {}, 1000)"] });
    await neitherLoses(() => shop.upFails());
    restore();
    await shop.set({ green: { image: first } });
    await neitherLoses(() => shop.up());
    assert.deepEqual(await who("shop"), { live: "green 1.0.0", idle: "blue 1.0.0" });
  });

  it("nor does a new nginx, which takes over both", async () => {
    await ingress.set({ [name]: { logs: { maxFiles: 4 } } });
    await neitherLoses(async () => {
      const { output } = await ingress.up();
      assert.match(output, /plan: nginx: replaced by a new one, which takes over the open ports/);
      for (const service of ["shop", "wiki"])
        assert.match(output, new RegExp(`gate: ${service} through the new nginx`));
    });
    await shop.set({ activeColor: "blue" });
    await shop.up();
    assert.deepEqual(await who("shop"), { live: "blue 1.0.0", idle: "green 1.0.0" });
    for (const stack of [shop, wiki]) await stack.expectNoChange();
  });

  it("nor do two updates at once", async () => {
    await shop.set({ activeColor: "green" });
    await wiki.set({ activeColor: "green" });
    await neitherLoses(() => Promise.all([shop.up(), wiki.up()]));
    assert.equal((await who("shop")).live, "green 1.0.0");
    assert.equal((await who("wiki")).live, "green 1.1.0");
  });

  it("refuses an address that another service has, and names that", async () => {
    const restore = wiki.keepConfig();
    await wiki.set({ hosts: ["wiki.localhost", "shop.localhost"] });
    const { output } = await wiki.upFails();
    assert.match(
      output,
      new RegExp(`hosts\\[1\\]: the service shop has shop\\.localhost/ on the ingress ${name}\\.`),
    );
    assert.match(output, /Nothing was changed: what is live there keeps serving\./);
    restore();
    await wiki.up();
    await wiki.expectNoChange();
  });

  it("gives a service a path of another one's host name, with the path taken off", async () => {
    const restore = wiki.keepConfig();
    await wiki.set({ hosts: ["shop.localhost"], path: "/wiki", stripPath: true });
    await wiki.up();
    const at = async (path: string) =>
      whoAnswered(await get(`${ingress.url}${path}`, 10_000, "shop.localhost"));
    assert.equal(await at("/"), "green 1.0.0");
    assert.equal(await at("/wiki"), "green 1.1.0");
    assert.equal(await at("/wiki/a"), "green 1.1.0");
    assert.equal(await at("/wikis"), "green 1.0.0");
    assert.equal((await wiki.outputs()).url, `http://shop.localhost:${ingress.port}/wiki`);
    restore();
    await wiki.up();
  });

  it("status tells of every service on the host, and of each stack's own", async () => {
    const told = await ingress.bluegreen("status", "--host");
    assert.equal(told.code, 0, told.output);
    const [, block] = told.output.split(new RegExp(`^ingress ${name}: `, "m"));
    assert.match(block, /^served by nginx\n/);
    for (const [service, version] of [
      ["shop", "1.0.0"],
      ["wiki", "1.1.0"],
    ]) {
      assert.match(block, new RegExp(`^ {2}${service} \\(\\S+/dev/${service}\\)$`, "m"));
      assert.match(block, new RegExp(`url: +http://${service}\\.localhost:${ingress.port}$`, "m"));
      assert.match(
        block,
        new RegExp(`live: +green \\S+:${version} \\(\\S+-${service}-green-\\S+\\), Up`, "m"),
      );
    }
    for (const stack of [shop, wiki]) {
      const { code, output } = await stack.bluegreen("status");
      assert.equal(code, 0, output);
      assert.match(output, /: in order$/m);
    }
    const { code, output } = await ingress.bluegreen("status");
    assert.equal(code, 1, output);
    assert.match(output, /The stack has no BlueGreenService.*npx bluegreen status --host/);
  });

  it("can't be destroyed while services are on it", async () => {
    const { code, output } = await ingress.run("destroy", "--yes", "--skip-preview");
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      new RegExp(`error: the ingress ${name} can't be deleted, since other services are on it: shop wiki`),
    );
    await ingress.expectNoChange();
    assert.equal((await who("wiki")).live, "green 1.1.0");
  });

  it("a service that is destroyed leaves it, and costs the other no request", async () => {
    const load = await Load.start({ port: ingress.port, requests, host: "wiki.localhost" });
    try {
      await shop.destroy();
      await load.more();
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.totals.failures, {});
    assert.equal((await live("shop.localhost")).status, 404);
    assert.deepEqual(await shop.leftovers(), { containers: [], volumes: [], networks: [] });
  });

  it("a service whose stack is lost is removed by its name", async () => {
    const path = `${wiki.project}/dev/wiki`;
    const { code, output } = await ingress.bluegreen("forget", path, "--yes");
    assert.equal(code, 0, output);
    assert.match(output, /service wiki leaves the ingress/);
    assert.equal((await live("wiki.localhost")).status, 503);
    assert.deepEqual(await wiki.leftovers(), { containers: [], volumes: [], networks: [] });
    await wiki.pulumi("state", "delete", "--all", "--force", "--yes");
  });

  it("without services it goes, and nothing is left", async () => {
    await ingress.destroy();
    assert.deepEqual(await ingress.leftovers(), { containers: [], volumes: [], networks: [] });
    const left = await dockerLines("ps", "--all", "--quiet", "--filter", `label=bluegreen.ingress=${name}`);
    assert.deepEqual(left, []);
    assert.ok(!(await docker("network", "ls", "--format", "{{.Name}}")).includes(name));
  });
});
