import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/docker";
import { hash } from "../../components/shell";
import { type Running, until } from "../support/running";
import { NODE_IMAGE, PLACE, SERVICE, type Service, useLiveService, withDirective } from "./service";
import { KILL_SWITCH, STEPS, TAKE_OVER_STEPS, withLine } from "./steps";

/** Starts a switch that waits in the gate of a sick candidate. */
async function waitingSwitch(service: Service, lockHolder: string): Promise<[Running, string]> {
  const candidate = await service.app("green", "sick");
  const running = service.startSwitch("green", { lockHolder });
  await running.says("==> gate: green");
  return [running, candidate];
}

describe("a site that nginx does not take", () => {
  const service = useLiveService();

  it("is refused by its test, and the former one serves on", async () => {
    const { blue, green } = service.containers;
    const site = await service.site();
    const edit = withDirective("no_such_directive on;");
    const { code, output } = await service.switch("green", { edit });
    assert.equal(code, 1, output);
    assert.match(output, /nginx refuses the new configuration:[^]*no_such_directive/);
    assert.match(output, /blue keeps serving/);
    assert.equal(await service.site(), site);
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
  });

  it("is put back when only the reload shows it: a port that something else holds", async () => {
    const { blue, green } = service.containers;
    const site = await service.site();
    const squatter = await service.squat(9999);
    const edit = withDirective("server { listen 9999; }");
    const { code, output } = await service.switch("green", { edit });
    assert.equal(code, 1, output);
    assert.match(output, /nginx does not take the new configuration/);
    assert.match(output, /blue keeps serving/);
    assert.equal(await service.site(), site);
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
    await docker("rm", "--force", squatter);
  });

  it("keeps nothing from the next switch", async () => {
    const { blue, green } = service.containers;
    await service.switched("green");
    assert.deepEqual([await service.live(), await service.idle()], [green, blue]);
  });
});

describe("the journal", () => {
  const service = useLiveService();

  it("has an entry for each switch: when, by whom, from, to, what, how long, and how it ended", async () => {
    const before = (await service.journal()).length;
    await service.switched("green");
    await service.app("blue", "wrong-status");
    await service.switch("blue", { health: { gateTimeoutSeconds: 2 } });
    const [flip, failure] = (await service.journal()).slice(before);
    const { at, by, seconds, config, ...rest } = flip;
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
    assert.match(by, /^\w+@\S+$/);
    assert.ok(seconds >= 0 && seconds < 60);
    assert.equal(config, hash(`${await service.site()}\n`));
    assert.deepEqual(rest, {
      stack: "project/stack/service",
      kind: "flip",
      from: "blue",
      to: "green",
      green: NODE_IMAGE,
      outcome: "done",
    });
    assert.equal(failure.to, "blue");
    assert.match(failure.outcome, /^failed: blue did not pass its health gate: .* Last answer .* HTTP 500/);
  });

  it("keeps the newest 50", async () => {
    const lines = Array.from({ length: 60 }, (_, i) => JSON.stringify({ number: i })).join("\n");
    await service.inProxy("sh", "-c", `echo '${lines}' >${PLACE}/journal`);
    await service.app("blue");
    await service.switched("green");
    const entries = (await service.journal()) as unknown as { number?: number }[];
    const numbers = entries.flatMap(({ number }) => number ?? []);
    const added = 50 - numbers.length;
    assert.ok(added > 0, "the switch has its own entries");
    assert.deepEqual([entries.length, numbers[0], entries[49 - added].number], [50, 10 + added, 59]);
  });

  it("is data, whatever a lock's holder is called", async () => {
    const lockHolder = `a"b\\c $(id) 'd' \n e`;
    await service.switched("green", { lockHolder });
    assert.equal((await service.journal()).at(-1)?.stack, lockHolder.replace("\n", " "));
  });
});

