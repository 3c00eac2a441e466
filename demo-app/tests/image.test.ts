import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { appFolder, docker, eventually, NODE_IMAGE } from "./helpers.js";

describe("demo app image", function () {
  this.timeout(180_000);
  const id = randomUUID();
  const image = `bluegreen-demo-test:${id}`;
  // Named beforehand: a container that is created but can't be started must be found and removed too.
  const container = `bluegreen-demo-test-${id}`;

  before(() =>
    docker(
      "build",
      "--tag",
      image,
      "--build-arg",
      "VERSION=9.8.7",
      "--build-arg",
      `BASE=${NODE_IMAGE}`,
      appFolder,
    ),
  );
  after(async () => {
    await docker("rm", "--force", "--volumes", container).catch(() => {}); // there may be none
    await docker("rmi", "--force", image);
  });

  it("runs as a numbered user, knows its version, and stops gracefully on docker stop", async () => {
    await docker(
      "run",
      "--detach",
      "--name",
      container,
      "--env",
      "COLOR=green",
      "--publish",
      "127.0.0.1::3000",
      image,
    );
    const address = (await docker("port", container, "3000/tcp")).split("\n")[0];
    await eventually(async () => assert.equal((await fetch(`http://${address}/health`)).status, 200));
    assert.equal(await docker("exec", container, "id", "-u"), "1000");

    const inFlight = fetch(`http://${address}/slow?ms=2000`);
    await sleep(500);
    await docker("stop", "--time", "30", container);
    const answer = (await (await inFlight).json()) as Record<string, unknown>;
    assert.deepEqual(answer, { color: "green", version: "9.8.7", sleptMs: 2000 });
    assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", container), "0");
  });

  it("holds nothing but what the service needs", async () => {
    const files = await docker("run", "--rm", "--entrypoint", "ls", image, "-A", "/app");
    assert.deepEqual(
      files.split("\n").sort(),
      [
        "config.js",
        "connection.js",
        "live.js",
        "node_modules",
        "package.json",
        "page.js",
        "redis.js",
        "server.js",
      ].sort(),
    );
  });
});
