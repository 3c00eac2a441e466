import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { useDemo } from "../support/demo";
import { useImages, useTag } from "../support/images";
import { useStack, type TestStack } from "../support/stack";

// Five blue/green systems of other people, S0 to S4, and where each went wrong: none of it may happen here.

const WITHOUT_REDIS = { redis: { enabled: false } };
const HEALTH = { gateTimeoutSeconds: 3, timeoutSeconds: 1 };

describe("S0: sed and compose projects over SSH", () => {
  const images = useImages({ one: "ok", two: "ok", broken: "exits" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    health: HEALTH,
    ...WITHOUT_REDIS,
  });
  before(async () => void (await stack.up()));
  const flipTo = async (color: string) => {
    await stack.set({ activeColor: color });
    return stack.up();
  };

  it("a pattern that never matched made the switch a silent no-op: a site that was edited by hand is switched all the same", async () => {
    await inProxy(
      stack,
      "sed -i 's/proxy_pass  */proxy_pass    /; s/^ *server {/server    {/' /bluegreen/state/services/service/site.conf",
    );
    await flipTo("green");
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("a pattern that never matched made the switch a silent no-op: an nginx that ignores the reload fails the up", async () => {
    await stack.set({ activeColor: "blue" });
    const { output } = await upFailsWith(stack, DEAF_NGINX);
    assert.match(output, /nginx did not take a new configuration/);
    assert.match(output, /green keeps serving/);
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("no nginx -t: a configuration that nginx refuses fails the up, and the former one serves", async () => {
    await stack.set({ activeColor: "blue" });
    const { output } = await upFailsWith(stack, REFUSING_NGINX);
    assert.match(output, /error: nginx refuses the new configuration/);
    assert.match(output, /unknown directive "no_such_directive"/);
    assert.match(output, /green keeps serving/);
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
    await stack.set({ activeColor: "green" });
    await stack.up();
  });

  it("a failed candidate was left behind: here it is stopped, and deleted by the next up that passes", async () => {
    await stack.set({ blue: { image: images.broken } });
    await stack.upFails();
    const [candidate] = (await stack.containers("blue")).filter(
      ({ Config }) => Config.Image === images.broken,
    );
    assert.equal(candidate.State.Running, false);
    await stack.set({ blue: { image: images.one } });
    await stack.up();
    assert.equal((await stack.container("blue")).Config.Image, images.one);
  });

  it("both colors running at the start: the flip needs nothing else", async () => {
    await flipTo("blue");
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  });

  it("one color running at the start: the other one is started for its gate", async () => {
    await docker("stop", (await stack.container("green")).Id);
    await flipTo("green");
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("no color running at the start: both are started", async () => {
    await docker("stop", (await stack.container("green")).Id, (await stack.container("blue")).Id);
    await flipTo("blue");
    assert.equal((await stack.serving()).live, "blue one");
    await until(async () => (await stack.serving()).idle === "green two");
  });

  it("both colors up: it stopped blue without asking which is live; here the idle one is stopped, whichever it is", async () => {
    const startOf = async () => (await stack.container("blue")).State.StartedAt;
    const start = await startOf();
    await stack.set({ idle: "stopped" });
    await stack.up();
    assert.equal((await stack.container("green")).State.Running, false);
    assert.equal(await startOf(), start);
    await flipTo("green");
    assert.equal((await stack.container("blue")).State.Running, false);
    assert.equal((await stack.serving()).live, "green two");
  });
});

const DEAF_NGINX = `#!/bin/sh
case "$*" in *"-s reload"*) exit 0 ;; esac
exec /usr/sbin/nginx "$@"
`;
// The settings are checked so that no site is refused: here the real nginx is given one thing more to test.
const REFUSING_NGINX = `#!/bin/sh
case " $* " in *" -t "*) set -- "$@" -g "no_such_directive on;" ;; esac
exec /usr/sbin/nginx "$@"
`;

/** An update that fails while another program stands before the proxy's nginx. */
async function upFailsWith(stack: TestStack, nginx: string) {
  await inProxy(stack, `cat >/usr/local/sbin/nginx <<'END' && chmod +x /usr/local/sbin/nginx\n${nginx}END`);
  const result = await stack.upFails();
  await inProxy(stack, "rm /usr/local/sbin/nginx");
  return result;
}

describe("S1: two jars behind an include file", () => {
  const images = useImages({ one: "ok", two: "ok", three: "ok", nested: "nested-up" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    health: { ...HEALTH, jsonField: "status", jsonValue: "UP" },
    idle: "stopped",
    drainSeconds: 30,
    ...WITHOUT_REDIS,
  });
  before(async () => void (await stack.up()));

  it("grep UP passed when only a nested component was UP: here the gate looks at the field itself", async () => {
    await stack.set({ green: { image: images.nested } });
    const { output } = await stack.upFails();
    assert.match(output, /Last answer to GET \/health: HTTP 200 .*"status":"UP"/);
    assert.equal((await stack.serving()).live, "blue one");
    await stack.set({ green: { image: images.two } });
    await stack.up();
  });

  it("the target variable was never set: a switch without a target is refused", async () => {
    await stack.set({ activeColor: "" });
    const { output } = await stack.upFails();
    assert.match(output, /activeColor: is "", but must be "blue" or "green"/);
    assert.equal((await stack.serving()).live, "blue one");
  });

  it("a long transaction on the old color finishes, and the color that is about to be stopped waits for it", async () => {
    await stack.set({ activeColor: "green" });
    await finishesDuring(stack, "blue", "green two");
    assert.equal((await stack.container("blue")).State.Running, false);
  });

  it("a long transaction on the live color finishes when its image is replaced", async () => {
    await stack.set({ green: { image: images.three } });
    await finishesDuring(stack, "green", "green three");
  });
});

/** A request that is held by the old container during an update, and answered only after the new one serves. */
async function finishesDuring(stack: TestStack, color: "blue" | "green", next: string): Promise<void> {
  const old = await stack.container(color);
  let answered = false;
  const request = stack.live("/hold", 120_000).finally(() => (answered = true));
  await until(async () => (await docker("logs", old.Id)).includes("GET /hold"));
  const update = stack.start("up", "--yes", "--skip-preview");
  await update.says("drain: up to 30 s for ");
  assert.equal((await stack.serving()).live, next);
  assert.equal(answered, false);
  await docker("kill", "--signal", "USR2", old.Id);
  const { status, body } = await request;
  assert.equal(status, 200);
  assert.equal((JSON.parse(body) as { color: string }).color, color);
  const { code, output } = await update.ended;
  assert.equal(code, 0, output);
  assert.match(output, /drain: none is left/);
}

describe("S2: images pushed and started over SSH", () => {
  const images = useImages({ one: "ok", two: "ok", hanging: "never-up" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    health: HEALTH,
    ...WITHOUT_REDIS,
  });
  before(async () => void (await stack.up()));

  it("both configurations pointed at one port: here each port has the color that it is for, before and after a flip", async () => {
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.set({ activeColor: "green" });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("both configurations pointed at one port: one port for both is refused", async () => {
    await stack.set({ proxy: { previewPort: stack.port } });
    const { output } = await stack.upFails();
    assert.match(output, new RegExp(`proxy.previewPort: is ${stack.port}, as is proxy.port`));
    await stack.set({ proxy: { previewPort: stack.previewPort } });
  });

  it("the gate looked only at the process: here a process that runs, but answers nothing, does not pass", async () => {
    await stack.set({ blue: { image: images.hanging } });
    const { output } = await stack.upFails();
    assert.match(output, /State of \S+: running \(Up .*\), restarted 0 times/);
    assert.match(output, /error: blue did not pass its health gate/);
  });

  it("a failure exited 0: here it does not, and says so in the summary, too", async () => {
    const { code, output } = await stack.run("up", "--yes", "--skip-preview");
    assert.notEqual(code, 0);
    assert.match(output, /update failed/);
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });
});

describe("S3: a shared Redis and WebSockets", () => {
  const images = useImages({ broken: "exits" });
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const next = { blue: useTag(two), green: useTag(one) };
  const stack = useStack({ blue: { image: one }, green: { image: two } });
  before(async () => void (await stack.up()));

  it("WebSockets were cut at the switch: here one stays with its color, and a new one gets the new color", async () => {
    const old = await openSocket(stack);
    assert.equal(old.color, "blue");
    await stack.set({ activeColor: "green" });
    await stack.up();
    assert.match(await old.echo("still there"), /"color":"blue".*"echo":"still there"/);
    const fresh = await openSocket(stack);
    assert.equal(fresh.color, "green");
    old.close();
    fresh.close();
  });

  it("a failed container was left running: here it is stopped", async () => {
    await stack.set({ blue: { image: images.broken } });
    await stack.upFails();
    const candidates = (await stack.containers("blue")).filter(
      ({ Config }) => Config.Image === images.broken,
    );
    assert.deepEqual(
      candidates.map(({ State }) => State.Running),
      [false],
    );
    await stack.set({ blue: { image: one } });
    await stack.up();
  });

  it("taking a color down could take Redis with it: here both colors are replaced and Redis runs on", async () => {
    const before = await stack.container("redis");
    await stack.set({ blue: { image: next.blue }, green: { image: next.green } });
    await stack.up();
    const now = await stack.container("redis");
    assert.deepEqual([now.Id, now.State.StartedAt], [before.Id, before.State.StartedAt]);
  });

  it("taking a color down could take Redis with it: a color that was removed by hand comes back with a refresh, Redis runs on", async () => {
    const before = await stack.container("redis");
    await docker("rm", "--force", (await stack.container("blue")).Id);
    await stack.up("--refresh");
    const now = await stack.container("redis");
    assert.deepEqual([now.Id, now.State.StartedAt], [before.Id, before.State.StartedAt]);
    assert.deepEqual(await stack.serving(), { live: "green 1.0.0", idle: "blue 1.1.0" });
  });

  it("Redis was published on the host: here no port of it is", async () => {
    const { Id, HostConfig } = await stack.container("redis");
    assert.deepEqual(HostConfig.PortBindings ?? {}, {});
    assert.equal(await docker("port", Id), "");
  });
});

/** A WebSocket through the public port, greeted by the color that holds it. */
async function openSocket(stack: TestStack) {
  const socket = new WebSocket(`${stack.url.replace("http", "ws")}/ws`);
  const nextMessage = async () => String(((await once(socket, "message")) as [Buffer])[0]);
  const { color } = JSON.parse(await nextMessage()) as { color: string };
  return {
    color,
    echo: (text: string) => {
      assert.equal(socket.readyState, WebSocket.OPEN, "the WebSocket was cut");
      socket.send(text);
      return nextMessage();
    },
    close: () => socket.terminate(),
  };
}

describe("S4: one small server, streams, and green as the test server", () => {
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const next = useTag(two);
  const stack = useStack({
    blue: { image: one, env: { STREAM_KEY: "demo:blue", CONSUMER_GROUP: "demo-blue" } },
    green: { image: two, env: { STREAM_KEY: "demo:green", CONSUMER_GROUP: "demo-green" } },
    env: { CLAIM_AFTER_MS: "2000" },
  });
  before(async () => void (await stack.up()));

  it("the colors took each other's messages: here each has its own stream and group", async () => {
    await post(stack.previewUrl, { text: "for green" });
    await until(async () => (await messages(stack.previewUrl)).processed === 1);
    const blue = await messages(stack.url);
    assert.deepEqual([blue.group, blue.processed, blue.pending], ["demo-blue", 0, 0]);
  });

  it("SSE emitters were lost, and the switch was by hand: one setting and up, and an open stream goes on", async () => {
    const events = await openEvents(stack);
    await stack.set({ activeColor: "green" });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green 1.1.0", idle: "blue 1.0.0" });
    const seen = events.text().length;
    await until(() => events.text().slice(seen).includes('"color":"blue"'));
    assert.equal(events.isOpen(), true);
    events.close();
  });

  it("messages pending in the old color's group lost their owner: here the idle color finishes its own", async () => {
    await stack.set({ activeColor: "blue" });
    await stack.up();
    await post(stack.url, { text: "under way", ms: 8000 });
    await until(async () => (await messages(stack.url)).pending === 1);
    await stack.set({ activeColor: "green" });
    await stack.up();
    await until(async () => (await messages(stack.previewUrl)).processed === 1);
    assert.equal((await messages(stack.previewUrl)).pending, 0);
  });

  it("messages pending in the old color's group lost their owner: here the next container takes over those of a killed one", async () => {
    await post(stack.previewUrl, { text: "of the killed one", ms: 1000 });
    await until(async () => (await messages(stack.previewUrl)).pending === 1);
    await docker("kill", (await stack.container("blue")).Id);
    await stack.set({ blue: { image: next } });
    await stack.up();
    await until(async () => (await messages(stack.previewUrl)).processed === 2);
    assert.equal((await messages(stack.previewUrl)).pending, 0);
  });
});

interface Messages {
  group: string;
  processed: number;
  pending: number;
}

async function messages(url: string): Promise<Messages> {
  return JSON.parse((await get(`${url}/messages`)).body) as Messages;
}

async function post(url: string, body: object): Promise<void> {
  const { status } = await fetch(`${url}/messages`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(status, 202);
}

/** Server-sent events from the public port. */
async function openEvents(stack: TestStack) {
  const request = http.get(`${stack.url}/events`, { agent: false });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  let open = true;
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  response.on("error", () => (open = false)).on("close", () => (open = false));
  return { text: () => text, isOpen: () => open, close: () => request.destroy() };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + 90_000; !(await condition()); await sleep(200)) {
    assert.ok(Date.now() < end, "it did not come to be within 90 s");
  }
}

async function inProxy(stack: TestStack, script: string): Promise<void> {
  await docker("exec", (await stack.container("proxy")).Id, "sh", "-c", script);
}
