import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { describeTotals, failed, Load } from "../support/load";
import { Running, until } from "../support/running";
import { type Service, useLiveService } from "./service";

/** Runs a change under a light load of new connections, of which none may fail. */
async function losesNothing(service: Service, change: () => Promise<void>): Promise<void> {
  const requests = [{ method: "GET" as const, path: "/" }];
  const load = await Load.start({
    port: service.port,
    kept: 4,
    fresh: 4,
    pauseMs: 40,
    maxSeconds: 110,
    requests,
  });
  try {
    await load.more(100);
    await change();
    await load.more(100);
  } finally {
    await load.stop();
  }
  const { totals } = load;
  assert.equal(failed(totals), 0, [describeTotals(totals), ...totals.firstFailures].join("\n"));
  assert.equal(totals.ok, totals.sent);
}

const holds = (service: Service, container: string, wanted: boolean) =>
  until(
    () => `${container} ${wanted ? "opens" : "closes"} its ports`,
    async () => (await service.listens(container)) === wanted,
  );

/** What it wrote to standard output and standard error. */
async function logOf(container: string): Promise<string> {
  return (await new Running("docker", ["logs", container]).ended).output;
}

describe("a second nginx", () => {
  const service = useLiveService();
  const owner = () => service.inProxy("cat", "/bluegreen/state/owner");

  it("keeps its ports closed until a switch has gated it", async () => {
    const [old, oldId] = [service.proxy, await owner()];
    await service.newProxy();
    const failing = await service.switch("blue", { health: { bodyText: "missing", gateTimeoutSeconds: 2 } });
    assert.equal(failing.code, 1, failing.output);
    assert.equal(await service.listens(service.proxy), false);
    assert.equal(await service.listens(old), true);
    assert.equal(await owner(), oldId);
    assert.equal(await service.live(), service.containers.blue);
    await docker("rm", "--force", service.proxy);
    service.proxy = old;
  });

  it("takes over from the first, and no request is lost", async () => {
    const [old, oldId] = [service.proxy, await owner()];
    await losesNothing(service, async () => {
      await service.newProxy();
      const output = await service.switched("blue");
      assert.match(output, /gate: blue passed 2 of 2/);
      assert.match(output, /a new nginx takes over the ports/);
      assert.equal(await service.listens(service.proxy), true);
      assert.equal(await service.listens(old), false);
      assert.equal(await owner(), await service.inProxy("cat", "/bluegreen/id"));
      assert.notEqual(await owner(), oldId);
      await docker("stop", old);
    });
    assert.equal(await service.live(), service.containers.blue);
  });

  it("is not waited for again when it was killed in its drain", async () => {
    const old = service.proxy;
    await service.newProxy();
    const slow = get(`http://127.0.0.1:${service.port}/slow`);
    assert.match(await service.switched("blue"), /and 1 old nginx were left after 2 s; they end now/);
    await docker("kill", old);
    await slow.catch(() => undefined);
    await docker("rm", "--force", old);
    assert.doesNotMatch(await service.switched("green"), /drain/);
    assert.doesNotMatch(await service.switched("blue"), /drain/);
  });

  it("takes over and flips in one switch", async () => {
    await losesNothing(service, async () => {
      const old = service.proxy;
      await service.newProxy();
      await service.switched("green");
      await docker("rm", "--force", old);
    });
    assert.equal(await service.live(), service.containers.green);
  });
});

describe("the edge", () => {
  const service = useLiveService();

  it("stays closed while the proxy serves", async () => {
    await holds(service, service.edge, false);
    assert.equal(await service.listens(service.proxy), true);
  });

  it("takes over from a proxy that is stopped, and yields when it is started: no request is lost", async () => {
    await losesNothing(service, async () => {
      await docker("stop", service.proxy);
      assert.equal(await service.listens(service.edge), true);
      await docker("start", service.proxy);
      await holds(service, service.proxy, true);
      await holds(service, service.edge, false);
    });
  });

  it("serves within seconds when the proxy is killed, and yields when it is started", async () => {
    await docker("kill", service.proxy);
    await until(
      () => "the live color answers",
      () =>
        service.live().then(
          (name) => name === service.containers.blue,
          () => false,
        ),
      30,
    );
    assert.equal(await service.idle(), service.containers.green);
    await losesNothing(service, async () => {
      await docker("start", service.proxy);
      await holds(service, service.proxy, true);
      await holds(service, service.edge, false);
    });
    await service.switched("green");
    assert.equal(await service.live(), service.containers.green);
  });

  it("answers by the new site only, once a switch is through that began while it still served", async () => {
    await docker("stop", service.proxy);
    // Its listeners stay open for some seconds after the proxy's return, as on a busy machine.
    await docker(
      ...["exec", "--detach", service.edge],
      ...["sh", "-c", "(flock 8; sleep 4) 8>>/run/bluegreen/reload.lock"],
    );
    await docker("start", service.proxy);
    await holds(service, service.proxy, true);
    assert.equal(await service.listens(service.edge), true);
    const next = await service.app("blue");
    await service.switched("blue");
    const answers = await Promise.all(Array.from({ length: 20 }, () => service.live()));
    assert.deepEqual(new Set(answers), new Set([next]));
    await service.switched("green");
  });

  it("keeps the proxy from waiting for it when all are stopped at once, as by a daemon; started again, they serve", async () => {
    const { edge, proxy, containers } = service;
    const agent = new http.Agent({ keepAlive: true });
    const [answer] = (await once(http.get({ port: service.port, agent }), "response")) as [
      http.IncomingMessage,
    ];
    await once(answer.resume(), "end");
    const started = performance.now();
    await docker("stop", proxy, edge, ...Object.values(containers));
    const seconds = (performance.now() - started) / 1000;
    agent.destroy();
    assert.doesNotMatch(await logOf(proxy), /did not take over/);
    // 3 s for the edge and 2 s for a kept connection that is idle: neither could do anything any more.
    assert.ok(seconds < 5, `it took ${seconds} s`);
    await docker("start", ...Object.values(containers), edge, proxy);
    await holds(service, proxy, true);
    await until(
      () => "the live color answers",
      () =>
        service.live().then(
          (name) => name === containers.green,
          () => false,
        ),
      30,
    );
  });
});
