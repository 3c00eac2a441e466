import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { useComposeApp } from "../support/demo";
import { docker, dockerLines } from "../support/docker";
import { EXAMPLES, ExampleStack } from "../support/example";
import { losesNothing } from "../support/load";
import { use } from "../support/stack";

const exec = promisify(execFile);

describe("examples/from-compose", () => {
  const [blue, green] = [useComposeApp("1.0.0"), useComposeApp("1.1.0")];
  const stack = use(
    new ExampleStack("from-compose", { blue: { image: blue }, green: { image: green } }, { name: "prod" }),
  );
  // Docker Compose made it and it stays, so its name is the only thing here that no stack has for itself.
  const volume = () => `${stack.project}_visits`;
  before(() => stack.set({ volumes: [{ volumeName: volume() }] }));
  after(async () => void (await docker("volume", "rm", "--force", volume())));

  it("its settings are what `bluegreen import` prints", async () => {
    const command = path.join(stack.folder, "node_modules/.bin/bluegreen");
    const args = ["import", "docker-compose.yml", "web", "--pulumi-project", "shop"];
    const { stdout } = await exec(command, args, { cwd: stack.folder });
    assert.equal(stdout, readFileSync(path.join(EXAMPLES, "from-compose/Pulumi.prod.yaml"), "utf8"));
  });

  it("up: the first release, with the volume and a Redis", async () => {
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
    const { visits } = JSON.parse((await stack.live()).body) as { visits: number };
    assert.equal(visits, 3);
    const written = await docker("exec", (await stack.container("green")).Id, "cat", "/data/visits.log");
    assert.deepEqual(written.match(/1\.\d\.0$/gm)?.sort(), ["1.0.0", "1.0.0", "1.1.0"]);
  });

  it("a second up changes nothing", () => stack.up("--expect-no-changes"));

  it("a flip loses no request, and no visit", async () => {
    await stack.set({ activeColor: "green" });
    const { ok } = await losesNothing(stack.port, () => stack.up(), {
      requests: [{ method: "GET", path: "/" }],
    });
    const { color, visits } = JSON.parse((await stack.live()).body) as { color: string; visits: number };
    assert.deepEqual({ color, visits }, { color: "green", visits: 3 + ok + 1 });
  });

  it("destroy leaves nothing but data", async () => {
    await stack.destroy();
    const data = [`${stack.project}-prod-web-redis-data`];
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: data, networks: [] });
    assert.deepEqual(await dockerLines("volume", "ls", "--quiet", "--filter", `name=${volume()}`), [
      volume(),
    ]);
  });
});
