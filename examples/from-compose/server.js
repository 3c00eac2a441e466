// Counts its visits in Redis, and writes each down in a file on the volume.
const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { connect } = require("node:net");

const { COLOR, PORT, REDIS_URL, VERSION } = process.env;
const redis = new URL(REDIS_URL);

/** One command, without a client library: `:1` is the answer to INCR. */
function ask(command) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(redis.port), redis.hostname, () => socket.write(`${command}\r\n`));
    socket.once("error", reject);
    socket.once("data", (answer) => {
      socket.end();
      resolve(String(answer).trim());
    });
  });
}

const server = createServer(async (request, response) => {
  try {
    if (request.url === "/health") return response.end(await ask("PING"));
    const visits = Number((await ask("INCR visits")).slice(1));
    appendFileSync("/data/visits.log", `${new Date().toISOString()} ${VERSION}\n`);
    response.setHeader("Content-Type", "application/json");
    response.end(`${JSON.stringify({ color: COLOR, version: VERSION, visits })}\n`);
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
});
server.listen(Number(PORT));

// Docker stops a container with SIGTERM: what is under way is answered first.
process.on("SIGTERM", () => server.close());