describe("a full state volume", () => {
  const service = useLiveService(256);
  const filler = "/bluegreen/state/filler";

  it("fails the switch, and the live color serves on; with room again, it works", async () => {
    await service.inProxy("sh", "-c", `! dd if=/dev/zero of=${filler} 2>/dev/null`);
    const { code, output } = await service.switch("green");
    assert.equal(code, 1);
    assert.match(output, /can't write to the state volume: is the disk full\?/);
    assert.equal(await service.live(), service.containers.blue);
    await service.inProxy("rm", filler);
    await service.switched("green");
    assert.equal(await service.live(), service.containers.green);
  });
});

describe("two switches at once", () => {
  const service = useLiveService();

  it("refuse another stack's, naming the holder, and the running one goes on", async () => {
    const [running, candidate] = await waitingSwitch(service, "project/one/service");
    const site = await service.site();
    const staged = await service.inProxy("cat", `/run/bluegreen/staged-${SERVICE}.conf`);
    const { code, output } = await service.switch("blue", { lockHolder: "project/two/service" });
    assert.equal(code, 1, output);
    assert.match(output, /another switch is still running \(project\/one\/service since /);
    assert.match(output, /Nothing was changed\. Run 'pulumi up' again/);
    assert.equal(await service.site(), site);
    assert.equal(await service.inProxy("cat", `/run/bluegreen/staged-${SERVICE}.conf`), staged);
    await service.heal(candidate);
    const first = await running.ended;
    assert.equal(first.code, 0, first.output);
    assert.equal(await service.live(), candidate);
  });

  it("wait for what an interrupted run of the same stack left, and then do theirs", async () => {
    await service.switched("blue");
    const { blue } = service.containers;
    const [left, candidate] = await waitingSwitch(service, "project/one/service");
    await left.kill();
    const running = service.startSwitch("blue", { lockHolder: "project/one/service" });
    await running.says("another switch is running (project/one/service since ");
    await service.heal(candidate);
    const { code, output } = await running.ended;
    assert.equal(code, 0, output);
    assert.deepEqual([await service.live(), await service.idle()], [blue, candidate]);
  });

  it("find the lock free when its holder was killed", async () => {
    const { blue } = service.containers;
    const [running, candidate] = await waitingSwitch(service, "project/one/service");
    await service.inProxy("sh", "-c", KILL_SWITCH);
    const killed = await running.ended;
    assert.equal(killed.code, 1, killed.output);
    assert.equal(await service.live(), blue);
    // A probe that was under way holds it until its own end, at most health.timeoutSeconds.
    await until(
      () => "the lock is free",
      () =>
        service.inProxy("flock", "-n", `${PLACE}/lock`, "true").then(
          () => true,
          () => false,
        ),
      10,
    );
    assert.equal(await service.isRunning(candidate), false, "what never served does not run on");
    const next = await service.app("green");
    await service.switched("green", { lockHolder: "project/two/service" });
    assert.equal(await service.live(), next);
  });
});

describe("an edge that is away for some seconds", () => {
  const service = useLiveService();

  it("is waited for by nginx: Docker tries to join the namespace of one that is not up just once", async () => {
    await docker("stop", service.edge);
    await sleep(3000);
    await docker("start", service.edge);
    await until(
      () => "nginx is in the new namespace and serves",
      () =>
        service.inProxy("sh", "-c", ". /bluegreen/nginx.sh && grep -q eth0: /proc/net/dev && listens").then(
          () => true,
          () => false,
        ),
      20,
    );
    await service.switched("green");
    assert.equal(await service.live(), service.containers.green);
  });
});

/** The steps of the switch and of its commit, and what is left when it is killed after each. */
const KILLS = [
  { step: "note_intent", line: STEPS.note_intent, outcome: "nothing had changed", live: "blue" },
  { step: "stage", line: STEPS.stage, outcome: "nothing had changed", live: "blue" },
  { step: "gate", line: STEPS.gate, outcome: "nothing had changed", live: "blue" },
  { step: "the test", line: 'test_site "$SITE.next"', outcome: "nothing had changed", live: "blue" },
  { step: "the copy", line: 'ln -f "$SITE" "$SITE.former"', outcome: "undone", live: "blue" },
  { step: "the new site", line: 'mv -f "$SITE.next" "$SITE"', outcome: "undone", live: "blue" },
  { step: "commit", line: STEPS.commit, outcome: "undone", live: "blue" },
  { step: "watch", line: STEPS.watch, outcome: "green was live already", live: "green" },
  { step: "drain", line: STEPS.drain, outcome: "green was live already", live: "green" },
];

const killedAfter = (line: string, before = "") => withLine(line, "", `${before}  kill -9 $$\n`);

describe("a switch that ended before its end", () => {
  const service = useLiveService();

  for (const { step, line, outcome, live } of KILLS) {
    it(`after ${step}: ${outcome}`, async () => {
      const { blue, green } = service.containers;
      const running = service.startSwitch("green", { edit: killedAfter(line) });
      const { code, output } = await running.ended;
      assert.equal(code, 1, output);
      assert.match(output, /error: the switch was killed \(exit status 137\)/);
      await until(
        () => "it is settled",
        async () => !(await service.journal()).at(-1)?.outcome.startsWith("done"),
      );
      const serving = live === "green" ? [green, blue] : [blue, green];
      assert.deepEqual([await service.live(), await service.idle()], serving);
      const entry = (await service.journal()).at(-1);
      assert.match(entry?.outcome ?? "", new RegExp(`^interrupted: ${outcome}`));
      assert.deepEqual([entry?.from, entry?.to], ["blue", "green"]);

      const next = await service.switched("green");
      assert.ok(next.includes(`==> the switch before this one was interrupted: ${outcome}`), next);
      assert.deepEqual([await service.live(), await service.idle()], [green, blue]);
      assert.doesNotMatch(await service.switched("blue"), /the switch before this one/);
    });
  }

  it("is settled by an nginx that goes on serving: however long it takes, the edge stands by", async () => {
    const { blue } = service.containers;
    const timesServed = async () => (await docker("logs", service.edge)).split("==> serving").length;
    const before = await timesServed();
    // What was staged has to go, which takes a reload; this one takes twice the edge's patience.
    await service.app("green");
    const slowReload = '(flock 8; sleep 6) 8>>"$RUN/reload.lock" 9>&- </dev/null >/dev/null 2>&1 &\n';
    const line = 'mv -f "$SITE.next" "$SITE"';
    await service.switch("green", { edit: killedAfter(line, slowReload) });
    await until(
      () => "it is settled",
      async () => (await service.journal()).at(-1)?.outcome === "interrupted: undone",
    );
    assert.equal(await timesServed(), before);
    assert.equal(await service.live(), blue);
  });

  it("in the middle of its input has run nothing", async () => {
    const site = await service.site();
    const cuts = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
    for (const cut of cuts) {
      const edit = (input: string) => input.slice(0, Math.floor(input.length * cut));
      const { code, output } = await service.switch("green", { edit });
      assert.doesNotMatch(output, /==>/, `cut off after ${cut}`);
      if (cut <= 0.5) assert.notEqual(code, 0, `cut off after ${cut}`);
    }
    assert.equal(await service.site(), site);
    assert.equal(await service.live(), service.containers.blue);
  });
});

describe("a take-over that ended before its end", () => {
  const service = useLiveService();

  for (const [step, line] of Object.entries(TAKE_OVER_STEPS)) {
    it(`after ${step}: one nginx serves, and the next one takes over`, async () => {
      const { blue } = service.containers;
      const former = service.proxy;
      await service.newProxy();
      const { code, output } = await service.takeOver({ editTakeOver: killedAfter(line) }).ended;
      assert.equal(code, 1, output);
      assert.match(output, /error: the take-over was killed \(exit status 137\)/);
      await until(
        () => "one of them listens",
        async () => (await service.listens(former)) !== (await service.listens(service.proxy)),
      );
      assert.equal(await service.live(), blue);
      await service.switched("blue");
      assert.deepEqual([await service.listens(former), await service.listens(service.proxy)], [false, true]);
      assert.equal(await service.live(), blue);
      await docker("rm", "--force", "--volumes", former);
    });
  }
});
