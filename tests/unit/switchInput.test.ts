import fc from "fast-check";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Settings } from "../../components/settings";
import { renderIdleGateInput, renderSwitchInput, switchHash } from "../../components/release/switchInput";
import { containers, LEAST, RUNS, validSettings, settingsOf } from "./valid";

const NAMES = { blue: "shop-blue-1", green: "shop-green-2" };
const values = (settings: Settings) => ({
  lockHolder: "acme/dev/shop",
  id: "1a2b3c4d",
  ingress: "shop-dev-shop",
  service: "shop",
  settings,
});
const inputOf = (settings: Settings, names = NAMES) =>
  renderSwitchInput(values(settings), names[settings.activeColor]);
const idleInputOf = (settings: Settings, names = NAMES) => renderIdleGateInput(values(settings), names);

/** Runs a switch's input with a "docker" that only writes down what it is called with, and on its input. */
function withFakeDocker<T>(
  use: (run: (input: string) => { status: number | null; calls: string; piped: string }) => T,
): T {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-unit-"));
  const docker = path.join(folder, "docker");
  writeFileSync(
    docker,
    `#!/bin/sh\necho "$*" >>"$FOLDER/calls"\ncase $* in
  ps*) printf "%s running image 1a2b3c4d\\n" "shop-blue-1 blue" "shop-green-2 green" "shop-proxy-3 proxy" ;;
  *sed*) printf "live: blue shop-blue-1\\nidle: green shop-green-2\\n" ;;
  "exec -i"*) cat >"$FOLDER/piped" ;;
esac\n`,
  );
  chmodSync(docker, 0o755);
  const take = (name: string) => {
    try {
      return readFileSync(path.join(folder, name), "utf8");
    } catch {
      return "";
    } finally {
      rmSync(path.join(folder, name), { force: true });
    }
  };
  try {
    return use((input) => {
      const env = { PATH: `${folder}:${process.env.PATH}`, FOLDER: folder };
      const { status } = spawnSync("sh", ["-s"], { input, env });
      return { status, calls: take("calls"), piped: take("piped") };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the switch's input", () => {
  it("says all that the switch needs to know", () => {
    const settings = settingsOf({
      ...LEAST,
      health: { status: 204, bodyText: "it's UP", passes: 3 },
      idle: "stopped",
    });
    const input = inputOf(settings);
    for (const line of [
      "LOCK_HOLDER='acme/dev/shop'",
      "LIVE_COLOR='blue'",
      "LIVE='shop-blue-1'",
      "INGRESS='shop-dev-shop'",
      "HEALTH_STATUS='204'",
      `HEALTH_BODY='it'\\''s UP'`,
      "HEALTH_PASSES='3'",
      "HEALTH_JSON_FIELD=''",
      "IDLE='stopped'",
    ]) {
      assert.ok(input.includes(`\n${line}\n`), line);
    }
  });

  it("N7 is told of strategy recreate alone, and has its scripts then alone", () => {
    for (const input of [
      inputOf(settingsOf(LEAST)),
      inputOf(settingsOf({ ...LEAST, strategy: "blue-green" })),
    ]) {
      assert.equal(input, inputOf(settingsOf(LEAST)));
      assert.doesNotMatch(input, /^(STRATEGY|CLOSED_TEMPLATE|EXCHANGE_SECONDS)=/m);
    }
    const recreate = settingsOf({ ...LEAST, strategy: "recreate" });
    assert.match(inputOf(recreate), /\nSTRATEGY='recreate'\nIDLE='stopped'\n/);
    assert.match(
      inputOf(recreate),
      /\nCLOSED_TEMPLATE='# closed: <live-color> <live>\n[^]*\nEXCHANGE_SECONDS=/,
    );
    assert.match(idleInputOf(recreate), /\nSTRATEGY='recreate'\n/);
  });

  it("knows no secret: nothing of the environment or of Redis", () => {
    const settings = settingsOf({ ...LEAST, env: { TOKEN: "s3cr3t" }, redis: { password: "s3cr3t" } });
    assert.doesNotMatch(inputOf(settings) + idleInputOf(settings), /s3cr3t|TOKEN/);
  });

  it("calls Docker in this order, and pipes the settings and the script into the proxy", () => {
    withFakeDocker((run) => {
      const { status, calls, piped } = run(inputOf(settingsOf(LEAST)));
      assert.equal(status, 0);
      const lines = calls.trim().split("\n");
      assert.equal(lines.length, 3);
      assert.match(lines[0], /^ps --all --filter label=bluegreen\.role /);
      assert.equal(lines[1], "exec -i shop-proxy-3 sh -s");
      assert.match(
        lines[2],
        /^exec shop-proxy-3 sh -c cd "\/bluegreen\/state\/services\/\$1" .*site\.conf.* sh shop$/,
      );
      assert.match(piped, /^WHO='[^'\n]+'\nIMAGE='image'\nSTARTED=''\nLOCK_HOLDER=[^]*\nmain\n$/);
    });
  });

  it("the idle gate, with the idle color served and running, runs nothing in nginx", () => {
    withFakeDocker((run) => {
      const { status, piped } = run(idleInputOf(settingsOf(LEAST)));
      assert.deepEqual([status, piped], [0, ""]);
    });
  });

  it("each knows nothing that is no reason for it to run", () => {
    const blueLive = settingsOf(LEAST);
    const greenLive = settingsOf({ ...LEAST, activeColor: "green" });
    assert.doesNotMatch(inputOf(blueLive), /shop-green-2|shop:1\.1\.0/);
    assert.equal(idleInputOf(blueLive), idleInputOf(greenLive));
  });

  it("each knows where its candidate listens: the switch not where the idle color does", () => {
    const settings = settingsOf({
      ...LEAST,
      containerPort: 4000,
      green: { ...LEAST.green, containerPort: 8080, memoryMb: 64 },
    });
    assert.match(inputOf(settings), /\nLIVE_PORT='4000'\nLIVE_OWN=''\n/);
    assert.doesNotMatch(inputOf(settings), /8080/);
    assert.match(idleInputOf(settings), /\nBLUE_PORT='4000'\nBLUE_OWN=''\n/);
    assert.match(idleInputOf(settings), /\nGREEN_PORT='8080'\nGREEN_OWN='containerPort memoryMb'\n/);
  });

  it("a part of it, cut off anywhere, calls nothing", () => {
    const input = inputOf(settingsOf({ ...LEAST, health: { bodyText: "a\n'b" } }));
    const end = input.lastIndexOf("main\n");
    const cuts = fc.sample(fc.integer({ min: 0, max: end }), 120).concat(0, end, input.indexOf("main\n") + 5);
    withFakeDocker((run) => {
      for (const cut of cuts)
        assert.equal(run(input.slice(0, cut)).calls, "", `cut at ${cut} of ${input.length}`);
      assert.notEqual(run(input).calls, "", "the whole does");
    });
  });

  it("the part for the container, cut off anywhere, runs nothing", () => {
    const piped = withFakeDocker((run) => run(inputOf(settingsOf(LEAST))).piped);
    const end = piped.lastIndexOf("main\n");
    // What main does first shows in the trace. A cut in the middle of a definition calls its name, which is not known yet.
    const script = piped.replace(/^\. \/bluegreen\/.*\n/gm, "PROTOCOL=1\n");
    const moved = piped.length - script.length;
    for (const cut of fc.sample(fc.integer({ min: 0, max: end - moved }), 60).concat(end - moved)) {
      const { stderr } = spawnSync("sh", ["-xs"], { input: script.slice(0, cut), encoding: "utf8" });
      assert.doesNotMatch(stderr, /^\+ use_service/m, `cut at ${cut}`);
    }
    const { stderr } = spawnSync("sh", ["-xs"], { input: script, encoding: "utf8" });
    assert.match(stderr, /^\+ use_service/m, "the whole does");
  });

  it("any valid settings arrive as they are", () => {
    fc.assert(
      fc.property(validSettings, containers, (settings, names) => {
        const input = inputOf(settings, names);
        const functions = input.slice(0, input.indexOf("\nin_container_script()"));
        const values = {
          LIVE: names[settings.activeColor],
          HEALTH_PATH: settings.health.path,
          HEALTH_HOST: settings.health.hostHeader,
          HEALTH_BODY: settings.health.bodyText ?? "",
          HEALTH_JSON_FIELD: settings.health.jsonField ?? "",
          HEALTH_JSON_VALUE: settings.health.jsonValue ?? "",
          HEALTH_TIMEOUT: String(settings.health.timeoutSeconds),
          GATE_TIMEOUT: String(settings.health.gateTimeoutSeconds),
        };
        const print = Object.keys(values).map((name) => `printf '%s\\0' "$${name}"\n`);
        const printed = execFileSync("sh", ["-s"], {
          input: `${functions}\neval "$(settings)"\n${print.join("")}`,
        });
        const expected = Object.values(values).map((value) => `${value}\0`);
        assert.equal(printed.toString(), Buffer.from(expected.join("")).toString());
      }),
      { numRuns: Math.ceil(RUNS / 2) },
    );
  });
});

describe("the hash that runs the switch again", () => {
  const base = switchHash(settingsOf(LEAST));

  it("is the same for what the idle gate does, for drain and lock", () => {
    assert.equal(
      switchHash(
        settingsOf({ ...LEAST, idle: "stopped", drainSeconds: 1, lockWaitSeconds: 3, stopGraceSeconds: 2 }),
      ),
      base,
    );
  });

  it("is the same for the idle color's own port, and another for the live one's", () => {
    const own = (color: "blue" | "green") =>
      switchHash(settingsOf({ ...LEAST, [color]: { ...LEAST[color], containerPort: 8080 } }));
    assert.equal(own("green"), base);
    assert.notEqual(own("blue"), base);
  });

  it("is another for each thing that is rendered or gated", () => {
    const others = [
      { containerPort: 1 },
      { health: { path: "/a" } },
      { health: { bodyText: "UP" } },
      { health: { gateTimeoutSeconds: 61 } },
      { proxy: { accessLog: false } },
      { proxy: { readTimeoutSeconds: 1 } },
      { strategy: "recreate" },
    ].map((change) => switchHash(settingsOf({ ...LEAST, ...change })));
    assert.equal(new Set([base, ...others]).size, others.length + 1);
  });
});
