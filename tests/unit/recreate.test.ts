import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

interface There {
  /** What runs of these containers; the others are stopped. */
  running: string[];
  /** The first words of calls of Docker that fail. */
  fails?: string;
  /** What nginx says of the site. */
  site?: string;
}

/** The calls that change something, of what the host's part does with containers of which some run, and all that it said. */
function calls(what: string, { running, fails = "never", site = "" }: There) {
  const script = `set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in ${running.join(" ")}; do : >"$folder/$name"; done
docker() {
  case "$*" in
    "ps "*)
      for name in blue-1 green-1 green-2; do
        if [ -e "$folder/$name" ]; then state=running; else state=exited; fi
        echo "$name \${name%-*} $state image id ingress"
      done
      return ;;
    "inspect "*) echo image; return ;;
    *"sed -n"*) printf '%s\\n' ${JSON.stringify(site)}; return ;;
  esac
  case "$*" in
    *"cat >"*) printf 'told %s\\n' "$(head -n 1)" >&3 ;;
    *) printf '%s\\n' "$*" >&3 ;;
  esac
  case "$*" in ${fails}*) echo "no such luck" >&2; return 1 ;; esac
  case $1 in
    stop) shift 3; for name in "$@"; do rm -f "$folder/$name"; done ;;
    start) : >"$folder/$2" ;;
  esac
  case $(ls "$folder" | wc -l) in 0 | 1) ;; *) [ "$1" != start ] || echo "TWO RUN" >&3 ;; esac
}
${assignments({ SERVICE: "shop", SERVICE_ID: "id", INGRESS: "ingress", LIVE: "green-2", STOP_GRACE_SECONDS: 7, NGINX: "nginx", IDLE: "stopped" })}
${["containers", "hear", "failure", "conclude", "recreate"].map((name) => shellFile(`on-host/${name}.sh`)).join("\n")}
in_owner() { echo "$1" >&3; }
of_role() { echo nginx; }
look_around
${what}
`;
  const { stdout, stderr, output } = spawnSync("sh", ["-s"], {
    input: script,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  return { calls: (output[3] ?? "").trim().split("\n"), said: stdout + stderr };
}

const MOVE = (() => {
  const place = "/bluegreen/state/services/shop/site.conf";
  return `exec nginx mv ${place}.former ${place}.open`;
})();

describe("N7 one at a time: what the host's part does with containers", () => {
  const exchange = (there: There, asked = "closed 12") => calls(`exchange "${asked}"`, there);

  it("has the former site out of reach, stops, and only then starts", () => {
    assert.deepEqual(exchange({ running: ["green-1"] }).calls, [
      MOVE,
      "stop -t 7 green-1",
      "start green-2",
      "told exchanged",
    ]);
  });

  it("stops nothing where the former site is gone: nginx serves what was live again", () => {
    const { calls, said } = exchange({ running: ["green-1"], fails: "*.former" });
    assert.deepEqual(calls, [MOVE]);
    assert.match(said, /Nothing was stopped/);
  });

  it("starts nothing where it can't stop what runs", () => {
    const { calls, said } = exchange({ running: ["green-1"], fails: "stop" });
    assert.deepEqual(calls, [MOVE, "stop -t 7 green-1", "told failed"]);
    assert.match(said, /nothing was started beside it\. Docker says: no such luck/);
  });

  it("says why a container can't be started", () => {
    const { calls, said } = exchange({ running: ["green-1"], fails: "start" });
    assert.deepEqual(calls.slice(-1), ["told failed"]);
    assert.match(said, /error: the container green-2 can't be started\. Docker says:\n {2}\| no such luck/);
  });

  it("stops all that runs, whatever a killed update has left, but not the candidate where it runs alone", () => {
    assert.deepEqual(exchange({ running: ["blue-1", "green-2"] }, "12").calls, [
      "stop -t 7 blue-1 green-2",
      "start green-2",
      "told exchanged",
    ]);
    assert.deepEqual(exchange({ running: ["green-2"] }, "12").calls, ["told exchanged"]);
    assert.deepEqual(exchange({ running: [] }, "12").calls, ["start green-2", "told exchanged"]);
  });

  const site = "closed: green green-1";
  it("after a failure, starts what was live again, and has its site opened", () => {
    assert.deepEqual(calls("reopen", { running: [], site }).calls, ["start green-1", "print_for_reopening"]);
    assert.deepEqual(calls("reopen", { running: ["green-2"], site }).calls, [
      "stop -t 7 green-2",
      "start green-1",
      "print_for_reopening",
    ]);
    assert.deepEqual(calls("reopen", { running: ["green-1"], site }).calls, ["print_for_reopening"]);
  });

  it("not beside what it can't stop, not where it can't be started, and not where the site is open", () => {
    const stuck = calls("reopen", { running: ["green-2"], site, fails: "stop" });
    assert.deepEqual(stuck.calls, ["stop -t 7 green-2"]);
    const lost = calls("reopen", { running: [], site, fails: "start" });
    assert.deepEqual(lost.calls, ["start green-1"]);
    assert.match(lost.said, /Users get 503, since nothing runs\. What to do next/);
    assert.deepEqual(calls("reopen", { running: ["green-1"], site: "live: green green-1" }).calls, [""]);
  });
});
