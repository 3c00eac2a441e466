import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { useStack } from "../support/stack";

const COMMON = "planted-7f3a-common";
const BLUE = "planted-7f3a-blue";
const REDIS = "planted-7f3a-redis";
const PLANTED = /planted-7f3a-\w+/;

/** Looks at the command line of every process on the machine, containers' included, until it is stopped. */
function watchProcesses() {
  const found = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const line = readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      if (PLANTED.test(line)) found.add(line);
    }
  }, 50);
  timer.unref();
  return { found, stop: () => (clearInterval(timer), looks) };
}

/** What ended while it was looked at, or is no file, has no text. */
function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

describe("a secret", () => {
  const images = useImages({ one: "ok", two: "ok", broken: "exits" });
  const stack = useStack({
    blue: { image: images.one, env: { PLAIN: "seen" } },
    green: { image: images.two },
  });
  const said: string[] = [];
  let processes: ReturnType<typeof watchProcesses>;
  after(() => void processes.stop());

  before(async () => {
    await stack.setSecret("env.TOKEN", COMMON);
    await stack.setSecret("blue.env.TOKEN_OF_BLUE", BLUE);
    await stack.setSecret("redis.password", REDIS);
    // From here on; on the command line of `pulumi config set` it is the user who puts it there.
    processes = watchProcesses();
    said.push((await stack.preview("--diff")).output);
    said.push((await stack.up("--diff")).output);
    await stack.set({ activeColor: "green" });
    said.push((await stack.up()).output);
    await stack.set({ blue: { image: images.broken } });
    said.push((await stack.upFails("--diff")).output);
    said.push((await stack.refresh("--diff")).output);
  });

  it("gets to the container that needs it", async () => {
    const { Config } = await stack.container("green");
    assert.ok(Config.Env.includes(`TOKEN=${COMMON}`) && Config.Env.includes(`REDIS_PASSWORD=${REDIS}`));
    const blues = await stack.containers("blue");
    assert.ok(blues.every(({ Config }) => Config.Env.includes(`TOKEN_OF_BLUE=${BLUE}`)));
  });

  it("is in no plan and no other output", () => {
    assert.ok(said.join("").includes("did not pass its health gate"));
    assert.doesNotMatch(said.join(""), PLANTED);
  });

  it("is in no plain state, and in no file of the project", async () => {
    assert.match(await stack.export(), /PLAIN|ciphertext/);
    assert.doesNotMatch(await stack.export(), PLANTED);
    const files = ["state", "."].flatMap((folder) =>
      readdirSync(path.join(stack.folder, folder), { recursive: folder === "state", withFileTypes: true }),
    );
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readText(path.join(file.parentPath, file.name)));
    assert.ok(texts.some((text) => text.includes("service-switch")));
    for (const text of texts) assert.doesNotMatch(text, PLANTED);
  });

  it("is in no label, name, command or mount of a container", async () => {
    for (const name of (await stack.leftovers()).containers) {
      const inspected = JSON.parse(await docker("container", "inspect", name)) as [
        { Config: { Env?: string[] } },
      ];
      // The environment is where a container gets it, and the one place that root on the host can read.
      delete inspected[0].Config.Env;
      assert.doesNotMatch(JSON.stringify(inspected), PLANTED, name);
    }
  });

  it("is in no log", async () => {
    for (const name of (await stack.leftovers()).containers) {
      assert.doesNotMatch(await docker("logs", name), PLANTED, name);
    }
  });

  it("is neither in the journal nor elsewhere on the proxy's volume or in its memory", async () => {
    const { Id } = await stack.container("proxy");
    const text = await docker(
      "exec",
      Id,
      "sh",
      "-c",
      "find /bluegreen /run/bluegreen -type f -exec cat {} +",
    );
    assert.match(text, /"outcome":"failed: blue did not pass/);
    assert.doesNotMatch(text, PLANTED);
  });

  it("was in no command line of a process meanwhile", async () => {
    const control = spawn("sleep", ["1"], { argv0: "planted-7f3a-control", stdio: "ignore" });
    await once(control, "close");
    assert.deepEqual([...processes.found], ["planted-7f3a-control 1 "]);
    assert.ok(processes.stop() > 50);
  });
});
