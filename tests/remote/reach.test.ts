import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sshd } from "../../offline/plugins/tests/sshd";
import { useImages } from "../support/images";
import { useStack } from "../support/stack";

describe("an ssh:// host", function () {
  this.timeout(600_000);
  const images = useImages({ one: "ok", two: "ok", three: "ok" });
  const stack = useStack(
    {
      blue: { image: images.one },
      green: { image: images.two },
      redis: { enabled: false },
      host: { connectTries: 2, connectTimeoutSeconds: 5 },
    },
    { overSsh: true },
  );
  before("first deploy", () => stack.up());

  /** An update that has something to do, and can't reach the host: one error, and everything as before. */
  async function isRefused(...words: RegExp[]): Promise<void> {
    await stack.set({ green: { image: images.three } });
    const { output, changes } = await stack
      .upFails()
      .finally(() => stack.set({ green: { image: images.two } }));
    for (const each of [
      /no answer from Docker at ssh:/,
      /Nothing was changed/,
      /What to do next/,
      ...words,
    ]) {
      assert.match(output, each);
    }
    assert.equal(output.match(/^ *error: /gm)?.length, 1, output);
    // That the service was asked for is noted; nothing that it consists of was touched.
    assert.deepEqual({ ...changes, service: "update" }, { service: "update" });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  }

  it("serves what was deployed", async () => {
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.expectNoChange();
  });

  it("is not contacted by a preview, and once by an update that has nothing to do", async () => {
    const before = stack.sshd.connections;
    await stack.set({ activeColor: "green" });
    await stack.preview();
    await stack.set({ activeColor: "blue" });
    assert.equal(stack.sshd.connections - before, 0);
    await stack.up("--expect-no-changes");
    assert.equal(stack.sshd.connections - before, 1);
  });

  describe("that can't be used is one error, and nothing is touched:", () => {
    afterEach(async () => {
      await stack.sshd.pause();
      await stack.sshd.resume();
      const { hostKey } = stack.sshd;
      const privateKeyFile = stack.sshd.file("user");
      await stack.set({ host: { hostKey, privateKeyFile, connectTimeoutSeconds: 5 } });
    });

    it("nobody listens", async () => {
      await stack.sshd.pause();
      await isRefused(/\(2 tries\)/, /Connection refused/, /see that the host runs/);
    });

    it("somebody listens who says nothing", async () => {
      await stack.sshd.pause();
      const sockets: Socket[] = [];
      const silent = createServer((socket) => sockets.push(socket)).listen(stack.sshd.port, "127.0.0.1");
      try {
        await stack.set({ host: { connectTimeoutSeconds: 1 } });
        await isRefused(/\(2 tries\)/, /timed out/, /see that the host runs/);
      } finally {
        for (const socket of sockets) socket.destroy();
        silent.close();
        await once(silent, "close");
      }
    });

    it("it shows another host key", async () => {
      await stack.set({ host: { hostKey: stack.sshd.read("other.pub").split(" ", 2).join(" ") } });
      await isRefused(/Host key verification failed/, /shows another key than the one that is set/);
    });

    it("it does not take the key", async () => {
      await stack.set({ host: { privateKeyFile: stack.sshd.file("other") } });
      await isRefused(/Permission denied/, /let the server take the key/);
    });

    it("it has no Docker", async () => {
      // All of a machine but Docker.
      const bin = path.join(stack.folder, "bin");
      mkdirSync(bin);
      for (const name of ["sh", "sed", "awk", "cat"]) symlinkSync(`/usr/bin/${name}`, path.join(bin, name));
      await stack.sshd.pause();
      await stack.sshd.resume({ env: { PATH: bin } });
      await isRefused(/docker: (command )?not found/, /install Docker there/);
    });

    it("its Docker does not answer", async () => {
      await stack.sshd.pause();
      await stack.sshd.resume({ env: { DOCKER_HOST: "unix:///nowhere" } });
      await isRefused(/Cannot connect to the Docker daemon/, /install Docker there/);
    });
  });

  it("a refresh that does not reach it fails, and forgets nothing", async () => {
    await stack.sshd.pause();
    await assert.rejects(stack.refresh(), /Error pinging Docker server/);
    await stack.sshd.resume();
    await stack.expectNoChange();
  });

  describe("its host key from a known_hosts file", () => {
    const known = () => path.join(stack.folder, "known_hosts");
    before(() => stack.unset("host.hostKey"));
    after(async () => {
      await stack.unset("host.knownHostsFile");
      await stack.set({ host: { hostKey: stack.sshd.hostKey } });
    });

    it("is found among others, and is no change", async () => {
      const { port, hostKey } = stack.sshd;
      const others = `other.example ${hostKey}\n@revoked [127.0.0.1]:${port} ${stack.sshd.read("other.pub")}`;
      writeFileSync(known(), `# hosts\n${others}[127.0.0.1]:${port} ${hostKey} a comment\n`);
      await stack.set({ host: { knownHostsFile: known() } });
      assert.deepEqual((await stack.up()).changes, { service: "update" });
    });

    it("also when names are hashed", async () => {
      execFileSync("ssh-keygen", ["-H", "-f", known()], { stdio: "ignore" });
      assert.doesNotMatch(readFileSync(known(), "utf8"), /^\[127/m);
      await stack.expectNoChange();
    });

    it("a file without the host is refused before anything is asked for", async () => {
      const connections = stack.sshd.connections;
      writeFileSync(known(), `other.example ${stack.sshd.hostKey}\n`);
      const { output } = await stack.upFails();
      assert.match(output, /host\.knownHostsFile: is ".*", which can't be read or has no .* key of ssh:/);
      assert.equal(stack.sshd.connections, connections);
    });
  });

  describe("the key in an SSH agent", () => {
    let agent: ChildProcess;
    const socket = () => path.join(stack.folder, "agent.sock");
    before(async () => {
      agent = spawn("ssh-agent", ["-D", "-a", socket()], { stdio: "ignore" });
      while (!existsSync(socket())) await sleep(20);
      await stack.unset("host.privateKeyFile");
    });
    after(async () => {
      delete stack.extraEnv.SSH_AUTH_SOCK;
      agent.kill();
      await once(agent, "exit");
      await stack.set({ host: { privateKeyFile: stack.sshd.file("user") } });
    });

    it("that does not have it is told", async () => {
      stack.extraEnv.SSH_AUTH_SOCK = socket();
      await isRefused(/Permission denied/, /has to be in the SSH agent/);
    });

    it("is used, for a flip too, and is not in the state", async () => {
      execFileSync("ssh-add", ["-q", stack.sshd.file("user")], {
        env: { ...process.env, SSH_AUTH_SOCK: socket() },
      });
      await stack.set({ activeColor: "green" });
      await stack.up();
      assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
      await stack.expectNoChange();
      assert.doesNotMatch((await stack.pulumi("stack", "export", "--show-secrets")).output, /PRIVATE KEY/);
      await stack.set({ activeColor: "blue" });
      await stack.up();
    });

    it("a preview needs none", async () => {
      delete stack.extraEnv.SSH_AUTH_SOCK;
      const { changes } = await stack.preview();
      assert.deepEqual(changes, {});
    });
  });

  describe("the key as a secret", () => {
    const written = () => path.join(homedir(), `.bluegreen/${stack.project}-${stack.name}-service.key`);
    before(async () => {
      await stack.unset("host.privateKeyFile");
      await stack.setSecret("host.privateKey", stack.sshd.read("user"));
    });
    after(async () => {
      await stack.unset("host.privateKey");
      await stack.set({ host: { privateKeyFile: stack.sshd.file("user") } });
      rmSync(written(), { force: true });
    });

    it("is not written by a preview", async () => {
      await stack.preview();
      assert.equal(existsSync(written()), false);
    });

    it("is used, and only its owner can read where it is written for ssh", async () => {
      await stack.set({ activeColor: "green" });
      const { output } = await stack.up();
      assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
      assert.equal(statSync(written()).mode & 0o777, 0o600);
      assert.equal(statSync(path.dirname(written())).mode & 0o077, 0);
      assert.doesNotMatch(output, /PRIVATE KEY/);
      await stack.set({ activeColor: "blue" });
      await stack.up();
      await stack.expectNoChange();
    });

    it("is nowhere in plain text in the state", async () => {
      const line = stack.sshd.read("user").split("\n")[2];
      const state = await stack.export();
      assert.ok(!state.includes(line) && !state.includes("PRIVATE KEY"));
    });
  });

  describe("behind a bastion", () => {
    let bastion: Sshd;
    before(async () => {
      bastion = await Sshd.start();
      const { address, hostKey } = bastion;
      await stack.set({ host: { bastion: { address, hostKey, privateKeyFile: bastion.file("user") } } });
    });
    after(async () => {
      await stack.unset("host.bastion");
      // The state has to know, too: a destroy goes the way of the last update.
      await stack.up();
      await bastion.stop();
    });

    it("everything goes through it", async () => {
      await stack.set({ activeColor: "green", green: { image: images.three } });
      const before = { bastion: bastion.connections, host: stack.sshd.connections };
      await stack.up();
      assert.deepEqual(await stack.serving(), { live: "green three", idle: "blue one" });
      assert.equal(bastion.connections - before.bastion, stack.sshd.connections - before.host);
      await stack.expectNoChange();
      await stack.set({ activeColor: "blue", green: { image: images.two } });
      await stack.up();
    });

    it("its own host key is compared, too", async () => {
      await stack.set({ host: { bastion: { hostKey: stack.sshd.hostKey } } });
      await isRefused(/through ssh:/, /Host key verification failed/, /shows another key/);
      await stack.set({ host: { bastion: { hostKey: bastion.hostKey } } });
    });

    it("the host's key is compared although the bastion is right", async () => {
      await stack.set({ host: { hostKey: bastion.hostKey } });
      await isRefused(/Host key verification failed/);
      await stack.set({ host: { hostKey: stack.sshd.hostKey } });
    });

    it("that is away is one error", async () => {
      await bastion.pause();
      await isRefused(/through ssh:/, /Connection refused/);
      await bastion.resume();
    });

    it("without a key of its own it gets the host's", async () => {
      await stack.unset("host.bastion.privateKeyFile");
      await isRefused(/Permission denied/);
      writeFileSync(bastion.file("authorized"), stack.sshd.read("user.pub"));
      await stack.up();
      await stack.expectNoChange();
    });
  });
});
