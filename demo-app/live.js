// Long-lived connections: server-sent events and WebSockets. What a release must not cut, and what a stop must end politely.
import { WebSocketServer } from "ws";

const HEARTBEAT_MS = 15_000;
const UNREAD_LIMIT = 64 * 1024;
const GOING_AWAY = 1001;
const CLOSE_WITHIN_MS = 3000;

/** One event a second to every open stream; `current` gives its content. */
export function openEvents(current) {
  const streams = new Set();

  const toAll = (chunk) => {
    for (const stream of streams) {
      // A reader that went away without closing must not fill the memory.
      if (stream.writableLength > UNREAD_LIMIT) stream.destroy();
      else stream.write(chunk);
    }
  };
  const tick = setInterval(async () => {
    if (streams.size > 0) toAll(`data: ${JSON.stringify(await current())}\n\n`);
  }, 1000);
  const heartbeat = setInterval(() => toAll(": heartbeat\n\n"), HEARTBEAT_MS);

  return {
    add(response) {
      // A stream ends with its connection: nothing is left open that a stop would have to wait for.
      response.writeHead(200, { "content-type": "text/event-stream", connection: "close" });
      response.write("retry: 1000\n: heartbeat\n\n");
      streams.add(response);
      response.on("close", () => streams.delete(response));
    },
    close(farewell) {
      clearInterval(tick);
      clearInterval(heartbeat);
      for (const stream of streams) stream.end(`event: goodbye\ndata: ${JSON.stringify(farewell)}\n\n`);
    },
  };
}

/** Greets, then echoes. Every message says who sent it. */
export function openWebSockets(server, identity) {
  const sockets = new WebSocketServer({ server, path: "/ws", maxPayload: 64 * 1024 });

  sockets.on("headers", (headers) => {
    headers.push(`x-color: ${identity.color}`, `x-version: ${identity.version}`);
  });
  sockets.on("connection", (socket) => {
    socket.answers = true;
    socket.on("pong", () => (socket.answers = true));
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => socket.send(JSON.stringify({ ...identity, echo: data.toString() })));
    socket.send(JSON.stringify(identity));
  });
  const keepAlive = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!socket.answers) socket.terminate();
      socket.answers = false;
      socket.ping();
    }
  }, HEARTBEAT_MS);

  return {
    close() {
      clearInterval(keepAlive);
      for (const socket of sockets.clients) {
        socket.close(GOING_AWAY, `${identity.color} is stopping`);
        const late = setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS);
        socket.on("close", () => clearTimeout(late));
      }
    },
  };
}
