// The app. All that a release asks of it: it listens on PORT, and /health answers 2xx when it is ready for users.
const { createServer } = require("node:http");

const { COLOR, PORT, VERSION } = process.env;

const server = createServer((request, response) => {
  if (request.url === "/health") return response.end("ready\n");
  response.setHeader("Content-Type", "application/json");
  response.end(`${JSON.stringify({ color: COLOR, version: VERSION })}\n`);
});
server.listen(Number(PORT));

// Docker stops a container with SIGTERM: what is under way is answered first.
process.on("SIGTERM", () => server.close());
