import assert from "node:assert/strict";
import type { Report } from "../../components/cli/report";
import { addressOf, docker } from "../support/docker";
import { useImages } from "../support/images";
import { failed, Load } from "../support/load";
import { until } from "../support/running";
import { useStack } from "../support/stack";

const PLACE = "/bluegreen/state/services/service";
// The shell that reads the switch from its standard input, and its subshells, as soon as there is an intent.
const KILL_SWITCH = `
until [ -s ${PLACE}/intent ]; do sleep 0.02; done
for process in /proc/[0-9]*; do
  [ "$(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null)" != "sh -s " ] || kill -9 "\${process#/proc/}"
done`;

describe("bluegreen status and heal", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok", two: "ok", broken: "exits" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.two } });
  before("first deploy", () => stack.up());

  it("right after an update: in order, exit code 0", async () => {
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 0, output);
    assert.match(output, /^service \(.*\/it\): in order$/m);
    assert.match(
      output,
      new RegExp(`live: +blue ${images.one} \\(\\S+-service-blue-.*\\), running, healthy, since 20`),
    );
    assert.match(output, new RegExp(`idle: +green ${images.two} `));
    assert.match(output, /switches: [^]* first release: blue \S+, \d+ s, by .*: done/);
    const { configHash, health, servedThrough } = await inOrder();
    assert.equal(configHash.served, configHash.stack);
    assert.equal(health?.ok, true);
    assert.equal(servedThrough, "nginx");
  });

  it("nothing to heal: nothing is touched", async () => {
    const { code, output } = await stack.bluegreen("heal", "--yes");
    assert.equal(code, 0, output);
    assert.match(output, /==> Nothing to heal/);
    assert.doesNotMatch(output, /pulumi up/);
  });

  it("a config edited but not loaded", () =>
    servingAllTheTime(async () => {
      await editSite();
      const [edited, stale] = await drift("site-edited", "not-loaded");
      assert.match(
        edited.what,
        /line \d+: "client_max_body_size 20m;" instead of "client_max_body_size 10m;"/,
      );
      assert.match(edited.users, /^blue answers$/);
      assert.match(stale.what, /changed since it loaded/);
      await heal();
    }));

  it("a hand-edited config that nginx runs", () =>
    servingAllTheTime(async () => {
      await editSite();
      await docker("restart", (await stack.container("proxy")).Id);
      await until(
        () => "nginx serves again",
        async () => (await status()).report.servedThrough === "nginx",
      );
      await drift("site-edited");
      await heal();
    }));

  it("a stopped live container: it is started, not replaced", async () => {
    const { Id, Name } = await stack.container("blue");
    await docker("stop", Id);
    const [stopped, ill] = await drift("blue-exited", "ill");
    assert.match(stopped.what, new RegExp(`the live color blue: ${Name.slice(1)} is exited since 20.*Z`));
    assert.match(ill.users, /^OUTAGE: blue is live, but does not answer$/);
    await heal();
    assert.equal((await stack.container("blue")).Id, Id);
    assert.equal((await stack.serving()).live, "blue one");
  });

  it("a restarted live container with a new address is in order", async () => {
    const { Id } = await stack.container("blue");
    const before = await addressOf(Id);
    await docker("stop", Id);
    const network = Object.keys((await stack.container("blue")).NetworkSettings.Networks)[0];
    const squatter = await docker("run", "--detach", "--network", network, images.two);
    try {
      await docker("start", Id);
      assert.notEqual(await addressOf(Id), before);
      await until(
        () => "blue answers again",
        async () => (await stack.serving()).live === "blue one",
      );
      await inOrder();
    } finally {
      await docker("rm", "--force", squatter);
    }
  });

  it("a removed candidate: it is made again, and the live color is not touched", async () => {
    const live = await stack.container("blue");
    await servingAllTheTime(async () => {
      await docker("rm", "--force", (await stack.container("green")).Id);
      const [missing] = await drift("green-missing");
      assert.match(missing.what, /the idle color green: \S+-service-green-\w+ is not there/);
      await heal();
    });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.equal((await stack.container("blue")).State.StartedAt, live.State.StartedAt);
  });

  it("a stopped nginx: the edge serves until it is started", () =>
    servingAllTheTime(async () => {
      const { Id } = await stack.container("proxy");
      await docker("stop", Id);
      const [stopped] = await drift("proxy-exited");
      assert.equal(stopped.users, "blue answers, through the edge");
      await heal();
      assert.equal((await stack.container("proxy")).Id, Id);
    }));

  it("a stopped Redis", async () => {
    await docker("stop", (await stack.container("redis")).Id);
    await drift("redis-exited");
    await heal();
  });

  it("a switch that was killed is settled: in order, and the journal tells of it", () =>
    servingAllTheTime(async () => {
      await stack.set({ activeColor: "green" });
      const killed = docker("exec", (await stack.container("proxy")).Id, "sh", "-c", KILL_SWITCH);
      await stack.upFails();
      await killed;
      await until(
        () => "the entrypoint has settled it",
        async () => (await status()).report.journal.at(-1)?.outcome?.startsWith("interrupted") ?? false,
      );
      const { live, journal } = await inOrder();
      assert.equal(live?.color, "blue");
      assert.match(journal.at(-1)?.outcome ?? "", /^interrupted: /);
    }));

  it("a switch that is running, and one that ended while its pulumi was killed", () =>
    servingAllTheTime(async () => {
      await stack.set({ activeColor: "green", health: { passes: 50, gateTimeoutSeconds: 60 } });
      const update = stack.start("up", "--yes", "--skip-preview");
      await update.says("gate: green passed 1 of");
      await update.kill();
      const running = (await status()).report.drift.find(({ kind }) => kind === "switch-running");
      assert.match(running?.what ?? "", /a switch is running: .*\/it\/service since .* \(to green, by /);
      assert.equal(running?.heal, "wait until it has ended");
      await until(
        () => "the switch that was left alone has ended",
        async () =>
          (await stack.serving()).live === "green two" &&
          !(await status()).report.drift.some(({ kind }) => kind === "switch-running"),
      );

      const [unfinished, color] = await drift("unfinished-update", "color");
      assert.match(unfinished.what, /"creating service-switch" was begun/);
      assert.match(color.what, /^green is served, the stack says blue, as a switch by .* wrote it at 20/);
      assert.equal(color.users, "green answers");
      await stack.pulumi("cancel", "--yes");
      // To the state, nothing has changed: without a replacement no switch would run.
      await stack.set({ activeColor: "blue" });
      await heal();
      assert.equal((await inOrder()).live?.color, "blue");
    }));

  it("an update that failed, and a container that nobody knows", async () => {
    const { Id, Name } = await stack.container("green");
    const id = (await stack.container("blue")).Config.Labels["bluegreen.id"];
    const ingress = `bluegreen.ingress=${stack.project}-it-service`;
    const own = [...labels("blue"), "--label", `bluegreen.id=${id}`, "--label", ingress];
    const orphan = await docker("run", "--detach", ...own, images.one);
    try {
      await stack.set({ green: { image: images.broken }, health: { passes: 2, gateTimeoutSeconds: 5 } });
      await stack.upFails();
      const [unfinished, unknown] = await drift("unfinished-update", "orphan");
      assert.match(unfinished.what, /green \S+-service-green-\w+ was made and has not passed a switch/);
      assert.equal(unfinished.users, "blue answers");
      assert.match(unknown.heal, /docker rm -f \S+$/);
      await stack.set({ green: { image: images.two } });
      const { code, output } = await stack.bluegreen("heal", "--yes");
      assert.equal(code, 2, output);
      await drift("orphan");
      await docker("inspect", orphan);
      await assert.rejects(docker("inspect", Id), `${Name} is still there`);
    } finally {
      await docker("rm", "--force", orphan);
    }
    await inOrder();
  });

  it("what can't be told ends with exit code 1", async () => {
    const noStack = await stack.bluegreen("status", "-s", "nowhere");
    assert.equal(noStack.code, 1);
    assert.match(noStack.output, /state can't be read.*\n.*no stack named 'nowhere'/);
    const noFlag = await stack.bluegreen("status", "--colour");
    assert.equal(noFlag.code, 1);
    assert.match(noFlag.output, /unknown option '--colour'\nNothing was changed/);
  });

  async function status() {
    const { code, output } = await stack.bluegreen("status", "--json");
    assert.ok(code === 0 || code === 2, output);
    const [report] = JSON.parse(output) as Report[];
    assert.equal(code === 0, report.inOrder);
    return { code, report };
  }

  async function inOrder(): Promise<Report> {
    const { report } = await status();
    assert.deepEqual(report.drift, []);
    return report;
  }

  /** Just these differences, in this order. */
  async function drift(...kinds: string[]) {
    const { report } = await status();
    assert.deepEqual(
      report.drift.map(({ kind }) => kind),
      kinds,
      JSON.stringify(report.drift, null, 2),
    );
    return report.drift;
  }

  async function heal(): Promise<void> {
    const { code, output } = await stack.bluegreen("heal", "--yes");
    assert.equal(code, 0, output);
    await inOrder();
  }

  async function servingAllTheTime(act: () => Promise<unknown>): Promise<void> {
    const load = await Load.start({
      port: stack.port,
      kept: 4,
      fresh: 4,
      maxSeconds: 280,
      requests: [{ method: "GET", path: "/" }],
    });
    try {
      await act();
      await load.more(50);
    } finally {
      await load.stop();
    }
    assert.equal(failed(load.totals), 0, load.totals.firstFailures.join("\n"));
  }

  const editSite = async () =>
    docker(
      "exec",
      (await stack.container("proxy")).Id,
      "sed",
      "-i",
      "s/size 10m;/size 20m;/",
      `${PLACE}/site.conf`,
    );
  const labels = (role: string) =>
    [stack.label, "bluegreen.service=service", `bluegreen.role=${role}`].flatMap((label) => [
      "--label",
      label,
    ]);
});
