import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { freePorts } from "../support/ports";
import { TestStack, useStack } from "../support/stack";

describe("faults from the field: what the host has is looked at before anything is touched", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok", two: "ok", broken: "exits" });
  const stack = useStack({
    ...{ blue: { image: images.broken }, green: { image: images.two }, idle: "stopped" },
    redis: { enabled: true },
  });

  /** One error in words, and nothing made. */
  async function isRefused(...words: RegExp[]): Promise<void> {
    const { output, changes } = await stack.upFails();
    for (const each of [...words, /Nothing was changed/, /What to do next/]) assert.match(output, each);
    for (const part of ["redis", "edge", "blue", "green", "proxy"]) assert.equal(changes[part], undefined);
  }

  it("F17: a port that a container has is refused with its setting and who has it, and nothing is made", async () => {
    const squatter = await docker(
      ...["run", "--detach", "--label", "bluegreen.stack=shop/dev", "--label", "bluegreen.service=web"],
      ...["--publish", `127.0.0.1:${stack.previewPort}:80`, "nginx:1.30.6"],
    );
    try {
      const name = (await docker("inspect", "--format", "{{.Name}}", squatter)).slice(1);
      await isRefused(
        new RegExp(
          `proxy\\.previewPort: port ${stack.previewPort} is taken by the container ${name} \\(stack shop/dev, service web\\)`,
        ),
        /choose another proxy\.previewPort/,
      );
      assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
    } finally {
      await docker("rm", "--force", squatter);
    }
  });

  it("F17: a port that another program has is refused before a container is made", async () => {
    const program = createServer().listen(stack.port, "0.0.0.0");
    await once(program, "listening");
    try {
      await isRefused(
        new RegExp(`error: proxy\\.port: port ${stack.port} at 0\\.0\\.0\\.0 can't be had: it is in use`),
      );
      assert.deepEqual((await stack.leftovers()).containers, []);
    } finally {
      program.close();
    }
  });

  it("F17: before the first release has passed a port may change freely", async () => {
    const { changes } = await stack.upFails();
    assert.equal(changes.edge, "create");
    const { port } = stack;
    [stack.port] = await freePorts(1);
    assert.notEqual(stack.port, port);
    await stack.set({ blue: { image: images.one }, proxy: { port: stack.port } });
    await stack.up();
    assert.equal((await stack.serving()).live, "blue one");
    await stack.expectNoChange();
  });

  it("F17: afterwards it may not, and the refusal says what is true", async () => {
    const [next] = await freePorts(1);
    await stack.set({ proxy: { port: next } });
    const { output } = await stack.upFails();
    assert.match(output, /this change needs downtime[^]*Nothing was changed: what is live keeps serving/);
    assert.equal((await stack.serving()).live, "blue one");
    await stack.set({ proxy: { port: stack.port } });
    assert.deepEqual((await stack.up()).changes, { service: "update" });
  });

  it("F22: another stack with the same project, stack and component name is refused, and gets out as it is told", async () => {
    const settings = { blue: { image: images.one }, green: { image: images.two }, redis: { enabled: true } };
    const twin = Object.assign(new TestStack(settings), { project: stack.project });
    await twin.create();
    try {
      const before = await stack.leftovers();
      const { output } = await twin.upFails();
      const redis = (await stack.container("redis")).Name.slice(1);
      assert.match(output, /has containers of another stack or program with the same names/);
      assert.match(output, new RegExp(`docker rm -f .*${redis}`));
      assert.match(output, /'pulumi destroy' .*'pulumi stack rename NAME', 'pulumi up'/);
      assert.deepEqual(await stack.leftovers(), before);

      await twin.destroy();
      await twin.pulumi("stack", "rename", "other");
      await twin.up();
      assert.equal((await twin.serving()).live, "blue one");
      await stack.up("--expect-no-changes");
      assert.equal((await stack.serving()).live, "blue one");
    } finally {
      // By its first name, the leftovers would be those of the other.
      await Object.assign(twin, { name: "other" }).remove();
    }
  });

  it("F7: a stopped idle color that was removed is named, with the one command that makes it again", async () => {
    const { Id, Name } = await stack.container("green");
    await docker("rm", Id);
    await stack.set({ activeColor: "green" });
    await isRefused(
      new RegExp(`lacks:\\s+container green: ${Name.slice(1)}\\s`),
      /Nothing was changed: what is live there keeps serving/,
      /run 'pulumi up --refresh'/,
    );
    assert.equal((await stack.serving()).live, "blue one");
    await stack.up("--refresh");
    assert.equal((await stack.serving()).live, "green two");
    await stack.expectNoChange();
  });

  /** A new disk at the same address. */
  async function loseEverything(): Promise<void> {
    const { containers, volumes, networks } = await stack.leftovers();
    await docker("rm", "--force", "--volumes", ...containers);
    await docker("volume", "rm", ...volumes);
    await docker("network", "rm", ...networks);
  }

  it("F5: a host that has lost everything is one error, and 'pulumi up --refresh' makes all anew", async () => {
    await loseEverything();
    await isRefused(
      /has lost all that this stack made there:/,
      /network bluegreen-\S+-service$/m,
      /volume .*redis-data/,
      /container edge: /,
      /The data of Redis was on that volume/,
      /Nothing was changed, but users get no answer/,
      /run 'pulumi up --refresh'/,
    );
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
    await stack.up("--refresh");
    assert.equal((await stack.serving()).live, "green two");
    await stack.expectNoChange();
  });

  it("F5: so does npx bluegreen heal", async () => {
    await loseEverything();
    const { code, output } = await stack.bluegreen("heal", "--yes");
    assert.equal(code, 0, output);
    assert.equal((await stack.serving()).live, "green two");
    await stack.expectNoChange();
  });
});

describe("faults from the field: two services of one program", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok" });
  const stack = useStack();

  it("F31: with one port, the program is refused and nothing is made", async () => {
    const service = (name: string, previewPort: number) => `
      new BlueGreenService("${name}", {
        activeColor: "blue",
        blue: { image: "${images.one}" },
        green: { image: "${images.one}" },
        proxy: { port: ${stack.port}, previewPort: ${previewPort} },
      });`;
    writeFileSync(
      path.join(stack.folder, "index.ts"),
      `import { BlueGreenService } from "./components/index";
      ${service("shop", stack.previewPort)}
      ${service("blog", stack.previewPort + 1)}`,
    );
    const { output } = await stack.upFails();
    assert.match(
      output,
      new RegExp(`blog: 1 invalid setting.*\\n.*proxy\\.port: is ${stack.port}, as is proxy\\.port of shop`),
    );
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
  });
});
