import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Switch } from "../../components/cli/report";
import { docker, dockerLines } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing } from "../support/load";
import { until } from "../support/running";
import { useStack } from "../support/stack";

// status and heal are in status.test.ts. The tests go on from each other.
describe("bluegreen flip, rollback, history, logs and forget", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok", two: "ok", three: "ok", broken: "exits" });
  const stack = useStack({ blue: { image: images.one }, green: { image: images.two } });
  before("first deploy", () => stack.up());

  const activeColor = async () => (await stack.pulumi("config", "get", "activeColor")).output.trim();
  async function passes(...args: string[]): Promise<string> {
    const { code, output } = await stack.bluegreen(...args);
    assert.equal(code, 0, output);
    return output;
  }
  async function fails(...args: string[]): Promise<string> {
    const { code, output } = await stack.bluegreen(...args);
    assert.equal(code, 1, output);
    return output;
  }

  it("a rollback before anything was flipped: refused", async () => {
    assert.match(
      await fails("rollback", "--yes"),
      /Nothing was live in service before, as far as its history goes\. Nothing was changed/,
    );
  });

  it("flip and rollback set the configuration and switch, and no request fails", async () => {
    await losesNothing(
      stack.port,
      async () => {
        const flipped = await passes("flip", "--yes");
        assert.match(flipped, /==> pulumi config set --path activeColor green\n==> pulumi up --yes/);
        assert.equal(await activeColor(), "green");
        assert.equal((await stack.serving()).live, "green two");
        assert.match(
          await passes("rollback", "--yes"),
          new RegExp(`==> Back to blue ${images.one}, which was live until 20.*Z\n`),
        );
        assert.equal(await activeColor(), "blue");
        assert.equal((await stack.serving()).live, "blue one");
      },
      { requests: [{ method: "GET", path: "/" }] },
    );
  });

  it("history: the newest first, with color, image, kind, who and how long", async () => {
    const lines = (await passes("history", "--number", "2")).trim().split("\n");
    assert.equal(lines.length, 3, lines.join("\n"));
    const entry = (what: string) => new RegExp(`^  20\\S+Z  ${what}, \\d+ s, by \\S+@\\S+: done`);
    assert.match(lines[1], entry(`flip green -> blue: ${images.one}`));
    assert.match(lines[2], entry(`flip blue -> green: ${images.two}`));
    const [{ journal }] = JSON.parse(await passes("history", "--json")) as { journal: Switch[] }[];
    assert.deepEqual(
      journal.map(({ kind }) => kind),
      ["flip", "flip", "idle", "release", "nginx"],
    );
    assert.equal(journal.at(-2)?.blue, images.one);
  });

  it("a flip that fails: the configuration is as before, and users are told of", async () => {
    await stack.set({ green: { image: images.broken } });
    const output = await fails("flip", "--yes");
    assert.match(
      output,
      /failed or was not confirmed, .* Users of service now: blue answers\. activeColor is blue/,
    );
    assert.equal(await activeColor(), "blue");
    await stack.set({ green: { image: images.two } });
    await stack.up();
  });

  it("a rollback to what has no container any more: refused, with what to do", async () => {
    await stack.set({ blue: { image: images.three } });
    await stack.up();
    const output = await fails("rollback", "--yes");
    assert.match(
      output,
      new RegExp(
        `Before blue ${images.three}, blue ${images.one} was live in service.*no container any more`,
      ),
    );
    assert.match(
      output,
      new RegExp(`config set --path blue.image ${images.one}, then .*up, or .*: green ${images.two}`),
    );
  });

  it("another key of the configuration, and one that it has not", async () => {
    assert.match(
      await fails("flip", "--key", "shop.live", "--yes"),
      /has no shop\.live\. Nothing was changed/,
    );
    assert.match(
      await fails("flip", "--service", "shop", "--yes"),
      /no service shop\. It has: service\. Nothing/,
    );
    assert.equal((await stack.serving()).live, "blue three");
  });

  it("logs of a color, of nginx, and the log of requests", async () => {
    await stack.live("/of-the-logs");
    assert.match(await passes("logs", "live"), /./);
    assert.match(await passes("logs", "nginx", "--tail", "1"), /^[^\n]*\n?$/);
    await until(
      () => "the request is in the log",
      async () => (await passes("logs", "--requests")).includes('"GET /of-the-logs HTTP/1.1" '),
    );
    assert.match(
      await fails("logs", "purple"),
      /Allowed choices are live, idle, blue, .*\nNothing was changed/,
    );
  });

  it("an image that is a secret: status, history and the plan work all the same", async () => {
    await stack.setSecret("green.image", images.three);
    await stack.up();
    const output = await stack.inOrder();
    assert.match(output, new RegExp(`idle: +green ${images.three}`));
    await stack.expectNoChange();
    await stack.set({ activeColor: "green" });
    assert.match((await stack.preview()).output, /switch: blue -> green/);
    await stack.up();
    assert.equal((await stack.serving()).live, "green three");
    await stack.expectNoChange();
  });

  it("forget: refused while the stack knows the service", async () => {
    assert.match(
      await fails("forget", `${stack.project}/it/service`, "--yes"),
      /The stack here knows .*: .* destroy` removes it\. Nothing was changed/,
    );
    assert.equal((await stack.serving()).live, "green three");
  });

  it("forget: all that a lost stack has left, and its data only when asked", async () => {
    const project = `bgtest-${randomBytes(4).toString("hex")}`;
    const labels = (role: string) =>
      [`stack=${project}/prod`, "service=shop", `role=${role}`].flatMap((label) => [
        "--label",
        `bluegreen.${label}`,
      ]);
    const left = async (kind: string) =>
      dockerLines(
        kind,
        "ls",
        "--quiet",
        ...(kind === "container" ? ["--all"] : []),
        "--filter",
        `label=bluegreen.stack=${project}/prod`,
      );
    const data = `${project}-data`;
    await docker("network", "create", ...labels("network"), project);
    await docker("volume", "create", ...labels("redis-data"), data);
    await docker(
      "run",
      "--detach",
      "--network",
      project,
      "--name",
      `${project}-blue`,
      ...labels("blue"),
      images.one,
    );
    try {
      const forgotten = await passes("forget", `${project}/prod/shop`, "--yes");
      assert.match(forgotten, new RegExp(`Kept the data: volume ${data}\\. To remove it too: --data`));
      assert.deepEqual([await left("container"), await left("network")], [[], []]);
      assert.equal((await left("volume")).length, 1);
      await passes("forget", `${project}/prod/shop`, "--data", "--yes");
      assert.deepEqual(await left("volume"), []);
      assert.match(
        await fails("forget", `${project}/prod/shop`, "--yes"),
        /has nothing of .*Nothing was changed/,
      );
    } finally {
      const remains = {
        container: await left("container"),
        network: await left("network"),
        volume: await left("volume"),
      };
      for (const [kind, ids] of Object.entries(remains))
        if (ids.length > 0) await docker(kind, "rm", "--force", ...ids);
    }
  });
});
