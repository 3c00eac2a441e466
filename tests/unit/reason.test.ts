import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

const REQUEST =
  ', client: unix:, server: , request: "GET /health HTTP/1.1", upstream: "http://172.18.0.5:3000/health", host: "localhost"';
const logged = (what: string, request = REQUEST) => `2026/11/26 07:10:44 [error] 7#7: *4 ${what}${request}`;
const PAGE = "HTTP 502 <html>";

/** What reason.sh makes of what nginx has logged and curl has said. */
function reasonOf({ code = "502", log = "", error = "", port = "" }) {
  const input = `set -eu
RUN=$(mktemp -d)
${shellFile("in-nginx/piped/probe.sh")}
${shellFile("in-nginx/piped/reason.sh")}
${assignments({ LOG: log, CODE: code, ERROR: error, HEALTH_TIMEOUT: 5, HEALTH_PORT: port })}
probe() {
  [ -z "$LOG" ] || printf '%s\\n' "$LOG" >"$RUN/gate.log"
  probe_code=$CODE probe_error=$ERROR probe_fault=status probe_location='' probe_reason='' probe_address=\${HEALTH_PORT:+$1:$HEALTH_PORT} last_answer='${PAGE}'
  return 1
}
! ask_for_gate shop-green-2 || exit 9
note_failure gate green shop-green-2
cat "$RUN/failure"
rm -r "$RUN"
`;
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const facts = stdout
    .trimEnd()
    .split("\n")
    .map((line) => /^(\w+) (.*)$/.exec(line) ?? assert.fail(line));
  return Object.fromEntries(facts.map(([, key, value]) => [key, value]));
}

describe("F28: the reason why a gate got no answer", () => {
  const cases: { [reason: string]: Parameters<typeof reasonOf>[0] & { words: string } } = {
    refused: {
      log: logged("connect() failed (111: Connection refused) while connecting to upstream"),
      words: "172.18.0.5:3000 refuses connections",
    },
    "no-connection": {
      code: "504",
      log: logged("upstream timed out (110: Connection timed out) while connecting to upstream"),
      words: "172.18.0.5:3000 does not take the connection",
    },
    silent: {
      code: "504",
      log: logged(
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
      ),
      words: "172.18.0.5:3000 said nothing, or not all, within 5 s",
    },
    slow: {
      code: "none",
      error: "curl: (28) Operation timed out after 5001 milliseconds",
      words: "the container said nothing, or not all, within 5 s",
    },
    "no-address": {
      log: logged(
        "no live upstreams while connecting to upstream",
        REQUEST.replace("172.18.0.5:3000", "shop-green-2"),
      ),
      words: "the name of the container has no address",
    },
    "no-route": {
      log: logged("connect() failed (113: No route to host) while connecting to upstream"),
      words: "there is no way to 172.18.0.5:3000",
    },
    closed: {
      log: logged("upstream prematurely closed connection while reading response header from upstream"),
      words: "172.18.0.5:3000 takes the connection and closes it without an answer",
    },
    reset: {
      log: logged(
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
      ),
      words: "172.18.0.5:3000 takes the connection and closes it without an answer",
    },
    "not-http": {
      code: "none",
      error: "curl: (1) Received HTTP/0.9 when not allowed",
      log: logged("upstream sent no valid HTTP/1.0 header while reading response header from upstream"),
      words: "what 172.18.0.5:3000 sends is not HTTP/1.1",
    },
    "big-header": {
      log: logged("upstream sent too big header while reading response header from upstream"),
      words: "the headers that 172.18.0.5:3000 sends are larger than nginx takes",
    },
    "big-answer": {
      code: "none",
      error: "curl: (63) Exceeded the maximum allowed file size",
      words: "it is larger than 1 MiB",
    },
    "nginx-connections": {
      code: "500",
      log: "2026/11/26 07:10:44 [alert] 7#7: *4 128 worker_connections are not enough while connecting to upstream",
      words: "nginx itself is at its limits",
    },
    "nginx-files": {
      code: "500",
      log: logged("socket() failed (24: Too many open files) while connecting to upstream"),
      words: "nginx itself is at its limits",
    },
    other: { log: logged("something new happened"), words: "something new happened" },
  };
  for (const [reason, { words, ...given }] of Object.entries(cases)) {
    it(reason, () => {
      const facts = reasonOf(given);
      assert.equal(facts.reason, reason);
      assert.equal(facts.answer, `none: ${words}`);
      assert.equal(facts.address, (given.log ?? "").includes("172.18.0.5:3000") ? "172.18.0.5:3000" : "");
      assert.equal(facts.log, given.log === undefined ? undefined : given.log);
    });
  }

  const pastNginx: { [reason: string]: [error: string, words: string] } = {
    refused: [
      "curl: (7) Failed to connect to shop-green-2:8181 after 0 ms: Could not connect to server",
      "shop-green-2:8181 refuses connections",
    ],
    "no-address": [
      "curl: (6) Could not resolve host: shop-green-2",
      "the name of the container has no address",
    ],
    closed: [
      "curl: (52) Empty reply from server",
      "shop-green-2:8181 takes the connection and closes it without an answer",
    ],
    reset: [
      "curl: (56) Recv failure: Connection reset by peer",
      "shop-green-2:8181 takes the connection and closes it without an answer",
    ],
    "not-http": [
      "curl: (1) Received HTTP/0.9 when not allowed",
      "what shop-green-2:8181 sends is not HTTP/1.1",
    ],
    slow: ["curl: (28) Operation timed out", "shop-green-2:8181 said nothing, or not all, within 5 s"],
  };
  for (const [reason, [error, words]] of Object.entries(pastNginx)) {
    it(`N4 of another port, past nginx: ${reason}`, () => {
      const facts = reasonOf({ code: "none", error, port: "8181" });
      assert.deepEqual(
        [facts.reason, facts.answer, facts.address],
        [reason, `none: ${words}`, "shop-green-2:8181"],
      );
    });
  }

  it("an answer of the color itself is not nginx's, whatever its status", () => {
    for (const code of ["404", "500", "502", "504"]) {
      const { reason, answer } = reasonOf({ code });
      assert.deepEqual([reason, answer], ["wrong-status", PAGE]);
    }
  });
});
