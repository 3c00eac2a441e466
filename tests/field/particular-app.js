// An app that tells what a request looks like when it gets there, and that is as particular as some apps are.
const crypto = require("node:crypto");
const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");

const {
  NAME,
  // Another host, or plain HTTP, is refused where these are set.
  HOST,
  INSIST_ON_HTTPS,
  // How many requests are in work at once: a worker is free when its answer is handed over.
  WORKERS = "1000",
  // After how long an idle connection is given up.
  KEEP_ALIVE_MS = "60000",
} = process.env;

const MB = 1024 * 1024;
let free = Number(WORKERS);
const waiting = [];
let uploaded = 0;

async function answer(request, response) {
  response.setHeader("x-powered-by", "app");
  const { pathname, searchParams } = new URL(request.url, "http://app");
  const number = (name) => Number(searchParams.get(name));
  if (HOST && request.headers.host !== HOST)
    return response.writeHead(400).end(`not for ${request.headers.host}`);
  if (INSIST_ON_HTTPS && request.headers["x-forwarded-proto"] !== "https")
    return response.writeHead(301, { location: `https://${request.headers.host}${request.url}` }).end();
  switch (pathname) {
    case "/cookies":
      response.setHeader(
        "set-cookie",
        [...Array(number("kb") / 4).keys()].map((i) => `c${i}=${"x".repeat(4096 - 16)}`),
      );
      return response.end(NAME);
    case "/large":
      for (let left = number("mb"); left > 0; left--)
        if (!response.write(Buffer.alloc(MB))) await new Promise((go) => response.once("drain", go));
      return response.end();
    case "/upload":
      uploaded = 0;
      for await (const part of request) uploaded += part.length;
      return response.end(String(uploaded));
    case "/uploaded":
      return response.end(String(uploaded));
    case "/refuse":
      return response.writeHead(413, { connection: "close" }).end("too large for this app");
    case "/redirect":
      response.setHeader("set-cookie", `a=b; Path=${searchParams.get("cookie")}`);
      return response.writeHead(302, { location: searchParams.get("to") }).end();
    case "/hang":
      return;
    // One word at once, and one later.
    case "/words":
      response.writeHead(200, {
        "content-type": searchParams.get("type") ?? "text/plain",
        ...(searchParams.has("length") && { "content-length": "one two".length }),
        ...(searchParams.has("accel") && { "x-accel-buffering": "no" }),
      });
      response.write("one ");
      await sleep(number("ms"));
      return response.end("two");
    default:
      // Reads all of it.
      await request.resume().toArray();
      return response.end(JSON.stringify({ name: NAME, ...toldOf(request) }));
  }
}

const toldOf = ({ method, url, httpVersion, headers }) => ({ method, url, httpVersion, headers });

async function work(request, response) {
  console.log(JSON.stringify(toldOf(request)));
  if (request.socket.givenUp) return request.socket.destroy();
  if (free === 0) await new Promise((go) => waiting.push(go));
  else free--;
  const done = new Promise((resolve) => response.once("finish", resolve).once("close", resolve));
  await answer(request, response);
  await done;
  giveUpWhenIdle(request.socket);
  if (waiting.length > 0) waiting.shift()();
  else free++;
}

// Between the decision to close a connection and its end a request may be on its way. Here that is long enough to be met.
function giveUpWhenIdle(socket) {
  clearTimeout(socket.giveUp);
  socket.giveUp = setTimeout(() => {
    socket.givenUp = true;
    socket.giveUp = setTimeout(() => socket.destroy(), 300);
  }, Number(KEEP_ALIVE_MS));
}

const server = http.createServer({ maxHeaderSize: MB, keepAliveTimeout: 0 }, work);
server.on("connection", (socket) => socket.on("close", () => clearTimeout(socket.giveUp)));
server.on("request", ({ socket }) => clearTimeout(socket.giveUp));
// After the greeting it says what it is told. Frames are no business of nginx.
server.on("upgrade", (request, socket) => {
  if (request.headers.upgrade !== "websocket") return socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = crypto.createHash("sha1").update(key).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("error", () => {});
  socket.pipe(socket);
});
server.listen(3000);
process.on("SIGTERM", () => process.exit());
