import assert from "node:assert/strict";
import { useDemo } from "../support/demo";
import { docker, dockerLines } from "../support/docker";
import { losesNothing } from "../support/load";
import { useStack, type Role, type TestStack } from "../support/stack";

const ROLES: Role[] = ["edge", "proxy", "blue", "green", "redis"];

describe("names are those of the first update", function () {
  this.timeout(300_000);
  const stack = useStack({ blue: { image: useDemo("1.0.0") }, green: { image: useDemo("1.1.0") } });
  const component = { name: "service" };
  const volume = () => `${stack.project}-it-service-redis-data`;
  let first: string;
  const counted = async () => (JSON.parse((await stack.live()).body) as { counter: number }).counter;

  before("data that was there before, and the first deploy", async () => {
    await keepCount(volume(), 41);
    await stack.up();
    first = await made(stack);
  });
  after(() => docker("volume", "rm", "--force", volume()));

  it("F4: data that was there is taken in, whoever has made its volume, and nothing changes any more", async () => {
    assert.equal(await counted(), 42);
    await stack.expectNoChange();
    assert.equal(await made(stack), first);
  });

  it("F23: docker ps tells stack and component", async () => {
    for (const role of ROLES) {
      const { Name } = await stack.container(role);
      assert.match(Name, new RegExp(`^/${stack.project}-it-service-${role}(-[0-9a-f]{7})?$`));
    }
  });

  it("F21: the address of Redis is an output, and in REDIS_URL", async () => {
    const { redisHost } = await stack.outputs();
    assert.equal(redisHost, `${stack.project}-it-service-redis`);
    const { Name, Config } = await stack.container("blue");
    assert.ok(Config.Env.includes(`REDIS_URL=redis://${redisHost}:6379`));
    const connect = `require("node:net").connect(new URL(process.env.REDIS_URL).port, new URL(process.env.REDIS_URL).hostname).on("connect", () => process.exit(0)).on("error", () => process.exit(1))`;
    await docker("exec", Name, "node", "-e", connect);
  });

  const renames: [what: string, rename: () => void | Promise<void>][] = [
    ["stack", () => stack.rename("other")],
    ["project", () => stack.renameProject(stack.project.replace("bgtest", "bgother"))],
    [
      "component",
      () => {
        stack.renameComponent("shop");
        component.name = "shop";
      },
    ],
  ];
  for (const [what, rename] of renames) {
    it(`F2: a renamed ${what} changes nothing that serves or holds data`, async () => {
      const before = await counted();
      await rename();
      await losesNothing(stack.port, async () => {
        const preview = await stack.preview();
        assert.deepEqual(preview.changes, {}, preview.output);
        assert.match(preview.output, /plan: blue stays live with .*: no new image and no switch/);
        const update = await stack.up();
        assert.deepEqual(update.changes, {}, update.output);
        assert.match(update.output, /plan: blue stays live with .*: no new image and no switch/);
      });
      assert.equal(await made(stack), first);
      assert.ok((await counted()) > before, "Redis has lost its data");
      await stack.expectNoChange();
    });

    it(`F2: npx bluegreen status finds all of it after the ${what} was renamed`, async () => {
      const output = await stack.inOrder();
      const [line] = output.split("\n");
      assert.equal(line, `${component.name} (${stack.project}/${stack.name}): in order`);
      assert.match(output, /redis: +running/);
    });
  }

  it("F2: a flip after all that is as any other", async () => {
    await stack.set({ activeColor: "green" });
    const { changes } = await losesUnder(stack, () => stack.up());
    assert.deepEqual(changes, { shop: "update", "shop-switch": "replace" });
    assert.equal((await stack.serving()).live, "green 1.1.0");
  });
});

async function losesUnder<T>(stack: TestStack, change: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await losesNothing(stack.port, async () => (result = await change()));
  return result as T;
}

/** The ids of all that serves or holds data. */
async function made(stack: TestStack): Promise<string> {
  const containers = await Promise.all(ROLES.map((role) => stack.containers(role)));
  const filter = ["--filter", `label=${stack.label}`];
  return [
    ...containers.flat().map(({ Id, Name, State }) => `${Name} ${Id} ${State.StartedAt}`),
    ...(await dockerLines("volume", "ls", "--quiet", ...filter)),
    ...(await dockerLines("network", "ls", "--quiet", "--no-trunc", ...filter)),
  ].join("\n");
}

/** A volume as docker compose makes it, in which the demo app's counter stands at that. */
async function keepCount(volume: string, count: number): Promise<void> {
  await docker("volume", "create", "--label", "com.docker.compose.project=old", volume);
  const redis = await docker(
    ...["run", "--detach", "--rm", "--volume", `${volume}:/data`, "redis:8.0.6"],
    ...["redis-server", "--dir", "/data", "--appendonly", "yes"],
  );
  try {
    const set = `until redis-cli set demo:counter ${count}; do sleep 0.1; done && redis-cli waitaof 1 0 0`;
    await docker("exec", redis, "sh", "-c", set);
  } finally {
    await docker("stop", redis);
  }
}
