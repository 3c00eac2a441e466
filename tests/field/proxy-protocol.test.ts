import assert from "node:assert/strict";
import { NODE_IMAGE, useService } from "../proxy/service";
import { docker } from "../support/docker";
import { losesNothing } from "../support/load";
import { freePorts } from "../support/ports";
import { until } from "../support/running";
import { ask, Raw, type Told } from "./asks";
import { REQUEST_APP } from "./request-app";

const CLIENT = "203.0.113.9";
const CDN = "198.51.100.7";
const NOBODY: Pick<Told, "headers"> = { headers: {} };
const LIES = { "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "CF-Connecting-IP": "6.6.6.6" };

/** Version 1 is a line, version 2 is binary: what a balancer says of who connects to it. */
const version1 = (client: string) => Buffer.from(`PROXY TCP4 ${client} 192.0.2.80 45000 80\r\n`);
const version2 = (client: string) =>
  Buffer.from([
    ...Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    ...[0x21, 0x11, 0, 12],
    ...client.split(".").map(Number),
    ...[192, 0, 2, 80, 0xaf, 0xc8, 0, 80],
  ]);

/** Passes connections on unread, and says of each whose it is. */
const BALANCER = `
const net = require("node:net");
net.createServer((client) => {
  const target = net.connect(80, process.env.TARGET);
  const [ip, port] = [client.remoteAddress.replace("::ffff:", ""), client.remotePort];
  target.write(\`PROXY TCP4 \${ip} 192.0.2.80 \${port} 80\\r\\n\`);
  client.pipe(target).pipe(client);
  for (const one of [client, target])
    one.on("error", () => {}).on("close", () => (client.destroy(), target.destroy()));
}).listen(80);
`;

describe("N2 a proxy in front that speaks PROXY protocol", () => {
  const service = useService();
  /** As nginx sees what comes from this machine. */
  let sender: string;
  before(async () => {
    for (const color of ["blue", "green"] as const) await service.startApp(color, REQUEST_APP);
    await service.switched("blue");
    const { body } = await ask(service.port, "/");
    sender = (JSON.parse(body) as Told).headers["x-real-ip"];
  });
  const spokenBy = async (...proxyProtocol: string[]) => {
    const { code, output } = await service.takeOver({ proxy: { proxyProtocol } }).ended;
    assert.equal(code, 0, output);
  };
  /** What the app sees of a request that begins with these bytes; undefined where nothing answers. */
  const told = async (first: Buffer, headers: { [name: string]: string } = {}): Promise<Told | undefined> => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const raw = await Raw.connect(service.port);
    raw.socket.write(first);
    raw.socket.write(
      `GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n${lines.join("")}\r\n`,
    );
    await until(
      () => "the connection's end",
      () => Promise.resolve(raw.ended),
      10,
    );
    const body = /\{.*\}/.exec(raw.received)?.[0];
    return body === undefined ? undefined : (JSON.parse(body) as Told);
  };

  it("N2 nothing but the client's address is believed of it, in either version", async () => {
    await spokenBy("192.0.2.0/24", sender);
    for (const version of [version1, version2]) {
      const { headers } = (await told(version(CLIENT), LIES)) ?? NOBODY;
      assert.equal(headers["x-real-ip"], CLIENT);
      assert.equal(headers["x-forwarded-for"], CLIENT);
      assert.equal(headers["x-forwarded-proto"], "http");
      assert.equal(headers["cf-connecting-ip"], undefined);
    }
    assert.equal(await told(Buffer.of()), undefined, "an answer without PROXY protocol");
    assert.equal((await ask(service.previewPort, "/")).status, 200);
  });

  it("N2 of one that is not on the list nothing is believed", async () => {
    await spokenBy("192.0.2.0/24");
    const { headers } = (await told(version1(CLIENT), LIES)) ?? NOBODY;
    assert.equal(headers["x-real-ip"], sender);
    assert.equal(headers["x-forwarded-proto"], "http");
  });

  it("N2 turned off, a connection without it is answered again", async () => {
    await spokenBy();
    assert.equal((await ask(service.port, "/")).status, 200);
  });

  it("N2 headers count where PROXY protocol says that a trusted proxy sends them", async () => {
    const trusting = { proxy: { trustedProxies: [CDN] } };
    await spokenBy(sender);
    await service.switched("green", trusting);
    const scheme = async (client: string) =>
      (await told(version1(client), LIES))?.headers["x-forwarded-proto"];
    assert.equal(await scheme(CDN), "https");
    assert.equal(await scheme(CLIENT), "http");
    await spokenBy("192.0.2.0/24");
    assert.equal(await scheme(CDN), "http", "who may not speak PROXY protocol has lied about it");
  });

  it("N2 a balancer that speaks it: 0 failed requests in flips, an nginx upgrade and when another is added", async () => {
    const balancer = `${service.edge}-balancer`;
    const [port] = await freePorts(1);
    const publish = ["--network", service.network, "--publish", `127.0.0.1:${port}:80`];
    const options = ["--detach", "--init", "--name", balancer, "--env", `TARGET=${service.edge}`, ...publish];
    await docker("run", ...options, NODE_IMAGE, "node", "-e", BALANCER);
    try {
      const format = `{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}`;
      const address = await docker("inspect", "--format", format, balancer);
      await spokenBy(address);
      const { body } = await ask(port, "/");
      assert.equal((JSON.parse(body) as Told).headers["x-real-ip"], sender, "not the balancer's address");
      await losesNothing(
        port,
        async () => {
          await service.switched("blue");
          await service.switched("green");
          await spokenBy(address, sender);
          await service.newProxy();
          await spokenBy(address, sender);
        },
        { requests: [{ method: "GET", path: "/" }] },
      );
    } finally {
      await docker("rm", "--force", balancer);
    }
  });
});
