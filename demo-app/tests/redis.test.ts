import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  docker,
  eventually,
  REDIS_PASSWORD,
  startApp,
  startRedis,
  startRelay,
  stopAll,
  type App,
} from "./helpers.js";

interface Health {
  status: string;
  components: { redis: { status: string; error?: string }; consumer: { status: string; error?: string } };
}
interface Messages {
  stream: string;
  group: string;
  processed: number;
  pending: number;
  waiting: number;
}

const json = async <T>(response: Promise<Response>) => (await (await response).json()) as T;
const health = (app: App) => json<Health>(fetch(`${app.url}/health`));
const messages = (app: App) => json<Messages>(fetch(`${app.url}/messages`));
const send = (app: App, body: unknown) =>
  fetch(`${app.url}/messages`, { method: "POST", body: JSON.stringify(body) });

const isUp = (app: App) =>
  eventually(async () => {
    const { status, components } = await health(app);
    assert.deepEqual(components, { redis: { status: "UP" }, consumer: { status: "UP" } });
    assert.equal(status, "UP");
  });

describe("demo app with Redis", function () {
  this.timeout(60_000);
  let redis: Awaited<ReturnType<typeof startRedis>>;

  before(async () => (redis = await startRedis()));
  after(() => redis?.stop());
  beforeEach(() => redis.cli("FLUSHALL"));
  afterEach(stopAll);

  const start = (env: Record<string, string> = {}, port = redis.port) =>
    startApp({ REDIS_HOST: "127.0.0.1", REDIS_PORT: String(port), REDIS_PASSWORD, ...env });

  it("counts in Redis, one counter for both colors", async () => {
    const [blue, green] = await Promise.all([start(), start({ COLOR: "green" })]);
    await Promise.all([isUp(blue), isUp(green)]);
    const counters = [];
    for (const app of [blue, green, blue])
      counters.push((await json<{ counter: number }>(fetch(app.url))).counter);
    assert.deepEqual(counters, [1, 2, 3]);
  });

  it("is DOWN while Redis refuses, and UP again by itself", async () => {
    const relay = await startRelay(redis.port);
    const app = await start({}, relay.port);
    await isUp(app);
    relay.set("down");
    await eventually(async () => {
      const response = await fetch(`${app.url}/health`);
      assert.equal(response.status, 503);
      const { status, components } = (await response.json()) as Health;
      assert.equal(status, "DOWN");
      assert.equal(components.redis.status, "DOWN");
      assert.equal(components.consumer.status, "DOWN");
    });
    assert.equal((await json<{ counter: null }>(fetch(app.url))).counter, null);
    const refused = await send(app, { text: "lost?" });
    assert.equal(refused.status, 503, "a message that isn't stored must not be accepted");
    relay.set("open");
    await isUp(app);
  });

  /** 7 s is longer than the 5 s after which a silent connection is given up and a new one meets the same silence. */
  async function isDownAndQuickFor(app: App, ms: number) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) {
      const before = performance.now();
      const { status } = await fetch(`${app.url}/health`);
      assert.equal(status, 503);
      assert.ok(performance.now() - before < 1500, `health took ${performance.now() - before} ms`);
    }
  }

  it("answers within bounds while Redis is lost without a word, and is UP again by itself", async () => {
    const relay = await startRelay(redis.port);
    const app = await start({}, relay.port);
    await isUp(app);
    relay.set("hanging");
    await isDownAndQuickFor(app, 7000);
    relay.set("open");
    await isUp(app);
    await send(app, { text: "still consuming" });
    await eventually(async () => assert.equal((await messages(app)).processed, 1));
  });

  it("answers within bounds while Redis is frozen, and is UP again by itself", async () => {
    const app = await start();
    await isUp(app);
    await docker("pause", redis.id);
    try {
      await isDownAndQuickFor(app, 3000);
    } finally {
      await docker("unpause", redis.id);
    }
    await isUp(app);
  });

  it("starts while Redis hangs from the beginning, and is UP when it comes", async () => {
    const relay = await startRelay(redis.port);
    relay.set("hanging");
    const app = await start({}, relay.port);
    await isDownAndQuickFor(app, 2000);
    relay.set("open");
    await isUp(app);
  });

  it("stops in time and exits 0 while Redis hangs", async () => {
    const relay = await startRelay(redis.port);
    const app = await start({}, relay.port);
    await isUp(app);
    relay.set("hanging");
    const before = performance.now();
    app.kill("SIGTERM");
    assert.equal(await app.exitCode(), 0);
    assert.ok(performance.now() - before < 10_000);
  });

  it("is DOWN with a wrong password and tells why", async () => {
    const app = await start({ REDIS_PASSWORD: "wrong" });
    await eventually(() => assert.match(app.output(), /redis: WRONGPASS/));
    assert.equal((await health(app)).status, "DOWN");
  });

  it("processes each color's messages in that color's group only", async () => {
    const blue = await start({ STREAM_KEY: "demo:events:blue" });
    const green = await start({ STREAM_KEY: "demo:events:green", COLOR: "green" });
    await Promise.all([isUp(blue), isUp(green)]);
    for (const text of ["one", "two", "three"]) assert.equal((await send(blue, { text })).status, 202);
    await eventually(async () => {
      const { stream, group, processed, pending, waiting } = await messages(blue);
      assert.deepEqual(
        { stream, group, processed, pending, waiting },
        { stream: "demo:events:blue", group: "demo-blue", processed: 3, pending: 0, waiting: 0 },
      );
    });
    const other = await messages(green);
    assert.equal(other.group, "demo-green");
    assert.equal(other.processed, 0);
  });

  it("refuses a message it can't read", async () => {
    const app = await start();
    await isUp(app);
    for (const body of ["hello", {}, { text: 5 }, { text: "x", ms: -1 }, { text: "x", ms: 10_001 }]) {
      assert.equal((await send(app, body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await send(app, { text: "x".repeat(17_000) })).status, 413);
    assert.equal((await messages(app)).processed, 0);
  });

  it("finishes and acknowledges the message in hand on SIGTERM, and leaves the next for others", async () => {
    const first = await start();
    await isUp(first);
    await send(first, { text: "in hand", ms: 1500 });
    await send(first, { text: "next" });
    await eventually(async () => assert.equal((await messages(first)).pending, 1));
    first.kill("SIGTERM");
    assert.equal(await first.exitCode(), 0);
    assert.equal(await redis.cli("HGET", "demo:processed", "demo-blue"), "1");
    assert.match(await redis.cli("XPENDING", "demo:events", "demo-blue"), /^0\b/);

    const second = await start();
    await eventually(async () => assert.equal((await messages(second)).processed, 2));
  });

  it("takes over what a killed container held", async () => {
    const killed = await start();
    await isUp(killed);
    await send(killed, { text: "orphan", ms: 2000 });
    await eventually(async () => assert.equal((await messages(killed)).pending, 1));
    killed.kill("SIGKILL");
    await killed.exitCode();

    const heir = await start({ CLAIM_AFTER_MS: "500" });
    await eventually(async () => {
      const { processed, pending } = await messages(heir);
      assert.deepEqual({ processed, pending }, { processed: 1, pending: 0 });
    });
  });

  it("goes on when Redis comes back empty", async () => {
    const app = await start();
    await isUp(app);
    await redis.cli("FLUSHALL");
    await eventually(async () => {
      assert.equal((await send(app, { text: "after the loss" })).status, 202);
      assert.ok((await messages(app)).processed > 0);
    });
  });
});
