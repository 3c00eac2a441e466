import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { Machine, PLUGINS } from "../support/machine";

const NAMES = PLUGINS.map(({ name, version }) => `pulumi-resource-${name}-v${version}`);

// On a machine of the test's own: downloads come from loopback, and get.pulumi.com is not reached.
describe("F24 set-up takes the official CLI and plugins wherever they can be had", () => {
  let machine: Machine;

  beforeEach(() => {
    machine = new Machine();
  });

  afterEach(() => machine.remove());

  /** What a user does to get a plugin by hand. */
  async function installsByHand() {
    for (const { name, version } of PLUGINS) {
      const { code, output } = await machine.npxPulumi("plugin", "install", "resource", name, version);
      assert.equal(code, 0, output);
    }
  }

  it("F24 a CLI on PATH whose plugins are installed already", async () => {
    machine.putOwnCli();
    machine.installPlugins();
    const { choice } = await machine.setUp();
    assert.deepEqual(choice, { kind: "own", cli: machine.ownBin });
    await installsByHand();
    assert.deepEqual(machine.asked, []);
  });

  it("F24 a CLI on PATH whose plugins can be downloaded", async () => {
    machine.putOwnCli();
    machine.offerPlugins();
    const { choice } = await machine.setUp();
    assert.deepEqual(choice, { kind: "own", cli: machine.ownBin });
    for (const name of NAMES) assert.ok(machine.asked.some((file) => file.startsWith(name)));
    await installsByHand();
  });

  it("F24 the official CLI, downloaded, and so its plugins", async () => {
    machine.putCachedCli("official");
    machine.offerPlugins();
    const { choice } = await machine.setUp();
    assert.equal(choice.kind, "official");
    await installsByHand();
  });

  it("F24 no official CLI, but plugins that can be downloaded: they run, and not the stand-ins", async () => {
    machine.putCachedCli("built");
    machine.offerPlugins();
    const { choice } = await machine.setUp();
    assert.equal(choice.kind, "built");
    await installsByHand();

    await machine.npxPulumi("stack", "init", "dev");
    const { code, output } = await machine.npxPulumi("preview", "--non-interactive");
    assert.equal(code, 0, output);
    const places = PLUGINS.map(({ name, version }) =>
      path.join(machine.home, `plugins/resource-${name}-v${version}/pulumi-resource-${name}`),
    );
    assert.deepEqual([...new Set(machine.started)].sort(), places.sort());
  });

  it("F24 no official CLI, but plugins that are installed already", async () => {
    machine.putCachedCli("built");
    machine.installPlugins();
    const { choice } = await machine.setUp();
    assert.equal(choice.kind, "built");
    await installsByHand();
    assert.deepEqual(machine.asked, []);
  });

  it("F24 a CLI on PATH without plugins runs the stand-ins, and says why", async () => {
    machine.putOwnCli();
    const { choice, output } = await machine.setUp();
    assert.deepEqual(choice, { kind: "offline", cli: machine.ownBin });
    assert.match(output, /official plugins can't be had \(.*404 HTTP error.*stand-in plugins are used/);
    assert.doesNotMatch(output, /built from Go modules/);
  });

  it("F24 what comes to the machine later is taken, and what was not there is not asked for again", async () => {
    machine.putCachedCli("built");
    assert.equal((await machine.setUp()).choice.kind, "offline");
    const asked = machine.asked.length;
    assert.ok(asked > 0);
    assert.equal((await machine.setUp()).choice.kind, "offline");
    assert.equal(machine.asked.length, asked);

    machine.installPlugins();
    assert.equal((await machine.setUp()).choice.kind, "built");
    machine.putOwnCli();
    const { choice } = await machine.setUp();
    assert.deepEqual(choice, { kind: "own", cli: machine.ownBin });
  });

  it("F24 an installation that was cut off does not count", async () => {
    machine.putOwnCli();
    machine.installPlugins();
    const [{ name, version }] = PLUGINS;
    mkdirSync(path.join(machine.home, `plugins/resource-${name}-v${version}.partial`));
    assert.equal((await machine.setUp()).choice.kind, "offline");
  });
});
