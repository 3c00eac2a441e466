import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderWorkersInput } from "../../components/release/switchInput";
import { LEAST, settingsOf } from "./valid";

/**
 * A Docker of which the script sees only what it asks: each container is a file with the name of its worker, its state and how
 * often it was restarted; what it does when it is started is in a file beside it.
 */
const DOCKER = (folder: string) => `
docker() {
  case $* in
    *role=worker*) for file in "${folder}"/containers/*; do printf '%s ' "\${file##*/}"; cut -d ' ' -f 1,2 "$file"; done ;;
    'ps '*) printf '%s\\n' 'edge-1 edge running nginx id web' 'proxy-1 proxy running nginx id web' ;;
    'exec -i edge-1 sh -c '*) sh -c "$(printf '%s' "$6" | sed 's#/bluegreen/state#${folder}#')" sh shop ;;
    'exec proxy-1 '*) cat "${folder}/served" ;;
    *StopTimeout*) [ -e "${folder}/containers/$4" ] && echo 10 ;;
    *State.Running*) grep -q ' running ' "${folder}/containers/$4" && echo true ;;
    *Config*) ;;
    'inspect --format {{.State.Status}} {{.RestartCount}} '*) cut -d ' ' -f 2,3 "${folder}/containers/$4" ;;
    'inspect --format State '*) echo 'State of it: running, restarted 1 times.' ;;
    *Created*) echo before ;;
    'events --since before --until '*' --filter container=new --filter event=die '*) printf '%s\\n' 1 3 ;;
    'logs '*) echo 'no queue' ;;
    'start '*)
      echo "start $2" >>"${folder}/calls"
      [ -e "${folder}/containers/$2" ] || { echo "no such container" >&2; return 1; }
      read -r name state restarts <"${folder}/containers/$2"
      case $(cat "${folder}/$2.does" 2>/dev/null) in fails) now='running 1' ;; *) now='running 0' ;; esac
      echo "$name $now" >"${folder}/containers/$2"
      ;;
    'stop '*)
      echo "stop $2" >>"${folder}/calls"
      [ "$(cat "${folder}/$2.does" 2>/dev/null)" = stays ] && return 1
      while [ -e "${folder}/halt" ]; do command sleep 0.05; done
      read -r name state restarts <"${folder}/containers/$2"
      echo "$name exited 0" >"${folder}/containers/$2"
      ;;
    *) echo "docker $*?" >&2; return 1 ;;
  esac
}
sleep() { command sleep 0.1; }
`;

interface Host {
  /** By their names: of which worker, and in which state. */
  containers: { [container: string]: string };
  /** What the last move has left on the volume. */
  remembered?: string;
  served?: string;
  does?: { [container: string]: "fails" | "stays" };
}

