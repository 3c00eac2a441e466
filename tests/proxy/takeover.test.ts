import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { Running, until } from "../support/running";
import { losesNothingLightly, type Service, useLiveService } from "./service";
import { TAKE_OVER_STEPS, withLine } from "./steps";

const losesNothing = (service: Service, change: () => Promise<void>) =>
  losesNothingLightly({ port: service.port }, change);

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

  const ended = (options: Parameters<Service["takeOver"]>[0] = {}) => service.takeOver(options).ended;

  it("keeps its ports closed until it takes over; until then a switch is the first one's", async () => {
    const [old, oldId] = [service.proxy, await owner()];
    await service.newProxy();
    const { code, output } = await service.startSwitch("green").ended;
    assert.equal(code, 0, output);
    assert.equal(await service.live(), service.containers.green);
    assert.deepEqual([await service.listens(old), await service.listens(service.proxy)], [true, false]);
    assert.equal(await docker("exec", old, "cat", "/bluegreen/state/owner"), oldId);
  });

  it("takes over nothing where a live color answers another way through it", async () => {
    const oldId = await owner();
    const editTakeOver = (input: string) => input.replaceAll("now=$(answer_of ", "now=418 # $(answer_of ");
    const { code, output } = await ended({ editTakeOver });
    assert.equal(code, 1, output);
    assert.match(
      output,
      /the live color of shop answers HTTP 200 through the nginx that serves, and HTTP 418 through the new/,
    );
    assert.match(output, /What to do next: .*run 'pulumi up' again/);
    assert.equal(await service.listens(service.proxy), false);
    assert.equal(await owner(), oldId);
    assert.equal(await service.live(), service.containers.green);
  });

  it("takes over from the first, and no request is lost", async () => {
    await losesNothing(service, async () => {
      const output = await service.switched("green");
      assert.match(output, /gate: shop through the new nginx/);
      assert.match(output, /the new nginx takes over the ports/);
      assert.equal(await service.listens(service.proxy), true);
      assert.equal(await owner(), await service.inProxy("cat", "/bluegreen/id"));
    });
    assert.equal(await service.live(), service.containers.green);
    const journal = await service.inProxy("cat", "/bluegreen/state/journal");
    const outcomes = journal.split("\n").map((line) => (JSON.parse(line) as { outcome: string }).outcome);
    assert.match(outcomes.at(-2) ?? "", /^failed: the live color of shop answers/);
    assert.equal(outcomes.at(-1), "done");
  });

  it("waits for its connections, and not again when it was killed in its drain", async () => {
    const old = service.proxy;
    await service.newProxy();
    const slow = get(`http://127.0.0.1:${service.port}/slow`);
    assert.match(
      await service.switched("green"),
      /1 old nginx with open connections were left after 2 s; they end now/,
    );
    await docker("kill", old);
    await slow.catch(() => undefined);
    await docker("rm", "--force", old);
    await service.newProxy();
    assert.doesNotMatch(await service.switched("green"), /were left/);
  });

  it("waits for a switch that is under way; one that begins meanwhile waits for it", async () => {
    const old = service.proxy;
    await service.newProxy();
    const candidate = await service.app("blue", "sick");
    const running = service.startSwitch("blue");
    await running.says("==> gate: blue");
    const takeOver = service.takeOver();
    await takeOver.says("==> waiting for a switch that is running: shop (project/stack/service since ");
    await service.heal(candidate);
    const [switched, takenOver] = [await running.ended, await takeOver.ended];
    assert.equal(switched.code, 0, switched.output);
    assert.equal(takenOver.code, 0, takenOver.output);
    assert.equal(await service.live(), candidate);
    assert.deepEqual([await service.listens(old), await service.listens(service.proxy)], [false, true]);

    const former = service.proxy;
    await service.newProxy();
    const slowly = service.takeOver({ editTakeOver: withLine(TAKE_OVER_STEPS.be_alone, "  sleep 3\n") });
    await slowly.says("==> the new nginx takes over the ports");
    const next = await service.startSwitch("green").ended;
    assert.equal(next.code, 0, next.output);
    assert.match(next.output, /a new nginx is taking over: waiting for it/);
    assert.equal((await slowly.ended).code, 0);
    assert.equal(await service.live(), service.containers.green);
    assert.equal(await service.listens(former), false);
  });

  it("a switch behind it flips, and no request is lost", async () => {
    await losesNothing(service, async () => {
      const old = service.proxy;
      await service.newProxy();
      await service.switched("blue");
      await docker("rm", "--force", old);
    });
    assert.equal(await service.live(), service.containers.blue);
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
    // Without a reload, its listeners stay open for a while after the proxy's return, as on a busy machine.
    const held =
      "(flock 8; while [ ! -e /run/bluegreen/let-go ]; do sleep 0.1; done) 8>>/run/bluegreen/reload.lock";
    await docker("exec", "--detach", service.edge, "sh", "-c", held);
    await docker("start", service.proxy);
    await holds(service, service.proxy, true);
    const next = await service.app("blue");
    const letGo = sleep(2000).then(() => docker("exec", service.edge, "touch", "/run/bluegreen/let-go"));
    await service.switched("blue");
    const answers = await Promise.all(Array.from({ length: 20 }, () => service.live()));
    assert.deepEqual(new Set(answers), new Set([next]));
    await letGo;
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
