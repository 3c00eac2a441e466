// The routes, and a stop that loses nothing. Every answer carries the color and the version that gave it.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { config } from "./config.js";
import { openEvents, openWebSockets } from "./live.js";
import { page } from "./page.js";
import { MAX_WORK_MS, openRedis } from "./redis.js";

const MAX_SLOW_MS = 60_000;
const MAX_BODY = 16 * 1024;
const SETTLE_MS = 500;
const BASE_URL = "http://localhost"; // only there to parse paths

const { color, version } = config;
const identity = { color, version };
const log = (text) => console.log(`[${color} ${version}] ${text}`);
const redis = config.redisHost ? openRedis(log) : undefined;

let inFlight = 0;
let stopping = false;

const routes = {
  "GET /": home,
  "GET /health": health,
  "GET /slow": slow,
  "GET /events": stream,
  "GET /messages": showMessages,
  "POST /messages": addMessage,
};

// Node's keep-alive defaults are left as they are on purpose: most services a proxy meets have them.
const server = createServer(async (request, response) => {
  inFlight++;
  response.on("close", () => inFlight--);
  response.setHeader("x-color", color);
  response.setHeader("x-version", version);
  response.setHeader("cache-control", "no-store");
  try {
    await route(request, response);
  } catch (error) {
    if (response.headersSent) return response.destroy();
    if (!error.status) log(`${request.method} ${request.url}: ${error.stack}`);
    send(response, error.status ?? 500, { error: error.status ? error.message : "internal error" });
  }
});
const events = openEvents(async () => ({
  ...identity,
  time: new Date().toISOString(),
  ...(await count("counter")),
}));
const webSockets = openWebSockets(server, identity);

function route(request, response) {
  if (!URL.canParse(request.url, BASE_URL)) fail(400, "this path can't be read");
  const url = new URL(request.url, BASE_URL);
  const name = `${request.method === "HEAD" ? "GET" : request.method} ${url.pathname}`;
  const handler = routes[name] ?? fail(404, `${name} is not one of ${Object.keys(routes).join(", ")}, /ws`);
  return handler(request, response, url);
}

async function home(request, response) {
  const content = { ...identity, ...(await count("increment")) };
  response.setHeader("vary", "accept");
  if (!request.headers.accept?.includes("text/html")) return send(response, 200, content);
  response.setHeader("content-type", "text/html; charset=utf-8");
  finish(response, 200, page(content));
}

/** Redis is a part of the page, not a condition for it: without it the counter is null and /health tells why. */
async function count(how) {
  return { counter: redis ? await redis[how]().catch(() => null) : null };
}

async function health(_request, response) {
  const components = redis ? await redis.health() : {};
  const up = Object.values(components).every((component) => component.status === "UP");
  send(response, up ? 200 : 503, { status: up ? "UP" : "DOWN", components });
}

async function slow(_request, response, url) {
  const ms = wholeNumber("ms", url.searchParams.get("ms") ?? "2000", MAX_SLOW_MS);
  await sleep(ms);
  send(response, 200, { sleptMs: ms });
}

function stream(_request, response) {
  if (stopping) fail(503, "this container is stopping; the next attempt reaches another one");
  events.add(response);
}

async function addMessage(request, response) {
  const body = await readJson(request);
  if (typeof body?.text !== "string")
    fail(400, 'the body must be JSON such as {"text": "hello", "ms": 100}; ms is optional');
  const ms = wholeNumber("ms", body.ms ?? 0, MAX_WORK_MS);
  const id = await needRedis((it) => it.add({ text: body.text, ms: String(ms) }));
  send(response, 202, { id, stream: config.streamKey });
}

async function showMessages(_request, response) {
  send(response, 200, await needRedis((it) => it.messages()));
}

async function needRedis(use) {
  if (!redis) fail(503, "messages need Redis, and REDIS_HOST is not set");
  return use(redis).catch((error) => fail(503, `${error.message}; see /health`));
}

async function readJson(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > MAX_BODY) fail(413, `the body is longer than ${MAX_BODY} characters`);
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function wholeNumber(name, value, max) {
  if (!/^\d+$/.test(String(value)) || Number(value) > max) {
    fail(400, `${name} must be a whole number from 0 to ${max}, not ${JSON.stringify(value)}`);
  }
  return Number(value);
}

function fail(status, message) {
  throw Object.assign(new Error(message), { status });
}

function send(response, status, content) {
  response.setHeader("content-type", "application/json");
  finish(response, status, `${JSON.stringify({ ...identity, ...content })}\n`);
}

function finish(response, status, body) {
  // A kept connection would bring the next request to a server that is leaving.
  if (stopping) response.setHeader("connection", "close");
  response.writeHead(status).end(body);
}

async function stop(signal) {
  if (stopping) return;
  stopping = true;
  log(`${signal}: no new connections, finishing what is under way`);
  setTimeout(giveUp, config.stopWithinMs).unref();
  const served = new Promise((resolve) => server.close(resolve));
  events.close(identity);
  webSockets.close();
  closeSilentConnections();
  await Promise.all([served, redis?.stopConsumer()]);
  redis?.close();
  log("stopped, nothing was cut");
  process.exit(0);
}

/** Node takes a connection that never asked anything for a busy one, and would wait a minute for it. */
async function closeSilentConnections() {
  do await sleep(SETTLE_MS);
  while (inFlight > 0);
  server.closeAllConnections();
}

function giveUp() {
  log(`still busy ${config.stopWithinMs} ms after the signal: what is left is cut now`);
  process.exit(1);
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);

server.on("error", (error) => {
  log(`can't listen on port ${config.port}: ${error.message}`);
  process.exit(1);
});
server.listen(config.port, () => {
  log(
    `listening on port ${server.address().port}, ${redis ? `Redis at ${config.redisHost}:${config.redisPort}` : "without Redis"}`,
  );
});
