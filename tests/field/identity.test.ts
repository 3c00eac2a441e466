import assert from "node:assert/strict";
import { docker, dockerLines } from "../support/docker";
import { losesNothing } from "../support/load";
import { useStack, type Role, type TestStack } from "../support/stack";

const DEMO = "bluegreen-demo:1.0.0";
const NEXT_DEMO = "bluegreen-demo:1.1.0";
const ROLES: Role[] = ["edge", "proxy", "blue", "green", "redis"];

describe("names are those of the first update", function () {
  this.timeout(300_000);
  const stack = useStack({ blueImage: DEMO, greenImage: NEXT_DEMO });
  const component = { name: "service" };
  let first: string;
  const counted = async () => (JSON.parse((await stack.live()).body) as { counter: number }).counter;

  before(async () => {
    await stack.up();
    first = await made(stack);
    await counted();
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

    it(`F2: npm run status finds all of it after the ${what} was renamed`, async () => {
      const { code, output } = await stack.script("status");
      assert.equal(code, 0, output);
      const [line] = output.split("\n");
      assert.equal(line, `${component.name} (${stack.project}/${stack.name}): in order`);
      assert.match(output, /redis: +running/);
    });
  }

  it("F2: a flip after all that is as any other", async () => {
    await stack.set({ activeColor: "green" });
    const { changes } = await losesUnder(stack, () => stack.up());
    assert.deepEqual(changes, { "shop-switch": "replace" });
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
void docker;
