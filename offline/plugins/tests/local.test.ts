import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { TestPlugin, UNKNOWN } from "./plugin.ts";

describe("command stand-in: local commands", function () {
  this.timeout(20_000);
  let plugin: TestPlugin;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "standin-local-"));
    plugin = await TestPlugin.start("command", "command:local:Command");
  });
  afterEach(async () => {
    await plugin.stop();
    rmSync(folder, { recursive: true });
  });

  it("runs, captures both outputs and shows them while it runs", async () => {
    const running = plugin.create({ create: "echo one; sleep 1; echo two >&2; printf three" });
    while (!plugin.logged.includes("one")) await sleep(10);
    assert.equal(plugin.logged.includes("two"), false);
    const { state, id } = await running;
    assert.deepEqual([state.stdout, state.stderr], ["one\nthree", "two"]);
    assert.deepEqual(plugin.logged, ["one", "two", "three"]);
    assert.match(id, /^thing[0-9a-f]{8}$/);
  });

  it("shows only what logging allows", async () => {
    const { state } = await plugin.create({ create: "echo out; echo err >&2", logging: "stderr" });
    assert.deepEqual(plugin.logged, ["err"]);
    assert.equal(state.stdout, "out");
    await plugin.create({ create: "echo secret", logging: "none" });
    assert.deepEqual(plugin.logged, ["err"]);
  });

  it("hands on stdin, environment, directory and interpreter as they are", async () => {
    const stdin = "quotes ' \" and $HOME\n\nlines é\n";
    const environment = { V: "a 'b' $c\nd" };
    const create = 'cat; printf "%s" "$V" > v; pwd';
    const { state } = await plugin.create({
      create,
      stdin,
      environment,
      dir: folder,
      interpreter: ["/bin/sh", "-ec"],
    });
    assert.equal(state.stdout, `${stdin}${folder}`);
    assert.equal(readFileSync(path.join(folder, "v"), "utf8"), environment.V);
  });

  it("ignores that a command leaves its input unread", async () => {
    const { state } = await plugin.create({ create: "echo ok", stdin: "x".repeat(1_000_000) });
    assert.equal(state.stdout, "ok");
  });

  it("fails with exit status, command and output", async () => {
    await assert.rejects(
      plugin.create({ create: "echo out; echo err >&2; exit 3" }),
      (error: { details: string }) => {
        assert.equal(error.details, 'exit status 3: running "echo out; echo err >&2; exit 3":\nout\nerr\n');
        return true;
      },
    );
    await assert.rejects(plugin.create({ create: "kill -9 $$" }), /signal: killed: running/);
    await assert.rejects(plugin.create({ create: "x", interpreter: ["/no/such"] }), /no\/such/);
  });

  it("updates with update, else with create, and gives it the last output", async () => {
    const first = await plugin.create({ create: "echo one; echo e >&2" });
    const again = await plugin.update(first, {
      create: 'echo "$PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR"',
    });
    assert.equal(again.state.stdout, "one e");
    const third = await plugin.update(again, { create: "false", update: 'echo "u $PULUMI_COMMAND_STDOUT"' });
    assert.equal(third.state.stdout, "u one e");
    const off = { create: 'echo "[$PULUMI_COMMAND_STDOUT]"', addPreviousOutputInEnv: false };
    assert.equal((await plugin.update(third, off)).state.stdout, "[]");
  });

  it("replaces for triggers only, updates for all else", async () => {
    const old = { state: {}, inputs: { create: "a", triggers: [1, { b: 2 }], stdin: "x" } };
    assert.deepEqual(await plugin.diff(old, { ...old.inputs, stdin: "y", update: "u" }), {
      changes: ["stdin", "update"],
      replaces: [],
      deleteBeforeReplace: false,
    });
    assert.deepEqual((await plugin.diff(old, { ...old.inputs, triggers: [1, { b: 3 }] })).replaces, [
      "triggers",
    ]);
    assert.deepEqual((await plugin.diff(old, { ...old.inputs, triggers: [UNKNOWN] })).replaces, ["triggers"]);
    assert.deepEqual(
      (await plugin.diff(old, { stdin: "x", triggers: [1, { b: 2 }], create: "a" })).changes,
      [],
    );
  });

  it("runs nothing in a preview", async () => {
    const create = `touch ${folder}/ran`;
    const { state } = await plugin.create({ create }, { preview: true });
    assert.equal(state.stdout, UNKNOWN);
    const old = { id: "x", state: { create: "old", stdout: "o", stderr: "" }, inputs: { create: "old" } };
    assert.equal((await plugin.update(old, { create }, true)).state.stdout, UNKNOWN);
    assert.equal((await plugin.update(old, old.inputs, true)).state.stdout, "o");
    assert.equal(existsSync(`${folder}/ran`), false);
  });

  it("deletes with the last output, or does nothing", async () => {
    const made = await plugin.create({
      create: "echo mine",
      delete: `echo "$PULUMI_COMMAND_STDOUT" > ${folder}/gone`,
    });
    await plugin.delete(made);
    assert.equal(readFileSync(`${folder}/gone`, "utf8"), "mine\n");
    await plugin.delete(await plugin.create({ create: "true" }));
  });

  it("kills what runs when cancelled, and at a custom timeout", async () => {
    const running = plugin.create({ create: "echo here; exec sleep 60" });
    while (!plugin.logged.includes("here")) await sleep(10);
    const begun = Date.now();
    await Promise.all([assert.rejects(running, /signal: killed: running/), plugin.cancel()]);
    const other = await TestPlugin.start("command", "command:local:Command");
    await assert.rejects(
      other.create({ create: "exec sleep 60" }, { timeout: 0.3 }),
      /signal: killed: running/,
    );
    await other.stop();
    assert.ok(Date.now() - begun < 10_000);
  });

  it("refuses what it doesn't support, by name", async () => {
    const { failures } = await plugin.check({
      create: "x",
      assetPaths: ["a"],
      archivePaths: ["b"],
      logging: "all",
      stdin: 3,
    });
    assert.deepEqual(failures.map((f) => f.property).sort(), [
      "archivePaths",
      "assetPaths",
      "logging",
      "stdin",
    ]);
    assert.match(failures[0]?.reason ?? "", /offline stand-in of the command plugin, which supports only/);
  });
});
