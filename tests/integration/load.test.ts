import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { useTag } from "../support/images";
import { failed, Load, losesNothing } from "../support/load";
import { freePorts } from "../support/ports";
import { isShort } from "../support/short";
import { useStack } from "../support/stack";

const NGINX = "nginx:1.30.6";
const FLIPS = isShort ? 2 : 6;

describe("under load, 64 kept connections and new ones, no request fails", function () {
  this.timeout(300_000);
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const stack = useStack({ blue: { image: one }, green: { image: two } });
  const secondNginx = useTag(NGINX);
  const nextIdle = useTag(one);
  const nextLive = useTag(two);
  before("first deploy", () => stack.up());

  const flipTo = async (activeColor: string) => {
    await stack.set({ activeColor });
    await stack.up();
  };

  it(`${FLIPS} flips, back and forth`, async () => {
    const { answeredBy } = await losesNothing(stack.port, async (load) => {
      for (let flip = 0; flip < FLIPS; flip++) {
        await flipTo(flip % 2 === 0 ? "green" : "blue");
        await load.more();
      }
    });
    assert.deepEqual(Object.keys(answeredBy).sort(), ["blue 1.0.0", "green 1.1.0"]);
  });

  it("a release of the idle color", async () => {
    const { answeredBy } = await losesNothing(stack.port, async () => {
      await stack.set({ green: { image: nextIdle } });
      await stack.up();
    });
    assert.deepEqual(Object.keys(answeredBy), ["blue 1.0.0"]);
    assert.equal((await stack.idle()).headers["x-version"], "1.0.0");
  });

  it("a change of the live color's image", async () => {
    const { answeredBy } = await losesNothing(stack.port, async () => {
      await stack.set({ blue: { image: nextLive } });
      await stack.up();
    });
    assert.deepEqual(Object.keys(answeredBy), ["blue 1.0.0", "blue 1.1.0"]);
  });

  it("another nginx image", async () => {
    const former = await stack.container("proxy");
    await losesNothing(stack.port, async () => {
      await stack.set({ proxy: { image: secondNginx } });
      await stack.up();
    });
    const proxy = await stack.container("proxy");
    assert.equal(proxy.Config.Image, secondNginx);
    assert.notEqual(proxy.Id, former.Id);
  });

  it("docker restart of nginx's container: the edge takes over and gives back", async () => {
    await losesNothing(stack.port, async (load) => {
      await docker("restart", (await stack.container("proxy")).Id);
      await load.more();
    });
  });

  it("docker stop of nginx's container, docker start", async () => {
    await losesNothing(stack.port, async (load) => {
      const proxy = (await stack.container("proxy")).Id;
      await docker("stop", proxy);
      await load.more(500);
      await docker("start", proxy);
      await load.more(500);
    });
  });
});

describe("the load itself", () => {
  it("counts every failure as what it was, and no other", async () => {
    const server = http.createServer((request, response) => misbehave(request, response));
    let requests = 0;
    const misbehave = (request: http.IncomingMessage, response: http.ServerResponse) => {
      requests++;
      response.setHeader("x-color", "blue").setHeader("x-version", "1");
      if (requests === 100) response.writeHead(502).end();
      else if (requests === 200) request.socket.destroy();
      else if (requests === 300) response.write("never ended");
      else if (requests === 400)
        response.writeHead(200, { "content-length": 9 }).write("cut", () => response.destroy());
      else response.end("fine");
    };
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const load = await Load.start({ port, timeoutMs: 1000, requests: [{ method: "GET", path: "/" }] });
    await load.more(1000);
    const totals = await load.stop();
    server.close();

    const kinds = Object.keys(totals.failures).map((what) =>
      what.replace(/ on a connection used before/, ""),
    );
    assert.deepEqual(kinds.sort(), [
      "502",
      "ECONNRESET",
      "ECONNRESET in the middle of the answer",
      "no answer within 1000 ms",
    ]);
    assert.equal(failed(totals), 4);
    assert.equal(totals.ok, totals.sent - 4);
    assert.equal(totals.sent, requests);
    assert.equal(totals.answeredBy["blue 1"], totals.ok);
  });

  it("fails a test when a plain nginx without an edge is restarted", async () => {
    const [port] = await freePorts(1);
    const plain = await docker(
      "run",
      "--detach",
      "--publish",
      `127.0.0.1:${port}:80`,
      NGINX,
      "nginx",
      "-g",
      "daemon off;",
    );
    try {
      const load = await Load.start({ port, requests: [{ method: "GET", path: "/" }] });
      await load.more();
      await docker("restart", "--time", "0", plain);
      await load.more(500);
      const totals = await load.stop();
      assert.ok(failed(totals) > 0, "nothing failed");
      assert.equal(totals.ok + failed(totals), totals.sent);
    } finally {
      await docker("rm", "--force", "--volumes", plain);
    }
  });
});
