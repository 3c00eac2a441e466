// A service whose behaviour is set by the environment: what can go wrong with a release, and nothing else.
const fs = require("node:fs");
const http = require("node:http");

const {
  BEHAVIOUR = "ok",
  COLOR,
  VERSION,
  PORT,
  HEALTH_PATH = "/health",
  HEALTH_BODY = '{"status":"UP"}',
} = process.env;
const SLOW_START_MS = 2000;
const LATE_START_MS = 8000;

const NESTED_UP = '{"status":"DOWN","components":{"x":{"status":"UP"}}}';

const behaviours = {
  ok: () => listen(200, HEALTH_BODY),
  "never-up": () => setInterval(() => {}, 1000),
  "wrong-status": () => listen(500, '{"status":"UP"}'),
  redirects: () => listen(302, '{"status":"UP"}'),
  "nested-up": () => listen(200, NESTED_UP),
  exits: () => {
    console.log("fixture: the database password is missing");
    process.exit(3);
  },
  "slow-start": () => setTimeout(() => listen(200, HEALTH_BODY), SLOW_START_MS),
  // What a health gate meets when a setting is wrong.
  "other-port": () => serve(200).listen(5000),
  loopback: () => serve(200).listen(Number(PORT), process.env.BIND ?? "127.0.0.1"),
  "only-http2": () => require("node:http2").createServer().listen(Number(PORT)),
  // It does not end at SIGTERM either: the first process of a container ignores what it does not handle.
  hangs: () => serve((response) => void response).listen(Number(PORT)),
  "late-start": () => setTimeout(() => serve(200).listen(Number(PORT)), LATE_START_MS),
  "no-health": () => serve(404).listen(Number(PORT)),
  "wants-name": () =>
    serve((response, { headers }) =>
      response.writeHead(headers.host === "shop.example.com" ? 200 : 400).end(),
    ).listen(Number(PORT)),
  // Its health is on another port, and for who has the token.
  guarded: () => {
    listen(404, "");
    http
      .createServer(({ headers }, response) =>
        response
          .writeHead(headers.authorization === process.env.HEALTH_TOKEN ? 200 : 401)
          .end("of the actuator"),
      )
      .listen(8181);
  },
  "wants-https": () =>
    serve((response) =>
      response.writeHead(301, { Location: "https://shop.example.com/health" }).end(),
    ).listen(Number(PORT)),
};

/** Only the health request is answered in this way; a number is a status. */
function serve(health) {
  const answer = typeof health === "number" ? (response) => response.writeHead(health).end() : health;
  return http.createServer((request, response) =>
    (request.url === HEALTH_PATH ? answer : tellAll)(response, request),
  );
}

function listen(status, healthBody) {
  let broken = false;
  const held = [];
  const routes = {
    [HEALTH_PATH]: (response) => response.writeHead(broken ? 503 : status).end(healthBody),
    // From then on it is unhealthy.
    "/break": (response) => {
      broken = true;
      response.end();
    },
    // Answers when the container gets SIGUSR2: docker kill --signal USR2.
    "/hold": (response) => held.push(response),
  };
  const server = http.createServer((request, response) => {
    console.log(`fixture: ${COLOR} ${VERSION} ${request.method} ${request.url}`);
    (routes[request.url] ?? tellAll)(response, request);
  });
  server.listen(Number(PORT));
  process.on("SIGUSR2", () => held.splice(0).forEach((response) => tellAll(response, response.req)));
  process.on("SIGTERM", () => {
    console.log("fixture: SIGTERM, finishing");
    server.close(() => process.exit(0));
  });
}

function tellAll(response, { headers }) {
  response.end(JSON.stringify({ color: COLOR, version: VERSION, headers, env: process.env }));
}

/** As a worker: it tells of its begin and of its end in a file that all workers of a name share. One of FAILS does not stay up. */
function work(name) {
  const { FAILS, JOB_MS = "0" } = process.env;
  const tell = (what) => fs.appendFileSync(`/shared/${name}`, `${what} ${VERSION} ${COLOR}\n`);
  const end = (code) => {
    tell("end");
    process.exit(code);
  };
  process.on("SIGTERM", () => setTimeout(end, Number(JOB_MS), 0));
  tell("begin");
  if (VERSION === FAILS) {
    console.log("fixture: the queue's password is missing");
    end(3);
  }
  setInterval(() => {}, 1000);
}

console.log(`fixture: ${COLOR} ${VERSION} starts, ${BEHAVIOUR}`);
if (process.argv[2] === "worker") work(process.argv[3]);
else behaviours[BEHAVIOUR]();
