import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { expectHardened } from "../support/cis";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { useImages } from "../support/images";
import { Pebble } from "../support/pebble";
import { freePorts } from "../support/ports";
import { until } from "../support/running";
import { useStack } from "../support/stack";

const NAMES = ["shop.test", "www.shop.test"];
const VALID_SECONDS = 180;

describe("a stack with a certificate by ACME", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const pebble = new Pebble();
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  let port = 0;
  before(async () => {
    await pebble.create(NAMES, stack.port, VALID_SECONDS);
    [port] = await freePorts(1);
    await stack.set({ network: { name: pebble.network } });
    await stack.set({ tls: { port, acmeEmail: "ops@shop.test", acmeDirectory: pebble.directory } });
    await stack.set({ tls: { acmeImage: pebble.clientImage } });
  });
  // After the stack, which useStack() removes first: it is connected to this network.
  after(() => pebble.remove());

  /** The certificate that is shown to who asks for a name. */
  const shown = (name: string) =>
    new Promise<tls.PeerCertificate>((resolve, reject) => {
      const socket = tls.connect({ port, host: "127.0.0.1", servername: name, rejectUnauthorized: false });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        resolve(socket.getPeerCertificate());
        socket.end();
      });
    });

  it("one that is not given fails the update, with the reason, and the service is on plain HTTP", async () => {
    await stack.set({ tls: { names: [...NAMES, "elsewhere.test"] } });
    const { output } = await stack.upFails();
    assert.match(output, /elsewhere\.test/);
    assert.match(output, /error: no certificate was obtained/);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await assert.rejects(shown(NAMES[0]), /ECONNRE|socket/);
    await stack.unset("tls.names[2]");
  });

  it("it is obtained, for all names, and the plain port redirects", async () => {
    const { output } = await stack.up();
    assert.match(output, /certificate for shop\.test www\.shop\.test, valid until/);
    for (const name of NAMES) {
      const { subjectaltname, issuer } = await shown(name);
      assert.equal(subjectaltname, NAMES.map((one) => `DNS:${one}`).join(", "));
      assert.match(String(issuer.CN), /^Pebble Intermediate CA/);
    }
    assert.equal((await get(`${stack.url}/`)).status, 308);
    await stack.expectNoChange();
  });

  it("its client can do nothing but that", async () => {
    await expectHardened("acme", (await stack.container("acme")).Id);
  });

  it("it is renewed by itself when half of its time is over, and taken in with a reload", async () => {
    const { serialNumber } = await shown(NAMES[0]);
    const [acme, proxy] = [await stack.container("acme"), await stack.container("proxy")];
    await until(
      () => "another certificate",
      async () => {
        // The client looks twice a day; here it sleeps less.
        await docker(
          "exec",
          acme.Id,
          "sh",
          "-c",
          "for pid in $(grep -l ^sleep /proc/[0-9]*/cmdline | cut -d/ -f3); do kill $pid; done",
        );
        await sleep(3000);
        return (await shown(NAMES[0])).serialNumber !== serialNumber;
      },
      VALID_SECONDS,
    );
    assert.equal((await stack.container("proxy")).Id, proxy.Id);
    assert.match(await docker("logs", proxy.Id), /certificate for shop\.test www\.shop\.test, valid until/);
  });
});
