import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { table } from "../docker/container-table.ts";
import { check, diff, refreshed } from "../docker/fields.ts";
import { goDuration, nanoseconds } from "../docker/duration.ts";
import { sshArgs } from "../docker/ssh.ts";
import { type Props, UNKNOWN } from "../rpc/values.ts";

const naming = { name: "web", seed: Buffer.from("s") };

function checked(news: Props, olds?: Props, more = {}) {
  return check(table, "Container", { image: "i:1", ...news }, olds, { ...naming, ...more });
}

function change(before: Props, after: Props) {
  const { inputs } = checked(after, { name: "web-1", __defaults: ["name"] });
  const state = { ...checked({}).inputs, name: "web-1", command: [], entrypoints: [], ...before };
  const { changes, deleteBeforeReplace } = diff(table, { id: "x", state, inputs: {} }, inputs);
  return {
    changes: Object.keys(changes),
    replace: Object.values(changes).some((c) => c.replace),
    deleteBeforeReplace,
  };
}

const none = { changes: [], replace: false, deleteBeforeReplace: false };

describe("property rules of docker resources", () => {
  describe("check", () => {
    it("refuses a property that is not supported, and names it", () => {
      const [failure, ...others] = checked({ pidMode: "host" }).failures;
      assert.deepEqual(others, []);
      assert.equal(failure?.property, "pidMode");
      assert.match(failure.reason, /offline stand-in .* supports only .*Container: .*image/);
    });

    it("refuses one inside a list too", () => {
      const { failures } = checked({ ports: [{ internal: 80 }, { internal: 81, gw: 1 }] });
      assert.deepEqual(
        failures.map((f) => f.property),
        ["ports[1].gw"],
      );
    });

    it("tells of missing and ill-typed values", () => {
      const { failures } = checked({
        memory: "much",
        restart: "perhaps",
        ports: [{}],
        envs: "A=1",
        image: undefined,
      });
      const properties = failures.map((f) => f.property).sort();
      assert.deepEqual(properties, ["envs", "memory", "ports[0].internal", "restart"]);
    });

    it("lets unknown values pass anywhere", () => {
      const { failures } = checked({
        image: UNKNOWN,
        memory: UNKNOWN,
        networksAdvanced: [{ name: UNKNOWN }],
        ports: UNKNOWN,
      });
      assert.deepEqual(failures, []);
    });

    it("fills in defaults and notes which", () => {
      const { inputs } = checked({ ports: [{ internal: 80 }] });
      assert.equal(inputs.mustRun, true);
      assert.equal(inputs.networkMode, "bridge");
      assert.equal("rm" in inputs, false);
      assert.deepEqual(inputs.ports, [
        { internal: 80, ip: "0.0.0.0", protocol: "tcp", __defaults: ["ip", "protocol"] },
      ]);
      assert.ok((inputs.__defaults as string[]).includes("name"));
    });

    it("names automatically, the same for the same seed, and keeps a name", () => {
      const first = checked({}).inputs;
      assert.match(first.name as string, /^web-[0-9a-f]{7}$/);
      assert.equal(checked({}).inputs.name, first.name);
      assert.notEqual(checked({}, undefined, { seed: Buffer.from("t") }).inputs.name, first.name);
      assert.equal(checked({}, { name: "web-old", __defaults: ["name"] }).inputs.name, "web-old");
      assert.notEqual(checked({}, { name: "fixed", __defaults: [] }).inputs.name, "fixed");
    });

    it("follows the engine's autonaming configuration", () => {
      assert.equal(checked({}, undefined, { mode: "propose", proposed: "p" }).inputs.name, "p");
      assert.deepEqual(
        checked({}, undefined, { mode: "disable" }).failures.map((f) => f.property),
        ["name"],
      );
    });
  });

  describe("diff", () => {
    const cases: [string, Props, Props, object][] = [
      ["nothing", {}, {}, none],
      [
        "a container that failed at its start, so that it was never read back, is replaced",
        { command: undefined, entrypoints: undefined },
        { command: ["a"], entrypoints: undefined },
        { changes: ["command", "entrypoints"], replace: true, deleteBeforeReplace: true },
      ],
      [
        "a new image replaces",
        { image: "i:0" },
        {},
        { changes: ["image"], replace: true, deleteBeforeReplace: true },
      ],
      ["the order of envs doesn't count", { envs: ["B=2", "A=1"] }, { envs: ["A=1", "B=2"] }, none],
      ["an unset command keeps the image's", { command: ["sleep"] }, {}, none],
      ["a removed label keeps what is there", { labels: [{ label: "a", value: "1" }] }, {}, none],
      [
        "restart updates",
        { restart: "no" },
        { restart: "always" },
        { changes: ["restart"], replace: false, deleteBeforeReplace: false },
      ],
      [
        "memory without memorySwap shows a change for ever",
        { memory: 64, memorySwap: 128 },
        { memory: 64 },
        { changes: ["memorySwap"], replace: false, deleteBeforeReplace: false },
      ],
      ["false and unset are the same", { readOnly: false }, {}, none],
      ["an unset user keeps the image's", { user: "app" }, {}, none],
      [
        "a published port that Docker chose",
        { ports: [{ internal: 80, external: 49153, ip: "0.0.0.0", protocol: "tcp" }] },
        { ports: [{ internal: 80 }] },
        none,
      ],
      [
        "but one left to Docker by a 0 shows a change for ever",
        { ports: [{ internal: 80, external: 49153, ip: "0.0.0.0", protocol: "tcp" }] },
        { ports: [{ internal: 80, external: 0 }] },
        { changes: ["ports"], replace: true, deleteBeforeReplace: true },
      ],
      [
        "mustRun starts again",
        { mustRun: false },
        {},
        { changes: ["mustRun"], replace: false, deleteBeforeReplace: false },
      ],
      [
        "an unknown value counts as a change",
        { hostname: "a" },
        { hostname: UNKNOWN },
        { changes: ["hostname"], replace: true, deleteBeforeReplace: true },
      ],
    ];
    for (const [name, before, after, expected] of cases) {
      it(name, () => assert.deepEqual(change(before, after), expected));
    }
  });

  it("a refresh keeps inputs that mean the same, and takes over what drifted", () => {
    const { inputs } = checked({ envs: ["A=1"], memory: 64 });
    const now = refreshed(table, inputs, { ...inputs, memory: 32, mustRun: false, hostname: "h" });
    assert.equal(now.memory, 32);
    assert.equal(now.mustRun, false);
    assert.equal(now.hostname, undefined);
    assert.equal((now.__defaults as string[]).includes("mustRun"), false);
    assert.ok((now.__defaults as string[]).includes("networkMode"));
  });

  it("reads and writes durations as Go does", () => {
    for (const text of ["0s", "5s", "1m30s", "1h0m0s", "500ms", "1.5s"])
      assert.equal(goDuration(nanoseconds(text)), text);
  });

  it("gives ssh the user's options, port and user", () => {
    assert.deepEqual(sshArgs("ssh://ops@box:2222", ["-o", "StrictHostKeyChecking=no"]), [
      ...[
        "-l",
        "ops",
        "-p",
        "2222",
        "-o",
        "StrictHostKeyChecking=no",
        "-o ConnectTimeout=30",
        "-T",
        "--",
        "box",
      ],
      "docker system dial-stdio",
    ]);
    assert.equal(
      sshArgs("ssh://box/run/d.sock", ["-T"]).at(-1),
      "docker --host=unix:///run/d.sock system dial-stdio",
    );
  });
});
