import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { eventually, startApp, stopAll, type App } from "./helpers.js";

const BLUE = { color: "blue", version: "1.2.3" };

async function openSocket(app: App) {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws`);
  const messages: unknown[] = [];
  let color: unknown;
  socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
  socket.on("upgrade", (response) => (color = response.headers["x-color"]));
  await once(socket, "open");
  return { socket, messages, color: () => color };
}

/** Reads an event stream into a text that grows, and tells when it ended. */
async function openStream(app: App) {
  const response = await fetch(`${app.url}/events`);
  assert.ok(response.body);
  let text = "";
  const ended = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
  })();
  return { response, text: () => text, ended };
}

describe("demo app without Redis", function () {
  this.timeout(30_000);
  afterEach(stopAll);

  it("tells color and version in headers and body of every answer, errors included", async () => {
    const app = await startApp();
    for (const path of ["/", "/health", "/slow?ms=0", "/nothing-here", "/slow?ms=x", "/messages", "//"]) {
      const response = await fetch(app.url + path);
      assert.equal(response.headers.get("x-color"), "blue", path);
      assert.equal(response.headers.get("x-version"), "1.2.3", path);
      const { color, version } = (await response.json()) as typeof BLUE;
      assert.deepEqual({ color, version }, BLUE, path);
    }
  });

  it("is UP and leaves Redis out of its health", async () => {
    const app = await startApp();
    const response = await fetch(`${app.url}/health`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { ...BLUE, status: "UP", components: {} });
  });

  it("gives browsers a page and everybody else JSON", async () => {
    const app = await startApp({ VERSION: "<b>1&2</b>" });
    const html = await fetch(app.url, { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
    assert.match(html.headers.get("content-type")!, /^text\/html/);
    const page = await html.text();
    assert.match(page, /<body data-color="blue">/);
    assert.ok(page.includes("&#60;b&#62;1&#38;2") && !page.includes("<b>1&2"), "the version must be escaped");
    const json = await fetch(app.url, { headers: { accept: "*/*" } });
    assert.deepEqual(await json.json(), { color: "blue", version: "<b>1&2</b>", counter: null });
  });

  it("answers slowly when asked to, within bounds", async () => {
    const app = await startApp();
    const before = performance.now();
    assert.equal((await fetch(`${app.url}/slow?ms=700`)).status, 200);
    assert.ok(performance.now() - before >= 690);
    for (const ms of ["60001", "-1", "1e3", ""]) {
      assert.equal((await fetch(`${app.url}/slow?ms=${ms}`)).status, 400, `ms=${ms}`);
    }
  });

  it("greets on the WebSocket and echoes with its color", async () => {
    const app = await startApp();
    const { socket, messages, color } = await openSocket(app);
    socket.send("hello");
    await eventually(() => assert.deepEqual(messages, [BLUE, { ...BLUE, echo: "hello" }]));
    assert.equal(color(), "blue");
    socket.terminate();
  });

  it("sends an event each second", async () => {
    const app = await startApp();
    const { response, text } = await openStream(app);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("x-color"), "blue");
    await sleep(3300);
    const events = [...text().matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data) as typeof BLUE);
    assert.ok(events.length >= 2 && events.length <= 4, `${events.length} events in 3.3 s`);
    for (const { color, version } of events) assert.deepEqual({ color, version }, BLUE);
    assert.match(text(), /^: heartbeat$/m);
  });

  it("names everything that is wrong with its environment and exits 1", async () => {
    const app = await startApp({ PORT: "http", COLOR: "sky blue" });
    assert.equal(await app.exitCode(), 1);
    assert.match(app.output(), /PORT must be a whole number .* not "http"/);
    assert.match(app.output(), /COLOR must be printable ASCII without spaces, not "sky blue"/);
  });
});

describe("demo app on SIGTERM", function () {
  this.timeout(30_000);
  afterEach(stopAll);

  it("finishes requests in flight, refuses new ones, and exits 0", async () => {
    const app = await startApp();
    const inFlight = fetch(`${app.url}/slow?ms=1500`);
    await sleep(300);
    app.kill("SIGTERM");
    await eventually(() => assert.match(app.output(), /no new connections/));
    await assert.rejects(fetch(`${app.url}/health`), "a new connection must be refused");
    const response = await inFlight;
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("connection"), "close");
    assert.deepEqual(await response.json(), { ...BLUE, sleptMs: 1500 });
    assert.equal(await app.exitCode(), 0);
  });

  it("closes WebSockets with 1001 and ends event streams with a goodbye", async () => {
    const app = await startApp();
    const { socket } = await openSocket(app);
    const stream = await openStream(app);
    const closed = once(socket, "close") as Promise<[number, Buffer]>;
    const before = performance.now();
    app.kill("SIGTERM");
    const [code, reason] = await closed;
    assert.equal(code, 1001);
    assert.equal(reason.toString(), "blue is stopping");
    await stream.ended; // rejects when the stream is cut instead of ended
    assert.match(stream.text(), /event: goodbye\ndata: \{"color":"blue","version":"1.2.3"\}\n\n$/);
    assert.equal(await app.exitCode(), 0);
    assert.ok(performance.now() - before < 3000, "nothing was left to wait for");
  });

  it("does not wait for connections that never asked anything, nor for kept idle ones", async () => {
    const app = await startApp();
    const silent = connect(app.port, "127.0.0.1");
    await once(silent, "connect");
    await fetch(`${app.url}/health`); // fetch keeps its connection
    const before = performance.now();
    app.kill("SIGTERM");
    assert.equal(await app.exitCode(), 0);
    assert.ok(performance.now() - before < 3000);
    silent.destroy();
  });

  it("says so and exits 1 when something takes longer than it may", async () => {
    const app = await startApp({ STOP_WITHIN_MS: "500" });
    const inFlight = assert.rejects(fetch(`${app.url}/slow?ms=20000`));
    await sleep(300);
    app.kill("SIGTERM");
    assert.equal(await app.exitCode(), 1);
    assert.match(app.output(), /still busy 500 ms after the signal/);
    await inFlight;
  });
});
