import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import type { Props } from "../rpc/values.ts";
import { docker, IMAGE, makeImage, removeImage } from "./image.ts";
import { TestPlugin } from "./plugin.ts";
import { freePort, Sshd } from "./sshd.ts";

describe("stand-ins over ssh, to a real sshd", function () {
  this.timeout(60_000);
  let sshd: Sshd;
  before(async () => {
    sshd = await Sshd.start();
  });
  after(() => sshd.stop());

  describe("command.remote", () => {
    let plugin: TestPlugin;
    beforeEach(async () => {
      plugin = await TestPlugin.start("command", "command:remote:Command", {}, { SSH_AUTH_SOCK: "" });
    });
    afterEach(() => plugin.stop());

    /** Checked inputs as the engine hands them to create: without the mark of the secret. */
    async function inputs(news: Props, change: Props = {}): Promise<Props> {
      const connection = { ...sshd.connection(), ...change };
      const checked = await plugin.check({ connection, ...news });
      assert.deepEqual(checked.failures, []);
      const { value } = checked.inputs.connection as { value: Props };
      return { ...checked.inputs, connection: value };
    }

    it("runs with stdin as it is, and shows lines while it runs", async () => {
      const stdin = "echo \"it's $((1+1))\"\necho 'kept $HOME'\n";
      const running = plugin.create(
        await inputs({ create: "echo first; sleep 1; sh -s; echo e >&2", stdin }),
      );
      while (!plugin.logged.includes("first")) await sleep(10);
      assert.equal(plugin.logged.includes("it's 2"), false);
      const { state } = await running;
      assert.equal(state.stdout, "first\nit's 2\nkept $HOME");
      assert.equal(state.stderr, "e");
      assert.deepEqual(plugin.logged.slice(0, 3), ["first", "it's 2", "kept $HOME"]);
    });

    it("fails with the status and what was printed", async () => {
      await assert.rejects(
        plugin.create(await inputs({ create: "echo out; echo err >&2; exit 7" })),
        (error: { details: string }) => {
          assert.match(
            error.details,
            /^Process exited with status 7: running "echo out; echo err >&2; exit 7":\n/,
          );
          assert.match(error.details, /out\n/);
          assert.match(error.details, /err\n/);
          return true;
        },
      );
    });

    it("gives the last output to delete where the server takes it, else warns", async () => {
      const made = await plugin.create(
        await inputs({ create: "echo hello", delete: `touch ${sshd.file("deleted")}` }),
      );
      await plugin.delete(made);
      assert.ok(existsSync(sshd.file("deleted")));
      assert.match(plugin.logged.join("\n"), /Unable to set 'PULUMI_COMMAND_STDOUT'.*AcceptEnv/);
    });

    it("sets an environment that the server accepts, and fails for one that it refuses", async () => {
      const create = 'echo "$ALLOWED_A"';
      const { state } = await plugin.create(await inputs({ create, environment: { ALLOWED_A: "a 'b' $c" } }));
      assert.equal(state.stdout, "a 'b' $c");
      await assert.rejects(
        plugin.create(await inputs({ create, environment: { REFUSED: "x" } })),
        /could not set environment variable "REFUSED"/,
      );
    });

    it("connects only to the host with the given key", async () => {
      const hostKey = sshd.read("other.pub");
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { hostKey, dialErrorLimit: 1 })),
        /after 1 failed attempts: .*verif/i,
      );
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { hostKey: "nonsense" })),
        /failed to parse host key/,
      );
      const { state } = await plugin.create(await inputs({ create: "echo any" }, { hostKey: undefined }));
      assert.equal(state.stdout, "any");
    });

    it("finds no RSA host key on a server of today: it asks for SHA-1", async () => {
      execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", sshd.file("rsa")]);
      await sshd.pause();
      await sshd.resume({ hostKeys: ["rsa"] });
      const hostKey = sshd.read("rsa.pub");
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { hostKey, dialErrorLimit: 0 })),
        /host key/,
      );
    });

    it("fails where the agent that the environment names is not there, though it has a key", async () => {
      const stale = await TestPlugin.start(
        "command",
        "command:remote:Command",
        {},
        { SSH_AUTH_SOCK: "/nowhere" },
      );
      try {
        await assert.rejects(stale.create(await inputs({ create: "true" })), /dial unix \/nowhere/);
      } finally {
        await stale.stop();
      }
    });

    it("tries to connect as often as it was told, and says so", async () => {
      const port = await freePort();
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { port, dialErrorLimit: 2 })),
        /after 2 failed attempts: .*ECONNREFUSED/,
      );
      assert.deepEqual(plugin.logged, ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    });

    it("refuses a wrong key", async () => {
      const privateKey = sshd.read("other");
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { privateKey, dialErrorLimit: 0 })),
        /authentication/i,
      );
      await assert.rejects(
        plugin.create(await inputs({ create: "true" }, { privateKey: "none" })),
        /failed to parse private key/,
      );
    });

    it("goes through a proxy", async () => {
      const proxy = sshd.connection();
      const { state } = await plugin.create(await inputs({ create: 'echo "$SSH_CONNECTION"' }, { proxy }));
      assert.match(state.stdout as string, /^127\.0\.0\.1 /);
    });

    it("ends the connection when cancelled", async () => {
      const running = plugin.create(await inputs({ create: "echo here; sleep 60" }));
      while (!plugin.logged.includes("here")) await sleep(10);
      await Promise.all([assert.rejects(running, /running "echo here; sleep 60"/), plugin.cancel()]);
    });

    it("marks all of a connection as secret, with defaults filled in", async () => {
      const { inputs: checked } = await plugin.check({ connection: { host: "h" }, create: "true" });
      const { value, ...mark } = checked.connection as Props;
      assert.deepEqual(mark, { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" });
      assert.deepEqual(value, { host: "h", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 });
    });

    it("refuses what it doesn't know in a connection", async () => {
      const { failures } = await plugin.check({
        create: "x",
        connection: { host: "h", jump: "j" },
        interpreter: ["sh"],
      });
      assert.deepEqual(failures.map((f) => f.property).sort(), ["connection.jump", "interpreter"]);
    });
  });

  describe("docker with an ssh:// host", () => {
    before(makeImage);
    after(removeImage);

    function config(): Props {
      const sshOpts = [
        "-i",
        sshd.file("user"),
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        `UserKnownHostsFile=${sshd.file("known")}`,
      ];
      // On the other side there is no DOCKER_HOST, so a socket of its own is named in the address.
      const socket = /^unix:\/\/(.*)/.exec(process.env.DOCKER_HOST ?? "")?.[1] ?? "";
      return { host: `ssh://${sshd.user}@127.0.0.1:${sshd.port}${socket}`, sshOpts: JSON.stringify(sshOpts) };
    }

    it("makes, reads and removes a container through the ssh program", async () => {
      const scan = spawnSync("sh", [
        "-c",
        `echo "[127.0.0.1]:${sshd.port} $(cut -d' ' -f1,2 ${sshd.file("host.pub")})" > ${sshd.file("known")}`,
      ]);
      assert.equal(scan.status, 0);
      const plugin = await TestPlugin.start("docker", "docker:index/container:Container", config());
      try {
        const { inputs } = await plugin.check(
          { image: IMAGE, networkMode: "none", uploads: [{ file: "/etc/x", content: "1" }] },
          undefined,
          sshd.folder,
        );
        const made = await plugin.create(inputs);
        assert.equal(docker("inspect", "-f", "{{.State.Running}}", made.id), "true");
        assert.equal((await plugin.read(made)).id, made.id);
        await plugin.delete(made);
        assert.equal((await plugin.read(made)).id, "");
      } finally {
        await plugin.stop();
      }
    });

    it("says what ssh said when it fails", async () => {
      const plugin = await TestPlugin.start("docker", "docker:index/network:Network", {
        host: `ssh://127.0.0.1:${sshd.port}`,
        sshOpts: JSON.stringify([
          "-o",
          "BatchMode=yes",
          "-o",
          "StrictHostKeyChecking=yes",
          "-o",
          "UserKnownHostsFile=/dev/null",
        ]),
      });
      try {
        await assert.rejects(
          plugin.create({ name: "n" }),
          /Error pinging Docker server.*Host key verification failed/s,
        );
      } finally {
        await plugin.stop();
      }
    });
  });
});
