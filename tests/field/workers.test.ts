import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { docker, dockerLines, type Inspected } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing, type Options } from "../support/load";
import { useStack } from "../support/stack";

const REQUESTS: Options["requests"] = [{ method: "GET", path: "/" }];
const command = (name: string) => ["node", "/fixture-app.js", "worker", name];

/** In the order in which the tests run: each goes on from where the one before it has left the stack. */
describe("workers that belong to the release", () => {
  const images = useImages({ one: "ok", two: "ok", three: "ok" });
  const VOLUME = `bgtest-${randomBytes(4).toString("hex")}`;
  const stack = useStack({
    redis: { enabled: false },
    blue: { image: images.one },
    green: { image: images.two },
    volumes: [{ volumeName: VOLUME, containerPath: "/shared" }],
    stopGraceSeconds: 10,
    workers: {
      jobs: {
        command: command("jobs"),
        stayUpSeconds: 2,
        stopGraceSeconds: 20,
        env: { FAILS: "three", JOB_MS: 700 },
      },
      mail: { command: command("mail"), exclusive: false, stayUpSeconds: 1, memoryMb: 64 },
    },
  });
  after(() => docker("volume", "rm", VOLUME));

  /** Which of a worker have begun and ended, since it was asked for the last time: `begin one`. */
  const told: { [name: string]: number } = {};
  async function since(name: string): Promise<string[]> {
    const reader = ["run", "--rm", "--volume", `${VOLUME}:/shared`, "nginx:1.30.6", "cat", `/shared/${name}`];
    const lines = (await dockerLines(...reader)).map((line) => line.replace(/ \w+$/, ""));
    const news = lines.slice(told[name] ?? 0);
    told[name] = lines.length;
    return news;
  }
  const workers = async (): Promise<Inspected[]> => stack.containers("worker");
  /** Of each worker, the images that run. */
  async function running() {
    const all = (await workers()).filter(({ State }) => State.Running);
    return all.map(({ Config }) => `${Config.Labels["bluegreen.worker"]} ${versionOf(Config.Env)}`).sort();
  }
  const versionOf = (env: string[]) => env.find((one) => one.startsWith("VERSION="))?.slice(8);
  const workerOf = async (color: string, worker: string) => {
    const found = (await workers()).filter(
      ({ Config: { Labels } }) =>
        Labels["bluegreen.color"] === color && Labels["bluegreen.worker"] === worker,
    );
    assert.equal(found.length, 1);
    return found[0];
  };

  it("N8 those of the live color run after the first release; nothing is left to do", async () => {
    const { output } = await stack.up();
    assert.match(output, /plan: workers: jobs starts in blue after the switch/);
    assert.deepEqual(await running(), ["jobs one", "mail one"]);
    assert.deepEqual(await since("jobs"), ["begin one"]);
    const jobs = await workerOf("blue", "jobs");
    assert.deepEqual(jobs.Config.Cmd, command("jobs"));
    for (const variable of ["COLOR=blue", "FAILS=three", "TZ=UTC"])
      assert.ok(jobs.Config.Env.includes(variable));
    assert.deepEqual(
      Object.keys(jobs.NetworkSettings.Networks),
      Object.keys((await stack.container("blue")).NetworkSettings.Networks),
    );
    assert.equal((await workerOf("blue", "mail")).HostConfig.Memory, 64 * 2 ** 20);
    assert.equal((await workerOf("green", "jobs")).State.Status, "created");
    assert.match(await stack.inOrder(), /workers: +jobs \(\S+-blue-jobs-\w+\) running, mail \(/);
    await stack.expectNoChange();
  });

  it("N8 a flip and the rollback move them: an exclusive one ends before the other begins, and no request is lost", async () => {
    const moved = ["end one", "begin two", "end two", "begin one"];
    await since("mail");
    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ activeColor: "green" });
        const { output } = await stack.preview();
        assert.match(
          output,
          /workers: jobs moves to green after the switch; the former one is stopped first, within 20 s/,
        );
        await stack.up();
        assert.deepEqual(await running(), ["jobs two", "mail two"]);
        const { code, output: back } = await stack.bluegreen("rollback", "--yes");
        assert.equal(code, 0, back);
      },
      { requests: REQUESTS },
    );
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual(await running(), ["jobs one", "mail one"]);
    assert.deepEqual(await since("jobs"), moved);
    assert.deepEqual(await since("mail"), ["begin two", "end one", "begin one", "end two"]);
    await stack.expectNoChange();
  });

  it("N8 a release of the idle color leaves them alone, one of the live color replaces them", async () => {
    const before = await workerOf("blue", "jobs");
    await stack.set({ green: { env: { A: 1 } } });
    const { changes } = await stack.up();
    assert.deepEqual(changes, {
      service: "update",
      green: "replace",
      "green-jobs": "replace",
      "green-mail": "replace",
      "idle-gate": "replace",
    });
    const after = await workerOf("blue", "jobs");
    assert.deepEqual([after.Id, after.State.StartedAt], [before.Id, before.State.StartedAt]);
    await stack.set({ blue: { image: images.two } });
    const { output } = await stack.up();
    assert.match(output, /workers: jobs moves to a new container of blue after the switch/);
    assert.deepEqual(await running(), ["jobs two", "mail two"]);
    assert.deepEqual(await since("jobs"), ["end one", "begin two"]);
    await since("mail");
    await stack.expectNoChange();
  });

  it("N8 one that does not stay up: the former one works again, the color that is live serves, and setting back works", async () => {
    await stack.set({ blue: { image: images.three } });
    const { output } = await stack.upFails();
    assert.match(output, /error: workers\.jobs: \S+-blue-jobs-\w+ did not stay up for 2 s/);
    assert.match(output, /exit code 3[^]*\| fixture: the queue's password is missing/);
    assert.match(output, /It was stopped, and jobs runs as before: \S+-blue-jobs-/);
    assert.match(output, /The live color keeps serving at http:/);
    assert.deepEqual(await stack.serving(), { live: "blue three", idle: "green two" });
    assert.deepEqual(await running(), ["jobs two", "mail three"]);
    const { code, output: status } = await stack.bluegreen("status");
    assert.equal(code, 2, status);
    assert.match(status, /the worker jobs was made, and has not moved to \S+-blue-jobs-/);
    await stack.set({ blue: { image: images.two } });
    await stack.up();
    assert.deepEqual(await running(), ["jobs two", "mail two"]);
    const log = await since("jobs");
    assert.deepEqual([log.at(0), log.at(-1)], ["end two", "begin two"]);
    assert.ok(neverTwo(log, ["two"]), log.join(", "));
    await stack.inOrder();
    await stack.expectNoChange();
  });

  it("N8 an update that is killed while a worker ends, and the next one: never two at once", async () => {
    await stack.set({ blue: { image: images.one }, workers: { jobs: { env: { JOB_MS: 5000 } } } });
    await stack.up();
    await since("jobs");
    await stack.set({ activeColor: "green" });
    const update = stack.start("up", "--yes", "--skip-preview");
    await update.says(`stopping ${(await workerOf("blue", "jobs")).Name.slice(1)}`);
    await update.kill();
    await stack.pulumi("cancel", "--yes");
    await stack.set({ activeColor: "blue" });
    await stack.up();
    const log = await since("jobs");
    assert.ok(neverTwo(log, ["one"]), log.join(", "));
    assert.deepEqual(await running(), ["jobs one", "mail one"]);
  });

  // This also clears what the killed update has left as begun.
  it("N8 status tells of one that was stopped or started by hand, and heal puts it right; logs shows it", async () => {
    const [blue, green] = [await workerOf("blue", "mail"), await workerOf("green", "mail")];
    await docker("stop", blue.Id);
    await docker("start", green.Id);
    const { code, output } = await stack.bluegreen("status", "--json");
    assert.equal(code, 2);
    const [{ drift, workers }] = JSON.parse(output) as {
      drift: { kind: string }[];
      workers: { name: string; state: string }[];
    }[];
    assert.deepEqual(
      drift
        .map(({ kind }) => kind)
        .filter((kind) => kind.startsWith("worker"))
        .sort(),
      ["worker-exited", "worker-running"],
    );
    assert.match(workers.find(({ name }) => name === "mail")?.state ?? "", /^exited/);
    const healed = await stack.bluegreen("heal", "--yes");
    assert.equal(healed.code, 0, healed.output);
    assert.deepEqual(await running(), ["jobs one", "mail one"]);
    const log = await stack.bluegreen("logs", "live", "--worker", "jobs", "--tail", "1");
    assert.match(log.output, /fixture: blue one starts/);
    assert.match(
      (await stack.bluegreen("logs", "green", "--worker", "none")).output,
      /has no worker none of `green`/,
    );
  });

  it("N8 one that is no longer set is stopped with its grace and removed; one of a single color comes and goes with it", async () => {
    await since("jobs");
    await since("mail");
    await stack.unset("workers.jobs");
    await stack.set({ green: { workers: { cron: { command: command("cron"), stayUpSeconds: 1 } } } });
    await stack.up();
    assert.deepEqual(await since("jobs"), ["end one"]);
    assert.deepEqual(await running(), ["mail one"]);
    await stack.set({ activeColor: "green" });
    const { output } = await stack.up();
    assert.match(output, /workers: mail ends: green has none/);
    assert.deepEqual(await running(), ["cron two"]);
    await stack.expectNoChange();
  });

  it("N8 what can't be right is refused at once, with its place", async () => {
    const setBack = stack.keepConfig();
    await stack.set({
      workers: {
        Bad: { command: ["x"] },
        empty: { exclusive: true },
        port: { command: ["x"], env: { PORT: 1 } },
      },
    });
    const { output } = await stack.upFails();
    assert.match(output, /workers\.Bad: is "Bad", but must be the name of a worker/);
    assert.match(
      output,
      /workers\.empty\.command: is missing: must be a list of a program and its arguments/,
    );
    setBack();
  });

  it("N8 destroy ends them with their grace and leaves nothing", async () => {
    await since("cron");
    await stack.destroy();
    assert.deepEqual(await since("cron"), ["end two"]);
    assert.deepEqual((await stack.leftovers()).containers, []);
  });
});

/** Whether each has ended before the next began. */
function neverTwo(log: string[], working: string[]): boolean {
  for (const line of log) {
    const [what, version] = line.split(" ");
    if (what === "begin") working.push(version);
    else working.splice(working.indexOf(version), 1);
    if (working.length > 1) return false;
  }
  return true;
}
