import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { useImages } from "../support/images";
import { losesNothing } from "../support/load";
import { freePorts } from "../support/ports";
import { useStack, whoAnswered } from "../support/stack";

const WITHOUT_REDIS = { redis: { enabled: false } };

describe("an existing network", () => {
  const images = useImages({ one: "ok" });
  const network = `bluegreen-test-net-${process.pid}`;
  before(() => docker("network", "create", network));
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.one },
    network: { name: network },
    redis: { enabled: true },
  });
  after(() => docker("network", "rm", network));

  it("is joined, and none is made", async () => {
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
    for (const role of ["edge", "redis", "blue", "green"] as const) {
      assert.deepEqual(Object.keys((await stack.container(role)).NetworkSettings.Networks), [network]);
    }
    assert.deepEqual((await stack.leftovers()).networks, []);
  });

  it("shows no change in a second up and a refresh", () => stack.expectNoChange());

  it("another network is refused without leave for downtime, and nothing is touched", async () => {
    const before = await stack.container("blue");
    const other = `${network}-other`;
    await docker("network", "create", other);
    await stack.set({ network: { name: other } });
    const { output } = await stack.upFails().finally(() => docker("network", "rm", other));
    assert.match(output, /error: this change needs downtime/);
    assert.match(output, new RegExp(`network\\.name: ${network} -> ${other}`));
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
    assert.equal((await stack.container("blue")).Id, before.Id);
    await stack.set({ network: { name: network } });
  });

  it("one that is not there is refused in words, and nothing is touched", async () => {
    await stack.set({ network: { name: "bridge-of-nobody" } });
    const { output } = await stack.upFails();
    assert.match(output, /network\.name: there is no network bridge-of-nobody on the Docker host/);
    assert.match(output, /What to do next: make it \('docker network create bridge-of-nobody'\)/);
    await stack.set({ network: { name: network } });
    assert.deepEqual((await stack.up()).changes, { service: "update" });
  });

  it("is not deleted by destroy", async () => {
    await stack.destroy();
    assert.equal(await docker("network", "inspect", "--format", "{{.Name}}", network), network);
    assert.equal(await docker("network", "inspect", "--format", "{{len .Containers}}", network), "0");
  });
});

describe("a change of ports", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.two }, ...WITHOUT_REDIS });
  let former: { port: number; edge: string; proxy: string };

  before(async () => {
    await stack.up();
    former = { port: stack.port, ...(await frontIds()) };
  });
  const frontIds = async () => ({
    edge: (await stack.container("edge")).Id,
    proxy: (await stack.container("proxy")).Id,
  });

  it("is refused without allowDowntime, with a reason, and nothing is touched", async () => {
    const [next] = await freePorts(1);
    await stack.set({ proxy: { port: next } });
    const { output } = await stack.upFails();
    assert.match(output, /error: this change needs downtime: these can't be changed while/);
    assert.match(output, new RegExp(`proxy\\.port: ${former.port} -> ${next}`));
    assert.match(output, /Nothing was changed: what is live keeps serving/);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual({ port: former.port, ...(await frontIds()) }, former);
    stack.port = next;
  });

  it("is refused together with a release, too, and nothing is switched", async () => {
    await stack.set({ activeColor: "green" });
    await stack.upFails();
    stack.port = former.port;
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.set({ activeColor: "blue" });
  });

  it("works with allowDowntime", async () => {
    const [next] = await freePorts(1);
    await stack.set({ allowDowntime: true, proxy: { port: next } });
    await stack.up();
    stack.port = next;
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.match((await stack.outputs()).url, new RegExp(`^http://(localhost|127\\.0\\.0\\.1):${next}$`));
    await assert.rejects(get(`http://127.0.0.1:${former.port}/`), { code: "ECONNREFUSED" });
  });

  it("PROXY protocol, too: nginx reads it after the update, and again none; edge and nginx stay", async () => {
    const ids = await frontIds();
    await stack.set({ proxy: { proxyProtocol: ["192.0.2.0/24"] } });
    await stack.up();
    await assert.rejects(get(`http://127.0.0.1:${stack.port}/`), { code: "ECONNRESET" });
    await stack.unset("proxy.proxyProtocol");
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual(await frontIds(), ids);
  });

  it("afterwards the leave can be taken back, and the next up has nothing to do", async () => {
    await stack.set({ allowDowntime: false });
    await stack.up();
    await stack.expectNoChange();
  });
});

describe("N9 IPv6", function () {
  // Docker can bind to no address of a host that has none.
  const file = "/proc/net/if_inet6";
  if (!existsSync(file) || readFileSync(file, "utf8") === "") return void it.skip("this machine has none");

  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.two }, ...WITHOUT_REDIS });
  const at = async (port: number) => whoAnswered(await get(`http://[::1]:${port}/`));

  it("serves both families, without being told to; the preview on the loopback addresses alone", async () => {
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual([await at(stack.port), await at(stack.previewPort)], ["blue one", "green two"]);
    const { HostConfig } = await stack.container("edge");
    const bound = Object.values(HostConfig.PortBindings ?? {}).flat();
    assert.deepEqual(bound.map(({ HostIp }) => HostIp).sort(), ["0.0.0.0", "127.0.0.1", "::", "::1"]);
    const [network] = Object.values((await stack.container("edge")).NetworkSettings.Networks);
    assert.match(network.GlobalIPv6Address, /^fd/);
  });

  it("shows no change in a second up and a refresh", () => stack.expectNoChange());

  it("a flip and a new nginx lose no request that comes by IPv6", async () => {
    const change = async () => {
      await stack.set({ activeColor: "green", drainSeconds: 2 });
      await stack.up();
      await stack.set({ logs: { maxFiles: 2 } });
      await stack.up();
    };
    await losesNothing(stack.port, change, { address: "::1", requests: [{ method: "GET", path: "/" }] });
    assert.equal(await at(stack.port), "green two");
  });

  it("turning it off is refused without leave for downtime", async () => {
    await stack.set({ proxy: { ipv6: false } });
    const { output } = await stack.upFails();
    assert.match(output, /proxy\.bindAddress: 0\.0\.0\.0 and :: -> 0\.0\.0\.0\n/);
    await stack.set({ allowDowntime: true });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
    await assert.rejects(at(stack.port), { code: "ECONNREFUSED" });
  });
});
