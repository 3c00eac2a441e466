import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { TestCa, type Certificate } from "../support/certificates";
import { get } from "../support/http";
import { secureGet } from "../support/https";
import { useImages } from "../support/images";
import { describeTotals, failed, Load } from "../support/load";
import { freePorts } from "../support/ports";
import { useStack } from "../support/stack";

const NAMES = ["shop.test", "www.shop.test"];

describe("a stack with TLS", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  const ca = new TestCa();
  after(() => ca.remove());
  const first = ca.issue(NAMES);
  let port = 0;

  const ask = (name = NAMES[0]) => secureGet(port, name, "/", ca.certificate);
  const who = async () => {
    const { color, version } = JSON.parse((await ask()).body) as { color: string; version: string };
    return `${color} ${version}`;
  };
  async function setCertificate({ certificate, privateKey }: Certificate): Promise<void> {
    await stack.set({ tls: { certificate } });
    await stack.setSecret("tls.privateKey", privateKey);
  }

  it("turning it on is downtime, which is refused without leave", async () => {
    await stack.up();
    [port] = await freePorts(1);
    await stack.set({ tls: { names: NAMES, port } });
    await setCertificate(first);
    const { output, changes } = await stack.upFails();
    assert.match(output, new RegExp(`tls\\.port: none -> ${port}`));
    assert.equal(changes.edge, undefined);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  });

  it("serves every name, and redirects the plain port", async () => {
    await stack.set({ allowDowntime: true });
    await stack.up();
    await stack.unset("allowDowntime");
    assert.equal(await who(), "blue one");
    for (const name of NAMES) assert.equal((await ask(name)).status, 200);
    const { status, headers } = await get(`${stack.url}/a`);
    assert.deepEqual([status, headers.location], [308, `https://127.0.0.1:${port}/a`]);
    assert.equal((await stack.outputs()).url, `https://${NAMES[0]}:${port}`);
    await stack.up();
  });

  it("flips, and a new certificate is a reload: no request is lost and no container is touched", async () => {
    const load = await Load.start({
      port,
      tls: { ca: ca.certificate, name: NAMES[0] },
      kept: 8,
      fresh: 2,
      requests: [{ method: "GET", path: "/" }],
    });
    const second = ca.issue(NAMES);
    try {
      await stack.set({ activeColor: "green" });
      assert.deepEqual((await stack.up()).changes, { service: "update", switch: "replace" });
      await setCertificate(second);
      assert.deepEqual((await stack.up()).changes, { service: "update", certificate: "replace" });
      await load.more(100);
    } finally {
      await load.stop();
    }
    const { totals } = load;
    assert.equal(failed(totals), 0, [describeTotals(totals), ...totals.firstFailures].join("\n"));
    assert.equal(await who(), "green two");
    assert.equal((await ask()).serial, new X509Certificate(second.certificate).serialNumber);
  });

  it("a bad certificate fails the update before the switch, and is in no way served", async () => {
    const { serial } = await ask();
    const restore = stack.keepConfig();
    await setCertificate(ca.issue(NAMES, { days: -1 }));
    await stack.set({ activeColor: "blue" });
    const { output, changes } = await stack.upFails();
    restore();
    assert.match(output, /error: the certificate is refused: it has expired/);
    assert.equal(changes.switch, undefined);
    assert.equal(await who(), "green two");
    assert.equal((await ask()).serial, serial);
    await stack.up();
    await stack.expectNoChange();
  });

  it("the key is not in the state, the output or what Docker tells of the containers", async () => {
    const state = await stack.export();
    const secret = first.privateKey.split("\n")[1];
    const certificate = stack.keepConfig();
    await setCertificate(first);
    const { output } = await stack.up();
    certificate();
    assert.ok(!state.includes(secret));
    assert.ok(!(await stack.export()).includes(secret));
    assert.ok(!output.includes(secret));
    for (const role of ["edge", "proxy"] as const)
      assert.ok(!JSON.stringify(await stack.container(role)).includes(secret));
  });
});