describe("how workers move (workers.sh)", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bluegreen-workers-"));
    mkdirSync(path.join(folder, "services/shop"), { recursive: true });
    mkdirSync(path.join(folder, "containers"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (name: string) => path.join(folder, name);

  function prepare({ containers, remembered = "", served = "live: blue blue-1", does = {} }: Host): void {
    for (const [name, state] of Object.entries(containers))
      writeFileSync(file(`containers/${name}`), `${state} 0\n`);
    for (const [name, what] of Object.entries(does)) writeFileSync(file(`${name}.does`), what);
    writeFileSync(file("served"), `${served}\n`);
    writeFileSync(file("services/shop/workers"), remembered);
  }
  /** Moves jobs to "new" in blue. */
  async function move(exclusive = true, worker = "jobs", live = "blue-1") {
    const settings = settingsOf({ ...LEAST, workers: { [worker]: { command: ["work"], exclusive } } });
    const values = { lockHolder: "acme/dev/shop", id: "id", ingress: "web", service: "shop", settings };
    const child = spawn("sh", ["-s"]);
    child.stdin.end(DOCKER(folder) + renderWorkersInput(values, live, { [worker]: "new" }));
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    const calls = existsSync(file("calls")) ? readFileSync(file("calls"), "utf8").trim().split("\n") : [];
    return { code, output, calls, remembered: readFileSync(file("services/shop/workers"), "utf8") };
  }
  const OLD = { old: "jobs running", new: "jobs created" };

  it("an exclusive one starts when the former one has ended, another one before that", async () => {
    prepare({ containers: OLD, remembered: "jobs old\n" });
    const { code, output, calls, remembered } = await move();
    assert.deepEqual([code, calls, remembered], [0, ["stop old", "start new"], "jobs new\n"], output);
    assert.match(output, /==> stopping old, within 10 s\n==> jobs: starting new\n==> jobs runs in blue: new/);
    rmSync(file("calls"));
    prepare({ containers: OLD, remembered: "jobs old\n" });
    assert.deepEqual((await move(false)).calls, ["start new", "stop old"]);
    assert.deepEqual(readdirSync(file("services/shop")).sort(), ["workers", "workers.lock"]);
  });

  it("one that is in its place is left alone, and what runs beside it is stopped", async () => {
    prepare({ containers: { new: "jobs running", other: "jobs exited" }, remembered: "jobs new\n" });
    assert.deepEqual((await move()).calls, []);
    prepare({ containers: { new: "jobs running", other: "jobs restarting" }, remembered: "jobs new\n" });
    assert.deepEqual((await move()).calls, ["stop other"]);
  });

  it("what the live color has not is stopped", async () => {
    prepare({ containers: { ...OLD, cron: "cron running", done: "mail exited" }, remembered: "cron cron\n" });
    const { calls, remembered } = await move();
    assert.deepEqual(calls.sort(), ["start new", "stop cron", "stop old"]);
    assert.equal(remembered, "jobs new\n");
  });

  it("where it fails, the former one runs again, and is remembered", async () => {
    prepare({ containers: OLD, remembered: "jobs old\n", does: { new: "fails" } });
    const { code, output, calls, remembered } = await move();
    assert.deepEqual(
      [code, calls, remembered],
      [1, ["stop old", "start new", "stop new", "start old"], "jobs old\n"],
      output,
    );
    assert.match(
      output,
      /^error: workers\.jobs: new did not stay up for 5 s\.\nIt ended with exit code 3\.\nState of it: .*\nIts last log lines:\n {2}\| no queue\n(.*\n)*It was stopped, and jobs runs as before: old\.\nWhat to do next: /m,
    );
    assert.match(output, /The live color keeps serving at http/);
  });

  it("also after an update that was killed when the former one had ended: what it had started was never good", async () => {
    prepare({
      containers: { old: "jobs exited", tried: "jobs restarting", new: "jobs created" },
      remembered: "jobs old\n",
      does: { new: "fails" },
    });
    assert.deepEqual((await move()).calls, ["stop tried", "start new", "stop new", "start old"]);
  });

  it("one that runs after a killed update may be about to end: it is ended, and started anew", async () => {
    writeFileSync(file("services/shop/workers.moving"), "");
    writeFileSync(file("services/shop/workers.new"), "jobs ne");
    prepare({ containers: { new: "jobs running", old: "jobs exited" }, remembered: "jobs new\n" });
    const { calls, remembered } = await move();
    assert.deepEqual([calls, remembered], [["stop new", "start new"], "jobs new\n"]);
    assert.deepEqual((await move()).calls, calls, "it came to its end, so the next one has nothing to do");
  });

  it("where there was none before, or it is gone, none runs, and that is said", async () => {
    prepare({ containers: { new: "jobs created" }, remembered: "jobs gone\n", does: { new: "fails" } });
    const { code, output, calls } = await move();
    assert.deepEqual([code, calls], [1, ["start new", "stop new"]], output);
    assert.match(output, /There was no jobs before it, so none runs now\./);
  });

  it("where the former one can't be stopped, nothing is started beside it", async () => {
    prepare({ containers: OLD, remembered: "jobs old\n", does: { old: "stays" } });
    const { code, output, calls, remembered } = await move();
    assert.deepEqual([code, calls, remembered], [1, ["stop old"], "jobs old\n"]);
    assert.match(output, /error: workers\.jobs: old can't be stopped\. So this was not started: new\./);
  });

  it("one that comes late, when another container is live, moves nothing", async () => {
    prepare({ containers: OLD, served: "live: green green-1" });
    const { code, output, calls } = await move();
    assert.deepEqual([code, calls], [1, []]);
    assert.deepEqual(readdirSync(file("services/shop")).sort(), ["workers", "workers.lock"]);
    assert.match(output, /were not moved to blue: nginx does not serve blue-1[^]*npx bluegreen heal/);
  });

  it("two that come at once: the second waits until the first has ended", async () => {
    prepare({ containers: OLD, remembered: "jobs old\n" });
    writeFileSync(file("halt"), "");
    const first = move();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = move();
    await new Promise((resolve) => setTimeout(resolve, 500));
    rmSync(file("halt"));
    assert.equal((await first).code, 0);
    const { code, output, calls } = await second;
    assert.equal(code, 0, output);
    assert.match(output, /the rest of an interrupted update still moves them: waiting for it/);
    assert.deepEqual(calls, ["stop old", "start new"]);
  });
});
