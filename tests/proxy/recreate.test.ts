import assert from "node:assert/strict";
import type { Color } from "../../components/settings";
import { ask } from "../field/asks";
import { docker } from "../support/docker";
import { until } from "../support/running";
import { NODE_IMAGE, PLACE, useService, type SwitchOptions } from "./service";
import { KILL_SWITCH, STEPS, withLine } from "./steps";

/** There may be one of it: it takes a lock that the kernel keeps, on a volume, and notes where that is taken. */
const APP = `
const fs = require("node:fs");
const { NAME, HEALTH } = process.env;
const lock = fs.openSync("/data/lock", "a");
const flock = ["flock", ["-n", "3"], { stdio: ["ignore", "inherit", "inherit", lock] }];
if (require("node:child_process").spawnSync(...flock).status !== 0) {
  fs.appendFileSync("/data/taken", NAME + "\\n");
  process.exit(1);
}
let well = HEALTH === "ok";
require("node:http").createServer((request, response) => {
  if (request.url === "/health") return response.writeHead(well ? 200 : 500).end("health of " + NAME);
  setTimeout(() => response.end(NAME), request.url === "/slow" ? 1500 : 0);
}).listen(3000);
process.on("SIGTERM", () => process.exit());
process.on("SIGUSR2", () => (well = true));
`;

