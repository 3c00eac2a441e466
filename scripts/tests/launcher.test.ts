import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

// A checkout of its own, with a CLI that tells what it was started with.
describe("the launcher behind `npx pulumi`", () => {
  const cli = `#!/bin/sh
echo "args=$*"
echo "backend=\${PULUMI_BACKEND_URL-unset}"
echo "passphrase=\${PULUMI_CONFIG_PASSPHRASE-unset}"
echo "home=\${PULUMI_HOME-unset}"
echo "acquisition=\${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION-unset}"
echo "path=$PATH"
[ "$1" = wait ] && exec sleep 60
exit 7
`;
  let root: string;
  let launcher: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bluegreen launcher-"));
    mkdirSync(path.join(root, "scripts/launcher"), { recursive: true });
    mkdirSync(path.join(root, "node_modules/.bin"), { recursive: true });
    copyFileSync("scripts/launcher/pulumi", path.join(root, "scripts/launcher/pulumi"));
    launcher = path.join(root, "node_modules/.bin/pulumi");
    symlinkSync("../../scripts/launcher/pulumi", launcher);
    env = { PATH: process.env.PATH, HOME: root };
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function setUp(kind: string) {
    const bin = path.join(root, ".state/toolchain/bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, "pulumi"), cli, { mode: 0o755 });
    writeFileSync(path.join(root, ".state/toolchain/kind"), `${kind}\n`);
  }

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(launcher, args, { env, encoding: "utf8" });
    const told = new Map(stdout.split("\n").map((line) => line.split(/=(.*)/s, 2) as [string, string]));
    return { status, stderr, told };
  }

  it("says what to do when nothing is set up yet", () => {
    const { status, stderr } = run("up");
    assert.equal(status, 1);
    assert.match(stderr, /run `npm start`/);
  });

  it("passes arguments and the exit code on", () => {
    setUp("official");
    const { status, told } = run("config", "set", "a b");
    assert.equal(status, 7);
    assert.equal(told.get("args"), "config set a b");
  });

  it("keeps stacks in the checkout with an empty passphrase, by default", () => {
    setUp("official");
    const { told } = run("up");
    assert.equal(told.get("backend"), `file://${root}/.state/pulumi`);
    assert.equal(told.get("passphrase"), "");
  });

  it("leaves a backend and a passphrase of the user's own alone", () => {
    setUp("official");
    env.PULUMI_BACKEND_URL = "s3://somewhere";
    env.PULUMI_CONFIG_PASSPHRASE_FILE = "/some/file";
    const { told } = run("up");
    assert.equal(told.get("backend"), "s3://somewhere");
    assert.equal(told.get("passphrase"), "unset");
  });

  it("leaves a login alone until `npm start` has made stacks here", () => {
    setUp("own");
    mkdirSync(path.join(root, ".pulumi"));
    writeFileSync(path.join(root, ".pulumi/credentials.json"), `{"current": "https://app.example"}`);
    assert.equal(run("up").told.get("backend"), "unset");
    mkdirSync(path.join(root, ".state/pulumi"));
    assert.match(run("up").told.get("backend") ?? "", /^file:/);
  });

  it("puts the stand-in plugins on PATH only in the offline toolchain", () => {
    setUp("official");
    assert.equal(run("up").told.get("path")?.includes("offline/plugins/bin"), false);
    assert.equal(run("up").told.get("acquisition"), "unset");
    setUp("offline");
    assert.equal(run("up").told.get("path")?.includes(`${root}/offline/plugins/bin`), true);
    assert.equal(run("up").told.get("acquisition"), "true");
  });

  it("lets a signal reach the CLI itself", async () => {
    setUp("official");
    const child = spawn(launcher, ["wait"], { env, stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise((resolve) => child.on("close", (_code, signal) => resolve(signal)));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    assert.equal(await ended, "SIGTERM");
  });
});
