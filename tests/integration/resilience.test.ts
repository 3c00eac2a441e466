import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { crash } from "../support/faults";
import { useTag } from "../support/images";
import { describeTotals, indent, Load } from "../support/load";
import { useStack, type Role } from "../support/stack";

const DRAIN_S = 4;
const LONGEST_SILENCE_MS = 15_000;

describe("what lasts and what comes back by itself", function () {
  this.timeout(180_000);
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const stack = useStack({ blue: { image: one }, green: { image: two }, drainSeconds: DRAIN_S });
  const nextGreen = useTag(one);
  const nextBlue = useTag(two);
  before("first deploy", () => stack.up());

  describe("a WebSocket and an event stream on the live color", () => {
    let socket: LongSocket;
    let events: EventStream;
    before(async () => {
      socket = await LongSocket.open(stack.port);
      events = await EventStream.open(stack.url);
    });
    after(() => {
      socket?.end();
      events?.end();
    });
    const bothLive = async () => {
      assert.equal(await socket.echo(), "blue 1.0.0");
      await events.next();
    };

    it("are there", bothLive);

    it("outlive a release of the idle color", async () => {
      const { changes } = await stack.set({ green: { image: nextGreen } }).then(() => stack.up());
      assert.deepEqual(changes, {
        service: "update",
        images: "update",
        green: "replace",
        "idle-gate": "replace",
      });
      await bothLive();
    });

    it("outlive a flip", async () => {
      await stack.set({ activeColor: "green" });
      await stack.up();
      assert.equal((await stack.live()).headers["x-color"], "green");
      await bothLive();
    });

    it("outlive the flip back", async () => {
      await stack.set({ activeColor: "blue" });
      await stack.up();
      await bothLive();
    });
  });

  describe("a WebSocket on a color that is replaced", () => {
    it(`works for the drain's ${DRAIN_S} s, then is told to go`, async () => {
      const socket = await LongSocket.open(stack.port);
      await stack.set({ blue: { image: nextBlue } });
      const update = stack.up();
      update.catch(() => {});
      // After the last answer of the former one: on a busy machine the next one may take a second.
      let switched = performance.now();
      while ((await stack.live()).headers["x-version"] === "1.0.0") {
        switched = performance.now();
        await sleep(50);
      }
      let echoed = switched;
      while (await socket.echo().catch(() => undefined)) {
        echoed = performance.now();
        await sleep(50);
      }
      const code = await socket.closed;
      const { output } = await update;

      const lived = (echoed - switched) / 1000;
      console.log(indent(`it worked for ${lived.toFixed(1)} s after the switch`));
      assert.ok(lived > DRAIN_S - 1, `it was cut ${lived} s after the switch`);
      assert.ok(lived < DRAIN_S + 10, `it was still there ${lived} s after the switch`);
      assert.equal(code, 1001);
      assert.match(
        output,
        new RegExp(`drain: up to ${DRAIN_S} s for [1-9] connections to the old container`),
      );
      assert.match(
        output,
        new RegExp(
          `drain: [1-9] connections to the old container were left after ${DRAIN_S} s; they end now`,
        ),
      );
    });
  });

  describe("serving again by itself", () => {
    const faults = { "docker restart": (id: string) => docker("restart", id), "kill -9": crash };
    const roles: [Role, string][] = [
      ["edge", "the edge"],
      ["proxy", "nginx"],
      ["blue", "the live color"],
      ["redis", "Redis"],
    ];
    for (const [fault, strike] of Object.entries(faults)) {
      for (const [role, name] of roles) {
        it(`after ${fault} of ${name}`, async () => {
          const { Id, State } = await stack.container(role);
          await underLoad(async (load) => {
            await strike(Id);
            await load.calm();
          });
          await until(`${name} runs again`, async () => {
            const now = (await stack.container(role)).State;
            return now.Running && now.StartedAt !== State.StartedAt;
          });
          await until("nginx serves, not the edge", async () => !(await edgeServes()));
        });
      }
    }

    it("no update is needed afterwards", () => stack.expectNoChange());

    it("docker kill of nginx, which Docker takes for a stop by hand: the edge serves, and an update mends it", async () => {
      const { Id } = await stack.container("proxy");
      await underLoad(async (load) => {
        await docker("kill", Id);
        await load.calm();
      });
      assert.equal(await edgeServes(), true);
      await stack.refresh();
      await stack.up();
      await until("nginx serves, not the edge", async () => !(await edgeServes()));
      await stack.expectNoChange();
    });

    async function underLoad(act: (load: Load) => Promise<unknown>): Promise<void> {
      const load = await Load.start({ port: stack.port, kept: 16, fresh: 8 });
      try {
        await load.more();
        await act(load);
      } finally {
        await load.stop();
      }
      console.log(indent(describeTotals(load.totals)));
      assert.ok(load.totals.longestSilenceMs < LONGEST_SILENCE_MS, describeTotals(load.totals));
    }

    const edgeServes = async () => {
      const edge = await stack.container("edge");
      const said = await docker("exec", edge.Id, "sh", "-c", "cat /bluegreen/state/instances/edge || :");
      return said === "open";
    };
  });
});

async function until(what: string, holds: () => Promise<boolean>, seconds = 30): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(200);
  }
}

/** The demo app's WebSocket. */
class LongSocket {
  readonly closed: Promise<number>;

  private constructor(private readonly socket: WebSocket) {
    this.closed = once(socket, "close").then(([code]) => code as number);
  }

  static async open(port: number): Promise<LongSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const greeting = once(socket, "message");
    await once(socket, "open");
    await greeting;
    return new LongSocket(socket);
  }

  /** Who echoes. Fails when the connection ended. */
  async echo(): Promise<string> {
    if (this.socket.readyState !== WebSocket.OPEN) throw new Error("the WebSocket was closed");
    const gone = this.closed.then((code) => Promise.reject(new Error(`the WebSocket was closed: ${code}`)));
    const answer = once(this.socket, "message") as Promise<[Buffer]>;
    this.socket.send("still there?");
    const [data] = await Promise.race([answer, gone]);
    const { color, version, echo } = JSON.parse(data.toString()) as Record<string, string>;
    assert.equal(echo, "still there?");
    return `${color} ${version}`;
  }

  end(): void {
    this.socket.terminate();
  }
}

/** The demo app's event stream, one event a second. */
class EventStream {
  private constructor(private readonly response: http.IncomingMessage) {}

  static async open(url: string): Promise<EventStream> {
    const [response] = (await once(http.get(`${url}/events`, { agent: false }), "response")) as [
      http.IncomingMessage,
    ];
    return new EventStream(response.setEncoding("utf8"));
  }

  /** Waits for two more events. */
  async next(): Promise<void> {
    for (let seen = 0; seen < 2; seen++) {
      const [chunk] = (await once(this.response, "data", { signal: AbortSignal.timeout(5000) })) as [string];
      assert.doesNotMatch(chunk, /goodbye/);
    }
    assert.equal(this.response.destroyed, false);
  }

  end(): void {
    this.response.destroy();
  }
}
