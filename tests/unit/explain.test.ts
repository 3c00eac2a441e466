import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

interface Facts {
  kind?: "gate" | "watch" | "live";
  reason?: string;
  address?: string;
  code?: string;
  location?: string;
  answer?: string;
  container?: Partial<typeof RUNS>;
  /** What it listens on; undefined where it could not be read. */
  listens?: string[];
  health?: { [name: string]: string | number };
  /** Settings that the color has of its own. */
  own?: string[];
  log?: string;
}
const RUNS = {
  container_status: "running",
  exit_code: "" as number | "",
  out_of_memory: "false",
  restarts: 0,
  up: "Up 13 seconds",
};
const ADDRESS = "172.18.0.5:3000";

/** The address of a socket as the kernel writes it. */
const KERNEL: { [address: string]: string } = {
  "0.0.0.0": "00000000",
  "127.0.0.1": "0100007F",
  "127.0.0.11": "0B00007F",
  "172.18.0.5": "050012AC",
  "[::]": "00000000000000000000000000000000",
  "[::1]": "00000000000000000000000001000000",
  "::ffff:127.0.0.1": "0000000000000000FFFF00000100007F",
  "[fd00::5]": "000000FD000000000000000005000000",
};
function table(listens: string[]): string {
  const rows = listens.map((socket) => {
    const [, address, port] = /^(.*):(\d+)$/.exec(socket) ?? assert.fail(socket);
    return `   0: ${KERNEL[address]}:${Number(port).toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A 0`;
  });
  const connection = "   9: 0100007F:1F90 0100007F:C350 01 0";
  return ["  sl  local_address rem_address   st tx_queue", ...rows, connection].join("\n");
}

/** What explain.sh makes of these facts. */
function explain({ kind = "gate", container, listens, health, log = "", own = [], ...facts }: Facts) {
  const failure = Object.entries({ kind, container: "shop-green-2", ...facts }).map(
    ([key, value]) => `${key} ${value}`,
  );
  const given = {
    color: "green",
    log,
    failure: failure.join("\n"),
    ...RUNS,
    ...container,
    sockets: listens === undefined ? "" : table(listens),
    candidate_port: 3000,
    own_settings: own.join(" "),
    GATE_TIMEOUT: 60,
    URL: "http://shop.example",
    HEALTH_PATH: "/health",
    HEALTH_PORT: "",
    HEALTH_HEADERS: "",
    HEALTH_HOST: "localhost",
    HEALTH_TIMEOUT: 5,
    HEALTH_INTERVAL: 1,
    HEALTH_PASSES: 2,
    HEALTH_STATUS: "",
    HEALTH_BODY: "",
    HEALTH_JSON_FIELD: "",
    HEALTH_JSON_VALUE: "",
    ...health,
  };
  const input = `set -eu\n${assignments(given)}\n${shellFile("on-host/explain.sh")}\nexplain\nprintf '%s\\n' "$state" "$listens" "$likely" "$advice"\n`;
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  const [state, listening, likely, advice] = stdout.split("\n");
  return { state, listening, likely, advice };
}

const refused = { reason: "refused", code: "502", address: ADDRESS };
const answered = (code: string, more: Facts = {}): Facts => ({
  reason: "wrong-status",
  code,
  listens: ["0.0.0.0:3000"],
  ...more,
});

