import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { COLORS, other, readSettings } from "../../components/settings";
import { argumentsOf } from "../../components/settings/config";
import { documents, settings } from "../../scripts/lib/settings";
import { LEAST, settingsOf } from "./valid";

const ROOT = path.resolve(__dirname, "../..");

describe("the defaults", () => {
  it("are stated in the comments", () => {
    const wrong = settings().filter(({ default: value, comment }) => {
      if (/^(none|required|`(\{\}|\[\])`)$/.test(value)) return false;
      const plain = value.replaceAll("`", "");
      return ![
        `Default \`${plain}\``,
        `Default ${plain}`,
        `\`${plain}\` (the default)`,
        `Default: ${plain}`,
        `Default: ${value}`,
      ].some((words) => comment.includes(words));
    });
    assert.deepEqual(
      wrong.map(({ path, default: value }) => `${path}: ${value}`),
      [],
    );
  });

  it("the empty ones", () => {
    const { env, volumes, labels, colors } = settingsOf(LEAST);
    const { command, memoryMb } = colors.blue;
    assert.deepEqual([env, volumes, labels, command, memoryMb], [{}, [], {}, undefined, undefined]);
  });

  it("fill in what is undefined or null, and keep all that is given", () => {
    const given = readSettings("test", {
      ...LEAST,
      containerPort: undefined,
      env: null as never,
      health: { passes: 3, path: null as never },
      redis: { enabled: false },
      proxy: { buffering: true, accessLog: false, port: undefined },
    });
    assert.equal(given.colors.blue.containerPort, 3000);
    assert.deepEqual(given.env, {});
    assert.deepEqual([given.health.passes, given.health.path], [3, "/health"]);
    assert.equal(given.redis.enabled, false);
    assert.deepEqual([given.proxy.buffering, given.proxy.accessLog, given.proxy.port], [true, false, 80]);
  });

  it("a color's own win over those of both; an empty command and 0 MiB are none", () => {
    const { blue, green } = settingsOf({
      ...LEAST,
      containerPort: 4000,
      command: ["serve"],
      memoryMb: 64,
      blue: { ...LEAST.blue, containerPort: 8080, command: [], memoryMb: 0 },
    }).colors;
    assert.deepEqual(
      [green.containerPort, green.command, green.memoryMb, green.own],
      [4000, ["serve"], 64, []],
    );
    assert.deepEqual([blue.containerPort, blue.command, blue.memoryMb], [8080, undefined, undefined]);
    assert.deepEqual(blue.own, ["containerPort", "command", "memoryMb"]);
  });

  it("don't change what was given", () => {
    const args = Object.freeze({ ...LEAST, health: Object.freeze({ passes: 3 }) });
    assert.equal(settingsOf(args).health.passes, 3);
  });

  it("there are two colors, each the other's other", () => {
    assert.deepEqual(COLORS.map(other), ["green", "blue"]);
  });
});

describe("what is made from the settings", () => {
  it("README.md and Pulumi.yaml are as `npm run settings` writes them", async () => {
    for (const [file, text] of Object.entries(await documents()))
      assert.equal(readFileSync(path.join(ROOT, file), "utf8"), text, file);
  });

  it("each is said in a sentence, with what a change costs", () => {
    for (const { path, what, cost } of settings()) assert.ok(what.length > 8 && cost !== "", path);
  });

  it("Pulumi.yaml sets nothing but what is so without it", () => {
    const { config } = parse(readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")) as ProjectFile;
    const values = Object.entries(config).filter(([key]) => key !== "pulumi:autonaming");
    const raw = values.map(([key, { default: value }]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const { activeColor, blue, green, ...args } = argumentsOf(
      Object.fromEntries(raw) as { [key: string]: string },
    );
    const least = { activeColor, blue, green };
    assert.deepEqual(settingsOf({ ...least, ...args }), settingsOf(least));
  });
});

interface ProjectFile {
  config: { [key: string]: { default: unknown } };
}
