import assert from "node:assert/strict";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { describeOnOwnDocker } from "../support/faults";
import { describeTotals, failed, indent, Load } from "../support/load";
import { until } from "../support/running";
import { isShort } from "../support/short";
import { useStack } from "../support/stack";

/** The suite of faults does it 30 times, and not always in the same way. */
const TIMES = isShort ? 2 : 5;
const SERVING_WITHIN_S = 30;

describeOnOwnDocker(
  "serving again by itself",
  () => [useDemo("1.0.0"), useDemo("1.1.0")] as [string, string],
  (engine, [blueImage, greenImage]) => {
    const stack = useStack({
      blue: { image: blueImage },
      green: { image: greenImage },
      workers: { jobs: { command: ["node", "-e", "setInterval(() => {}, 1000)"], stayUpSeconds: 1 } },
    });
    before("first deploy", () => stack.up());

    const worker = async (color: string) => {
      const found = await stack.containers("worker");
      const [one] = found.filter(({ Config }) => Config.Labels["bluegreen.color"] === color);
      return one;
    };
    before("a worker that has moved away", async () => {
      const { Id } = await worker("green");
      await docker("start", Id);
      await docker("stop", Id);
    });
    afterEach("N8: of the workers, that of the live color runs, and no other", async () => {
      await until(
        () => "blue's worker runs",
        async () => (await worker("blue")).State.Running,
      );
      assert.equal((await worker("green")).State.Running, false);
    });

    // It reads what containers print. Whoever prints more than the pipe to it holds, 128 KB, waits for it.
    it("the daemon hangs: every request is answered", async () => {
      const requests = [{ method: "GET" as const, path: `/?${"x".repeat(2000)}` }];
      const load = await Load.start(
        { port: stack.port, kept: 8, fresh: 8, pauseMs: 20, requests },
        engine.within(),
      );
      try {
        engine.haltDaemon();
        await load.more(1000, 20);
      } finally {
        engine.resumeDaemon();
        await load.stop();
      }
      assert.equal(failed(load.totals), 0, describeTotals(load.totals));
    });

    const startLoad = () => Load.start({ port: stack.port, kept: 8, fresh: 8 }, engine.within());

    it(`daemon and all containers killed and started again, ${TIMES} times: serving again by itself`, async () => {
      const load = await startLoad();
      const seconds: string[] = [];
      try {
        for (let i = 0; i < TIMES; i++) {
          await engine.killEverything();
          const started = performance.now();
          await engine.startDaemon();
          await load.more(100, SERVING_WITHIN_S);
          seconds.push(((performance.now() - started) / 1000).toFixed(1));
        }
      } finally {
        await load.stop();
      }
      console.log(indent(`100 answers after ${seconds.join(", ")} s from the daemon's start`));
      console.log(indent(describeTotals(load.totals)));
      assert.equal(seconds.length, TIMES);
      assert.ok(failed(load.totals) > 0, "nothing failed: was anything killed?");
    });

    it("power lost and back: serving again by itself", async () => {
      await engine.powerOff();
      await engine.powerOn();
      const load = await startLoad();
      await load.more(100, SERVING_WITHIN_S);
      await load.stop();
    });

    // Docker does not try again when a container whose network nginx joins was not up yet: then the edge goes on serving.
    it("an update mends at most nginx, and afterwards there is nothing to do", async () => {
      const up = (await stack.container("proxy")).State.Running;
      console.log(indent(up ? "nginx came back too" : "Docker left nginx down: the edge serves"));
      await stack.refresh();
      const { changes } = await stack.up();
      const touched = Object.keys(changes).filter(
        (name) => !["service", "proxy", "switch", "workers"].includes(name),
      );
      assert.deepEqual(touched, []);
      assert.equal((await stack.container("proxy")).State.Running, true);
      await stack.expectNoChange();
    });
  },
);