const CAUSES: { [cause: string]: Facts & { likely: RegExp; advice: RegExp; blamesImage?: true } } = {
  "another port": {
    ...refused,
    listens: ["0.0.0.0:5000", "127.0.0.11:41000"],
    likely: /nothing listens on port 3000, which is containerPort; it listens on 5000\./,
    advice:
      /set containerPort .*'pulumi config set containerPort 5000', or for green alone 'pulumi config set --path green\.containerPort 5000'.* PORT/,
  },
  "N14 a new health setting that what is live does not pass": {
    ...answered("200", { kind: "live", reason: "wrong-body", health: { HEALTH_BODY: "never" } }),
    likely: /does not contain health\.bodyText \(never\)/,
    advice:
      /^set 'health' back, or to what green answers well\. If only a newer version .* with its image, and with activeColor/,
    blamesImage: true,
  },
  "N4 a command that fails": {
    reason: "command-failed",
    likely: /health\.command ends with another exit code than 0/,
    advice: /docker exec shop-green-2/,
  },
  "N4 a command that is missing": {
    reason: "command-missing",
    answer: "no such command in the image: nosuch",
    likely: /can't be run in the container: no such command in the image: nosuch\./,
    advice: /set health\.command to a command that the green image has/,
    blamesImage: true,
  },
  "N4 an image without a HEALTHCHECK": {
    reason: "image-none",
    likely: /health\.kind is "image", and the green image has no HEALTHCHECK/,
    advice: /give the image one .*, or set another health\.kind/,
    blamesImage: true,
  },
  "N4 an image that is still starting": {
    reason: "image-starting",
    likely: /in the interval that the image says/,
    advice: /raise health\.gateTimeoutSeconds .* or shorten that in the image/,
    blamesImage: true,
  },
  "N4 another port than health.port": {
    ...refused,
    address: "shop-green-2:8181",
    health: { HEALTH_PORT: 8181 },
    listens: ["0.0.0.0:3000", "0.0.0.0:9090"],
    likely: /nothing listens on port 8181, which is health\.port; it listens on 3000, 9090\./,
    advice: /^set health\.port .*'pulumi config set --path health\.port 3000'\. $/,
  },
  "N4 a login that is not taken": {
    ...answered("401", { health: { HEALTH_HEADERS: "Authorization" } }),
    likely: /does not take the login of health\.headers \(Authorization\) for \/health/,
    advice: /health\.headers/,
  },
  "another port, where the color has its own": {
    ...refused,
    own: ["containerPort"],
    listens: ["0.0.0.0:5000"],
    likely: /nothing listens on port 3000, which is green\.containerPort; it listens on 5000\./,
    advice: /^set green\.containerPort .*: 'pulumi config set --path green\.containerPort 5000'\. Or/,
  },
  "several other ports": {
    ...refused,
    listens: ["[::]:8080", "0.0.0.0:9090"],
    likely: /it listens on 8080, 9090/,
    advice: /set containerPort/,
  },
  "127.0.0.1 only": {
    ...refused,
    listens: ["127.0.0.1:3000"],
    likely: /on port 3000 .*its own loopback address only/,
    advice: /listen on 0\.0\.0\.0, by its environment/,
  },
  "[::1] only": { ...refused, listens: ["[::1]:3000"], likely: /loopback/, advice: /0\.0\.0\.0/ },
  "127.0.0.1 only, by an IPv6 socket": {
    ...refused,
    listens: ["::ffff:127.0.0.1:3000"],
    likely: /loopback/,
    advice: /0\.0\.0\.0/,
  },
  "another port on 127.0.0.1 only": {
    ...refused,
    listens: ["127.0.0.1:5000"],
    likely: /loopback address only, on another port/,
    advice: /0\.0\.0\.0.*containerPort.*PORT/,
  },
  "nothing yet": {
    ...refused,
    listens: ["127.0.0.11:41000"],
    likely: /does not listen on any port: it is still starting, or it never listens/,
    advice: /raise health\.gateTimeoutSeconds \(now 60\).*its log/,
  },
  "too late": {
    ...refused,
    listens: ["0.0.0.0:3000"],
    likely: /began to listen on port 3000 only when/,
    advice: /raise health\.gateTimeoutSeconds/,
  },
  "refused, and nobody knows who listens": {
    ...refused,
    likely: /nothing listens on port 3000 of the container, or on 127\.0\.0\.1 only/,
    advice: /containerPort.*0\.0\.0\.0.*gateTimeoutSeconds/,
  },
  "only HTTP/2": {
    reason: "not-http",
    code: "none",
    listens: ["0.0.0.0:3000"],
    likely: /does not speak HTTP\/1\.1 on port 3000/,
    advice: /plain HTTP\/1\.1|containerPort/,
  },
  "closes at once": { reason: "closed", code: "502", likely: /HTTPS or only HTTP\/2/, advice: /plain HTTP/ },
  "never answers": {
    reason: "slow",
    code: "none",
    listens: ["0.0.0.0:3000"],
    likely: /takes the connection, but does not answer within health\.timeoutSeconds \(5\)/,
    advice: /health\.path.*health\.timeoutSeconds.*health\.gateTimeoutSeconds/,
  },
  "its name has no address": {
    reason: "no-address",
    code: "502",
    likely: /can't be found on its network/,
    advice: /shop-green-2/,
  },
  "nginx has no connection left": {
    reason: "nginx-connections",
    code: "500",
    likely: /nginx has as many connections .*not to blame/,
    advice: /fewer connections/,
  },
  "nginx has no file left": {
    reason: "nginx-files",
    code: "500",
    likely: /open files.*not to blame/,
    advice: /fewer connections/,
  },
  "headers that are too large": {
    reason: "big-header",
    code: "502",
    likely: /larger headers/,
    advice: /proxy\.maxHeaderKb/,
  },
  "an answer that is too large": {
    reason: "big-answer",
    code: "none",
    likely: /1 MiB/,
    advice: /health\.path/,
  },
  "404": {
    ...answered("404"),
    likely: /nothing to answer to GET \/health, which is health\.path/,
    advice: /set health\.path/,
  },
  "400": {
    ...answered("400"),
    likely: /another host name than localhost, which is health\.hostHeader/,
    advice: /set health\.hostHeader/,
  },
  "421": { ...answered("421"), likely: /health\.hostHeader/, advice: /set health\.hostHeader/ },
  "400 for plain HTTP": {
    ...answered("400", { answer: "HTTP 400 Client sent an HTTP request to an HTTPS server." }),
    likely: /speaks HTTPS on port 3000/,
    advice: /plain HTTP/,
  },
  "a redirect to HTTPS": {
    ...answered("301", { location: "https://shop.example/health" }),
    likely: /redirects to https:\/\/shop\.example\/health: it insists on HTTPS/,
    advice: /health\.path.*set 'tls'/,
  },
  "a redirect to HTTPS, though nginx says https": {
    ...answered("301", { location: "https://shop.example/health", health: { URL: "https://shop.example" } }),
    likely: /insists on HTTPS/,
    advice: /trust the header 'X-Forwarded-Proto: https'.*; or exempt/,
  },
  "another redirect": {
    ...answered("302", { location: "http://localhost/login" }),
    likely: /redirects to http:\/\/localhost\/login, and the gate does not follow/,
    advice: /set health\.path/,
  },
  "401": { ...answered("401"), likely: /login for \/health/, advice: /health\.path/ },
  "429": { ...answered("429"), likely: /limit/, advice: /health\.intervalSeconds \(now 1\)/ },
  "503": {
    ...answered("503"),
    likely: /the service itself answers 503/,
    advice: /green image, its environment/,
    blamesImage: true,
  },
  "its own 502": {
    ...answered("502"),
    likely: /the service itself answers 502/,
    advice: /green image/,
    blamesImage: true,
  },
  "another status than health.status": {
    ...answered("200", { health: { HEALTH_STATUS: 204 } }),
    likely: /health\.status is 204, and the answer has 200/,
    advice: /set it to 200/,
  },
  "a body without the text": {
    reason: "wrong-body",
    code: "200",
    health: { HEALTH_BODY: "ready" },
    likely: /does not contain health\.bodyText \(ready\)/,
    advice: /health\.bodyText/,
  },
  "another field": {
    reason: "wrong-field",
    code: "200",
    health: { HEALTH_JSON_FIELD: "status", HEALTH_JSON_VALUE: "UP" },
    likely: /status \(health\.jsonField\) is not UP \(health\.jsonValue\)/,
    advice: /good answer/,
  },
  "good at last, but not often enough": {
    reason: "passed",
    code: "200",
    likely: /last answer was good, but there were not 2 in a row/,
    advice: /gateTimeoutSeconds/,
  },
  "it has exited": {
    ...refused,
    reason: "no-address",
    container: { container_status: "exited", exit_code: 3 },
    likely: /does not stay up/,
    advice: /green image, its environment, or its command/,
    blamesImage: true,
  },
  "it is started again and again": {
    ...refused,
    container: { restarts: 4 },
    listens: [],
    likely: /does not stay up/,
    advice: /green image/,
    blamesImage: true,
  },
  "it is started again and again, and can't be": {
    ...refused,
    container: { exit_code: 127, restarts: 4 },
    listens: [],
    likely: /its command can't be run: exit code 127/,
    advice: /mend 'command', if you have set it, or the green image/,
    blamesImage: true,
  },
  "it may not do something": {
    ...refused,
    container: { container_status: "exited", exit_code: 1 },
    log: 'starting\nsudo: The "no new privileges" flag is set, which prevents sudo from running as root.',
    likely: /may not do what it tries/,
    advice: /container\.securityOpts, container\.capabilities and container\.readOnly/,
    blamesImage: true,
  },
  "no memory": {
    ...refused,
    container: { container_status: "restarting", exit_code: 137, out_of_memory: "true" },
    likely: /killed for want of memory/,
    advice: /raise memoryMb/,
  },
  "no such command": {
    ...refused,
    container: { container_status: "exited", exit_code: 127 },
    likely: /command can't be run: exit code 127/,
    advice: /'command'/,
    blamesImage: true,
  },
  paused: {
    reason: "slow",
    code: "none",
    container: { container_status: "paused" },
    likely: /paused/,
    advice: /docker unpause/,
  },
  "a watch that failed": {
    kind: "watch",
    reason: "passed",
    code: "200",
    likely: /^$/,
    advice: /green image or its settings.*watch\.tolerancePercent/,
    blamesImage: true,
  },
};

