import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What the CLI wrote into a stack's settings, with an empty passphrase and with another. */
const SALTS = {
  empty: "v1:QHcKljbCJPk=:v1:iGWRLuLw3i/SZjqZ:LK83xT1gdA2YYV5yWps5AWyB7uq7+g==",
  chosen: "v1:h5lhaexbAD4=:v1:FS3c17eXicmLp0Wr:0qnXax8x7RWpXhrII3xZkS2vmZwDNQ==",
};

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
    for (const file of ["pulumi", "empty-passphrase.mjs"])
      copyFileSync(`scripts/launcher/${file}`, path.join(root, "scripts/launcher", file));
    writeFileSync(path.join(root, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
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
    return runIn(root, ...args);
  }

  function runIn(cwd: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(launcher, args, { cwd, env, encoding: "utf8" });
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

  it("keeps stacks in the checkout, by default", () => {
    setUp("official");
    assert.equal(run("up").told.get("backend"), `file://${root}/.state/pulumi?metadata=skip`);
  });

  describe("U2 the empty passphrase is the demo's alone", () => {
    beforeEach(() => {
      setUp("official");
      env.PULUMI_HOME = path.join(root, "home");
    });

    /** As the CLI writes it for a project's folder, of which it keeps a hash in the name. */
    function select(stack: string, { at = "1", project = "shop" } = {}) {
      const folder = path.join(root, "home/workspaces");
      mkdirSync(folder, { recursive: true });
      const stacks = { [`file://${root}/.state/pulumi?metadata=skip`]: `organization/${project}/${stack}` };
      writeFileSync(
        path.join(folder, `${project}-${at}-workspace.json`),
        JSON.stringify({ stacks }, null, 4),
      );
    }

    const passphrase = (...args: string[]) => run(...args).told.get("passphrase");

    it("U2 the demo is `dev`, named or selected", () => {
      for (const args of [
        "--stack dev",
        "--stack=dev",
        "-s dev",
        "-sdev",
        "-ys dev",
        "-s organization/shop/dev",
      ])
        assert.equal(passphrase("up", ...args.split(" ")), "", args);
      assert.equal(passphrase("up"), "unset");
      select("dev");
      assert.equal(passphrase("up"), "");
      assert.equal(runIn(path.join(root, "scripts"), "up").told.get("passphrase"), "");
      env.PULUMI_STACK = "prod";
      assert.equal(passphrase("up"), "unset");
      env.PULUMI_STACK = "dev";
      assert.equal(passphrase("up"), "");
    });

    it("U2 the demo's is empty, whatever is exported for other stacks", () => {
      Object.assign(env, { PULUMI_CONFIG_PASSPHRASE: "prod's", PULUMI_CONFIG_PASSPHRASE_FILE: "/some/file" });
      assert.equal(passphrase("up", "-s", "dev"), "");
      assert.equal(passphrase("up", "-s", "prod"), "prod's");
    });

    it("U2 no other stack gets it, also while the demo is selected", () => {
      select("dev");
      for (const args of [
        "up -s prod",
        "up --stack=prod",
        "up -ys prod",
        "up -sprod",
        "stack init prod",
        "stack init",
        "stack select --create prod",
        "--color never stack init prod --copy-config-from dev",
        "config cp --dest prod",
        "stack migrate file:///elsewhere dev",
        "new",
        "-C hosts/ec2 up",
        "--cwd hosts/ec2 up",
        "-Chosts/ec2 up",
      ])
        assert.equal(passphrase(...args.split(" ")), "unset", args);
    });

    it("U2 nor does another project's `dev`, in a folder of the checkout or in another backend", () => {
      select("dev");
      const other = path.join(root, "hosts/ec2");
      mkdirSync(other, { recursive: true });
      writeFileSync(path.join(other, "Pulumi.yaml"), "name: host\n");
      assert.equal(runIn(other, "up", "-s", "dev").told.get("passphrase"), "unset");
      env.PULUMI_BACKEND_URL = "s3://somewhere";
      assert.equal(passphrase("up", "-s", "dev"), "unset");
    });

    it("U2 where another stack or another project is selected, nobody takes it for the demo", () => {
      select("prod");
      assert.equal(passphrase("up"), "unset");
      select("dev", { at: "2" });
      assert.equal(passphrase("up"), "unset", "the checkout has two names, and they don't agree");
      rmSync(path.join(root, "home"), { recursive: true });
      select("dev", { project: "host" });
      assert.equal(passphrase("up"), "unset");
    });

    it("U2 a stack with an empty passphrase is warned of, where secrets are set and at each update", () => {
      for (const [name, salt] of Object.entries(SALTS))
        writeFileSync(path.join(root, `Pulumi.${name}.yaml`), `config: {}\nencryptionsalt: ${salt}\n`);
      for (const args of [
        "config set --secret key -s empty",
        "up -s empty",
        "up -s organization/shop/empty",
        "up",
      ]) {
        const { status, stderr } = run(...args.split(" "));
        assert.equal(status, 7);
        assert.match(stderr, /^warning: the passphrase of Pulumi\.empty\.yaml is empty: .*\n$/, args);
        assert.match(stderr, /npx pulumi stack change-secrets-provider passphrase --stack empty$/m);
      }
      for (const args of [
        "config set --secret key -s chosen",
        "up -s chosen",
        "up -s none",
        "preview -s empty",
      ])
        assert.equal(run(...args.split(" ")).stderr, "", args);
    });

    it("U2 a secret in the demo is warned of, and nothing else in it", () => {
      assert.match(
        run("config", "set", "--secret", "key", "-s", "dev").stderr,
        /^warning: the demo stack `dev`/,
      );
      assert.equal(run("config", "set", "key", "value", "-s", "dev").stderr, "");
      assert.equal(run("up", "-s", "dev").stderr, "");
    });
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

  it("finds the login of a CLI that has no home of its own where `npx pulumi login` left it", () => {
    setUp("official");
    mkdirSync(path.join(root, ".state/toolchain/home"));
    writeFileSync(
      path.join(root, ".state/toolchain/home/credentials.json"),
      `{"current": "https://app.example"}`,
    );
    assert.equal(run("up").told.get("backend"), "unset");
  });

  it("puts the stand-in plugins on PATH only in the offline toolchain", () => {
    setUp("official");
    assert.equal(run("up").told.get("path")?.includes("offline/plugins/bin"), false);
    assert.equal(run("up").told.get("acquisition"), "unset");
    setUp("built");
    assert.equal(run("up").told.get("path")?.includes("offline/plugins/bin"), false);
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