describe("N7 one at a time", () => {
  const service = useService();
  const options: SwitchOptions = {
    strategy: "recreate",
    hosts: [],
    ports: [{ containerPort: 3001, path: "/metrics" }],
    health: { gateTimeoutSeconds: 10 },
  };
  const volume = () => `${service.network}-data`;
  after(() => docker("volume", "rm", "--force", volume()));

  const make = (color: Color, health = "ok") =>
    service.startApp(color, APP, { HEALTH: health }, ["--volume", `${volume()}:/data`], "create");
  const inVolume = (command: string) =>
    docker("run", "--rm", "--volume", `${volume()}:/data`, NODE_IMAGE, "sh", "-c", command);
  /** Which of the colors' containers run. */
  const running = async () => {
    const names = await docker(
      ...["ps", "--format", "{{.Names}}", "--filter", `label=bluegreen.id=${service.network}`],
    );
    return names.split("\n").filter((name) => /-(blue|green)-/.test(name));
  };
  const isLive = async (name: string) =>
    assert.deepEqual([await service.live(), await running()], [name, [name]]);
  const isClosed = async (path = "/") => {
    const { status, headers } = await ask(service.port, path);
    return status === 503 && headers["retry-after"] === "5";
  };

  it("the first release: the other color is not started, and the preview port says why", async () => {
    await make("blue");
    await make("green");
    const output = await service.switched("blue", options);
    assert.doesNotMatch(output, /downtime/);
    await isLive(service.containers.blue);
    const { status, body } = await ask(service.previewPort, "/");
    assert.deepEqual([status, body], [503, "No color runs beside the live one: strategy is recreate.\n"]);
    assert.equal((await service.journal()).at(-1)?.kind, "recreate");
  });

  it("a flip: what is under way is answered, others get 503 with Retry-After, and how long is told", async () => {
    const { blue, green } = service.containers;
    const slow = ask(service.port, "/slow");
    const started = Date.now();
    const flip = service.startSwitch("green", options);
    // For a moment workers of before answer, too.
    for (const path of ["/", "/metrics"])
      await until(
        () => `503 for ${path}`,
        () => isClosed(path),
        20,
      );
    const began = Date.now();
    const large = await ask(service.port, "/", { method: "POST", body: "x".repeat(5_000_000) });
    assert.equal(large.status, 503, "also of what is larger than nginx takes without asking");
    assert.equal((await slow).body, blue);
    let closed = 0;
    await until(
      () => "green serves",
      async () => {
        if (await isClosed()) closed = (Date.now() - began) / 1000;
        return (await service.live()) === green;
      },
      30,
    );
    const atMost = (Date.now() - started) / 1000;
    const { code, output } = await flip.ended;
    assert.equal(code, 0, output);
    await isLive(green);
    const told = Number(/^==> downtime: ([\d.]+) s, in which users got 503$/m.exec(output)?.[1]);
    assert.ok(told > closed - 0.1 && told < atMost, `told ${told} s, seen from ${closed} to ${atMost} s`);
    const entry = (await service.journal()).at(-1);
    assert.deepEqual(
      [entry?.kind, entry?.from, entry?.to, entry?.downtime, entry?.outcome],
      ["recreate", "blue", "green", told, "done"],
    );
  });

  it("other settings, and an update without any, stop nothing", async () => {
    const since = () => docker("inspect", "--format", "{{.State.StartedAt}}", service.containers.green);
    const before = await since();
    const output = await service.switched("green", { ...options, proxy: { readTimeoutSeconds: 7 } });
    assert.doesNotMatch(output, /downtime|stopping/);
    await service.switched("green", options);
    assert.equal(await since(), before);
  });

  it("a candidate that fails its gate: the former one is started again, with the site that it had", async () => {
    const { green } = service.containers;
    const [site, former] = [await service.site(), { ...service.containers }];
    await make("green", "ill");
    const { code, output } = await service.switch("green", {
      ...options,
      health: { gateTimeoutSeconds: 2 },
      proxy: { readTimeoutSeconds: 9 },
    });
    assert.equal(code, 1);
    assert.match(output, /error: green did not pass its health gate/);
    assert.match(
      output,
      /==> starting .*\n[^]*==> downtime: [\d.]+ s, in which users got 503\n==> green is live again/,
    );
    assert.match(output, new RegExp(`green: ${green} .*: live, running`));
    Object.assign(service.containers, former);
    await isLive(green);
    assert.equal(await service.site(), site);
    const [failed, reopened] = (await service.journal()).slice(-2);
    assert.match(failed.outcome, /^failed: green did not pass/);
    assert.deepEqual([reopened.kind, reopened.to, reopened.outcome], ["reopened", "green", "done"]);
    assert.ok((reopened.downtime ?? 0) > 2, String(reopened.downtime));
  });

  it("one that can't be started: the same", async () => {
    const { green, blue } = service.containers;
    service.containers.blue = `${blue}-gone`;
    const { code, output } = await service.switch("blue", options);
    service.containers.blue = blue;
    assert.equal(code, 1);
    assert.match(output, /error: the container \S+-gone is gone/);
    assert.match(output, /green is live again/);
    await isLive(green);
  });

  it("the other way round: without recreate both run, and with it the idle one is stopped", async () => {
    // No other app than this could run twice.
    await docker("rm", "--force", service.containers.blue);
    await service.app("blue");
    const blueGreen: SwitchOptions = { ...options, strategy: "blue-green" };
    await service.switched("green", blueGreen);
    assert.equal(await service.idle(), service.containers.blue);
    await service.switched("green", options);
    await isLive(service.containers.green);
    await service.switched("blue", options);
    await isLive(service.containers.blue);
    await make("green");
    await service.switched("green", options);
  });

  describe("a switch in nginx that was killed", () => {
    const KILLS: { step: string; line: string; live: "before" | "after"; restarts: boolean }[] = [
      { step: "the new site", line: 'mv -f "$SITE.next" "$SITE"', live: "before", restarts: false },
      { step: "the 503", line: "commit", live: "before", restarts: false },
      {
        step: "the drain",
        line: 'wait_for_connections_to "$(all_served "${served_live#* }")"',
        live: "before",
        restarts: false,
      },
      { step: "the exchange", line: "served_live='' served_idle=''", live: "before", restarts: true },
      {
        step: "the gate",
        line: STEPS.gate,
        live: "before",
        restarts: true,
      },
      { step: "the commit", line: "watch", live: "after", restarts: false },
    ];
    for (const { step, line, live, restarts } of KILLS) {
      it(`after ${step}: one serves, and no other runs`, async () => {
        if ((await service.live()) !== service.containers.green) await service.switched("green", options);
        await docker("rm", "--force", service.containers.blue);
        await make("blue");
        const { green, blue } = service.containers;
        const edit = withLine(line, "", "  kill -9 $$\n");
        const { code, output } = await service.startSwitch("blue", { ...options, edit }).ended;
        assert.equal(code, 1, output);
        assert.match(output, /error: the switch was killed \(exit status 137\)/);
        assert.equal(output.includes("green is live again"), restarts, output);
        const serving = live === "before" ? green : blue;
        await until(
          () => `${serving} serves:\n${output}`,
          async () => (await service.live()) === serving,
          20,
        );
        await isLive(serving);
      });
    }
  });

  describe("an update that was killed on the host", () => {
    const begin = async (says: string, health: string) => {
      if ((await service.live()) !== service.containers.green) await service.switched("green", options);
      await docker("rm", "--force", service.containers.blue);
      await make("blue", health);
      const killed = service.startSwitch("blue", options);
      await killed.says(says);
      await killed.kill();
    };

    it("before it has stopped anything: what was live serves again by itself", async () => {
      await begin("==> downtime begins", "ok");
      await until(
        () => "green serves again",
        async () => (await service.live()) === service.containers.green,
        40,
      );
      await isLive(service.containers.green);
    });

    it("while nothing serves: 503 stays, and the next switch ends it", async () => {
      await begin("==> gate: blue", "ill");
      const { blue } = service.containers;
      await service.inProxy("sh", "-c", KILL_SWITCH);
      await until(
        () => "it is settled",
        async () => (await service.inProxy("ls", PLACE)).split("\n").includes("intent") === false,
      );
      assert.match((await service.journal()).at(-1)?.outcome ?? "", /^interrupted: users get 503/);
      assert.ok(await isClosed());
      // A new nginx that begins with a closed site serves it.
      await service.newProxy();
      assert.equal((await service.takeOver(options).ended).code, 0);
      assert.ok(await isClosed());
      await docker("kill", "--signal", "USR2", blue);
      const output = await service.switched("blue", options);
      assert.match(output, /downtime: [\d.]+ s/);
      await isLive(blue);
    });

    it("the same, and back to what was live", async () => {
      await begin("==> gate: blue", "ill");
      await service.inProxy("sh", "-c", KILL_SWITCH);
      await service.switched("green", options);
      await isLive(service.containers.green);
    });
  });

  describe("after all of this", () => {
    it("no two have run at a time, ever", async () => {
      assert.equal(await inVolume("cat /data/taken 2>/dev/null || echo none"), "none");
    });
  });
});