describe("F28 U6: why a gate has failed", () => {
  for (const [cause, { likely, advice, blamesImage = false, ...facts }] of Object.entries(CAUSES)) {
    it(`${cause}: the cause and the setting are named, and the image is blamed only if it is to blame`, () => {
      const found = explain(facts);
      assert.match(found.likely, likely);
      assert.match(found.advice, advice);
      assert.equal(/\bimage\b/.test(`${found.likely} ${found.advice}`), blamesImage, found.advice);
    });
  }

  it("the ports that it listens on are told with their addresses, but not Docker's own name server", () => {
    const listens = [
      "0.0.0.0:5000",
      "127.0.0.11:41000",
      "127.0.0.1:9229",
      "[fd00::5]:80",
      "[::1]:65535",
      "[::]:5000",
    ];
    assert.equal(
      explain({ ...refused, listens }).listening,
      "It listens on 0.0.0.0:5000, 127.0.0.1:9229, [::1]:65535, [::]:5000, [fd00:0000:0000:0000:0000:0000:0000:0005]:80.",
    );
    assert.equal(explain({ ...refused, listens: [] }).listening, "It listens on no TCP port.");
    assert.equal(explain(refused).listening, "", "where they could not be read");
  });

  it("since when it runs is told, or how it has ended", () => {
    assert.equal(
      explain(refused).state,
      "State of shop-green-2: running (Up 13 seconds), restarted 0 times.",
    );
    assert.equal(
      explain({ ...refused, container: { container_status: "exited", exit_code: 3, restarts: 2 } }).state,
      "State of shop-green-2: exited, exit code 3, restarted 2 times.",
    );
    assert.equal(
      explain({ ...refused, container: { exit_code: 3, restarts: 2 } }).state,
      "State of shop-green-2: running (Up 13 seconds), restarted 2 times, last exit code 3.",
    );
  });

  it("without any facts, it points at the log", () => {
    assert.match(explain({}).advice, /its log, and mend the green image or its settings/);
  });
});
