import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { CHECKS, expectHardened, held, inspectAll } from "../support/cis";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { until } from "../support/running";
import { useStack, type Role } from "../support/stack";

const ROOT = path.resolve(__dirname, "../..");
// The ACME client has its turn in tests/integration/acme.test.ts, where there is an ACME server.
const ROLES: Role[] = ["edge", "proxy", "redis", "blue", "green"];

describe("hardened containers", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.two } });
  before(() => stack.up());

  const idOf = async (role: Role) => (await stack.container(role)).Id;
  /** What the kernel says of the first process of a container, or of another one. */
  const kernelSays = async (role: Role, key: string, pid = "1") => {
    const status = await docker("exec", await idOf(role), "cat", `/proc/${pid}/status`);
    return new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1];
  };
  const redis = async (...command: string[]) => docker("exec", await idOf("redis"), "redis-cli", ...command);

  for (const [number, check] of Object.entries(CHECKS)) {
    if (!("holds" in check)) continue;
    it(`CIS ${number}: ${check.title}`, async () => {
      for (const role of ROLES) {
        if (check.left?.[role] === undefined) check.holds(await inspectAll(await idOf(role)), role);
      }
    });
  }

  it("CIS 5.23, 5.24: no script makes more of `docker exec` than the container has", () => {
    const folder = path.join(ROOT, "components/shell");
    const scripts = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".sh"),
    );
    const calls = scripts.flatMap(
      (file) => readFileSync(path.join(folder, file), "utf8").match(/docker exec [^\n]*/g) ?? [],
    );
    assert.ok(calls.length > 3);
    for (const check of Object.values(CHECKS)) {
      if ("notInScripts" in check) for (const call of calls) assert.doesNotMatch(call, check.notInScripts);
    }
  });

  it("docs/hardening.md has every check, and says the same", () => {
    const text = readFileSync(path.join(ROOT, "docs/hardening.md"), "utf8");
    const rows = [...text.matchAll(/^\| (5\.\d+) +\| ([^|]+?) +\| (yes|in part|left) /gm)];
    assert.deepEqual(
      rows.map(([, number, title, says]) => [number, title, says]),
      Object.entries(CHECKS).map(([number, check]) => [number, check.title, held(check)]),
    );
    assert.equal(rows.length, 32);
  });

  it("the kernel holds them to it: no new privileges, and no capability but the few", async () => {
    for (const role of ROLES) assert.equal(await kernelSays(role, "NoNewPrivs"), "1", role);
    // CHOWN, SETGID, SETUID, KILL and NET_BIND_SERVICE are bits 0, 6, 7, 5 and 10.
    for (const role of ["edge", "proxy"] as const)
      assert.equal(await kernelSays(role, "CapBnd"), "00000000000004e1", role);
    for (const set of ["CapPrm", "CapEff", "CapBnd"])
      assert.equal(Number(await kernelSays("redis", set)) & 1, 0, `Redis itself has ${set}`);
  });

  it("all is as it should be at a second update and a refresh", () => stack.expectNoChange());

  it("docker ps shows edge, nginx and Redis as healthy", async () => {
    for (const role of ["edge", "proxy", "redis"] as const) {
      await until(
        () => `${role} is healthy`,
        async () => (await inspectAll(await idOf(role))).State.Health?.Status === "healthy",
        60,
      );
    }
  });

  it("and says so when nginx does not answer", async () => {
    const id = await idOf("proxy");
    const check = (await inspectAll(id)).Config.Healthcheck?.Test ?? [];
    const result = () =>
      docker("exec", id, ...check.slice(1)).then(
        () => "healthy",
        () => "unhealthy",
      );
    assert.equal(await result(), "healthy");
    // The edge serves meanwhile, or else the update after this would find nobody.
    const pids = await docker(
      "exec",
      id,
      "sh",
      "-c",
      "grep -l '^nginx: ' /proc/[0-9]*/cmdline | cut -d/ -f3",
    );
    const signal = (name: string) =>
      docker("exec", id, "sh", "-c", `kill -${name} ${pids.split("\n").join(" ")}`);
    await signal("STOP");
    try {
      assert.equal(await result(), "unhealthy");
    } finally {
      await signal("CONT");
    }
    assert.equal(await result(), "healthy");
  });

  it("Redis keeps its data over a restart, though only it may read it", async () => {
    await redis("set", "kept", "yes");
    await docker("exec", await idOf("redis"), "chmod", "700", "/data/appendonlydir");
    await docker("restart", await idOf("redis"));
    await until(
      () => "Redis answers",
      async () => (await redis("get", "kept").catch(() => "")) === "yes",
    );
  });

  it("limits by settings are in place: no container that serves is replaced for them", async () => {
    const before = await Promise.all(ROLES.map(idOf));
    await stack.set({ memoryMb: 256, proxy: { memoryMb: 512 }, container: { cpuShares: 512 } });
    const { service: _itsArguments, ...changes } = (await stack.up()).changes;
    assert.deepEqual(changes, { edge: "update", proxy: "update", blue: "update", green: "update" });
    assert.deepEqual(await Promise.all(ROLES.map(idOf)), before);
    const now = async (role: Role) => (await inspectAll(await idOf(role))).HostConfig;
    const mib = 1024 * 1024;
    for (const [role, memory] of [
      ["edge", 512],
      ["proxy", 512],
      ["blue", 256],
    ] as const)
      assert.equal((await now(role)).Memory, memory * mib, role);
    assert.equal((await now("green")).CpuShares, 512);
  });

  it("a color that needs more fails its gate, which names the setting, and with it goes live", async () => {
    const setBack = stack.keepConfig();
    await stack.set({ command: ["sh", "-c", "mknod /tmp/null c 1 3 && exec node /fixture-app.js"] });
    const { output } = await stack.upFails();
    assert.match(output, /Operation not permitted/);
    assert.match(output, /Why: it may not do what it tries/);
    assert.match(output, /What to do next: .*container\.capabilities/);
    assert.equal((await stack.serving()).live, "blue one");
    await stack.set({ container: { capabilities: { drops: ["CAP_NET_RAW"] } } });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    setBack();
  });

  it("a service without any right: colors by settings, released and switched as ever", async () => {
    await stack.set({
      container: { capabilities: { drops: ["all"] }, readOnly: true, tmpfs: { "/tmp": "size=16m" } },
    });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    for (const role of ["blue", "green"] as const) {
      assert.equal(await kernelSays(role, "CapBnd"), "0000000000000000", role);
      await assert.rejects(docker("exec", await idOf(role), "touch", "/new"), /[Rr]ead-only file system/);
      await docker("exec", await idOf(role), "touch", "/tmp/new");
    }
    await stack.expectNoChange();
  });

  it("a change of a folder in memory makes new containers, which Docker's provider would not do", async () => {
    await stack.set({ container: { tmpfs: { "/tmp": "size=32m" } } });
    const { changes } = await stack.up();
    assert.deepEqual([changes.blue, changes.green], ["replace", "replace"]);
    assert.match(await docker("exec", await idOf("blue"), "df", "-m", "/tmp"), /\s32\s/);
  });

  it("a full Redis refuses what is new, and neither drops what it has nor is killed", async () => {
    await stack.set({ redis: { memoryMb: 16 } });
    await stack.up();
    await until(
      () => "Redis answers",
      async () => (await redis("get", "kept").catch(() => "")) === "yes",
    );
    const fill =
      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do head -c 1048576 /dev/zero | redis-cli -x set big$i; done";
    assert.match(await docker("exec", await idOf("redis"), "sh", "-c", fill), /OOM command not allowed/);
    assert.equal(await redis("get", "kept"), "yes");
    await redis("bgrewriteaof");
    await until(
      () => "the data is written anew",
      async () => (await redis("info", "persistence")).includes("aof_rewrite_in_progress:0"),
    );
    const { State } = await stack.container("redis");
    assert.equal(State.Running, true);
    await expectHardened("redis", await idOf("redis"));
    await stack.expectNoChange();
  });
});
