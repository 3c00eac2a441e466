import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { useStack, type Config, type TestStack } from "../support/stack";

const WITHOUT_REDIS = { redis: { enabled: false } };

describe("bad configuration", () => {
  const images = useImages({ one: "ok" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.one }, ...WITHOUT_REDIS });

  it("values: all are refused at once, with their paths, before anything is made", async () => {
    await refuses(
      stack,
      {
        activeColor: "purple",
        blue: { image: "shop" },
        green: { image: "shop:latest" },
        containerPort: 70000,
        drainSeconds: -1,
        stopGraceSeconds: 0,
        env: { "1ST": "x", COLOR: "red" },
        volumes: [{ hostPath: "data", containerPath: "data" }],
        health: { path: "health", gateTimeoutSeconds: 1, timeoutSeconds: 2 },
        proxy: { previewPort: 99999 },
      },
      [
        'activeColor: is "purple"',
        'blue.image: is "shop", which has no tag',
        'green.image: is "shop:latest", which has the tag "latest"',
        "containerPort: is 70000",
        "drainSeconds: is -1",
        "stopGraceSeconds: is 0",
        'env["1ST"]: is "1ST", but must be the name of a variable',
        "env.COLOR: is set by the component itself",
        'volumes[0].hostPath: is "data"',
        'volumes[0].containerPath: is "data"',
        'health.path: is "health"',
        "health.gateTimeoutSeconds: is 1",
        "proxy.previewPort: is 99999",
      ],
    );
    assert.deepEqual(await stack.leftovers(), { containers: [], networks: [], volumes: [] });
  });

  it("unknown keys: all are named, each with the nearest known one, before anything is made", async () => {
    await refuses(stack, { activColor: "blue", health: { pathh: "/x" }, redis: { deletedata: true } }, [
      "activColor: is no setting. Did you mean activeColor?",
      "health.pathh: is no setting. Did you mean path?",
      "redis.deletedata: is no setting. Did you mean deleteData?",
    ]);
    assert.deepEqual(await stack.leftovers(), { containers: [], networks: [], volumes: [] });
  });

  it("on a stack that serves: refused, and nothing is touched", async () => {
    await stack.up();
    const before = await stack.leftovers();
    await refuses(stack, { activeColor: "gren" }, ['activeColor: is "gren", but must be "blue" or "green"']);
    assert.deepEqual(await stack.leftovers(), before);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
  });

  it("is refused by a preview, too", async () => {
    await stack.set({ activeColor: "gren" });
    await assert.rejects(stack.preview(), /activeColor: is "gren"/);
    await stack.set({ activeColor: "blue" });
  });
});

/** Sets the configuration for one update, which has to name each mistake. */
async function refuses(stack: TestStack, config: Config, mistakes: string[]): Promise<void> {
  const restore = stack.keepConfig();
  await stack.set(config);
  const { output, changes } = await stack.upFails();
  restore();
  assert.deepEqual(
    mistakes.filter((mistake) => !output.includes(mistake)),
    [],
    output,
  );
  assert.match(output, /Nothing was changed/);
  assert.doesNotMatch(output, /unhandled|^ +at .*:\d+/m, "no stack of a program that is not theirs");
  assert.deepEqual(changes, {});
}

describe("a preview of an existing stack with an unreachable ssh:// host", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack(
    { blue: { image: images.one }, green: { image: images.two }, ...WITHOUT_REDIS },
    { overSsh: true },
  );

  it("works, and tells the plan", async () => {
    await stack.up();
    const restore = stack.keepConfig();
    await stack.set({ activeColor: "green", host: { address: stack.nowhere } });
    const { output } = await stack.preview();
    restore();
    assert.match(output, /plan: switch: blue -> green/);
  });
});

describe("text with signs that a shell, nginx or JSON would treat", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const TEXT = `it's "UP" $HOME $(touch /pwned) \`touch /pwned\` \\n \${IFS}; # END
second line & <third> %s`;
  const PATH = "/a%20b/(c)*~!?d=%24HOME&e=%27f%27";
  const FIELD = `the "state" of $it`;
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.one },
    env: {
      TEXT,
      HEALTH_PATH: PATH,
      HEALTH_BODY: JSON.stringify({ [FIELD]: { it: TEXT }, text: TEXT }),
    },
    health: { path: PATH, jsonField: `${FIELD}.it`, jsonValue: TEXT },
    ...WITHOUT_REDIS,
  });

  it("in an environment variable, a health path and a JSON value is data", async () => {
    await stack.up();
    const { env } = JSON.parse((await stack.live()).body) as { env: { TEXT: string } };
    assert.equal(env.TEXT, TEXT);
  });

  it("in a body text is data", async () => {
    await stack.unset("health.jsonField", "health.jsonValue");
    await stack.set({ health: { bodyText: TEXT }, env: { HEALTH_BODY: `before ${TEXT} after` } });
    const { output } = await stack.up();
    assert.match(output, /gate: blue passed 2 of 2/);
  });

  it("has to be there to the letter: with another sign in it, a release fails the gate", async () => {
    const bodyText = TEXT.replace("$HOME", "/root");
    await stack.set({ green: { image: images.two }, activeColor: "green", health: { bodyText } });
    const { output } = await stack.upFails();
    assert.match(output, /green did not pass its health gate/);
  });

  it("was run nowhere", async () => {
    assert.ok(!existsSync("/pwned"));
    const { Id } = await stack.container("proxy");
    await assert.rejects(docker("exec", Id, "cat", "/pwned"), /No such file/);
  });
});
