import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { useTag } from "../support/images";
import { Running } from "../support/running";
import { useStack } from "../support/stack";
import { underLoad } from "./agreement";
import { fault } from "./table";

/** Something quick and something that is under way for longer than most of what happens here; nothing that needs Redis. */
const REQUESTS = [
  { method: "GET" as const, path: "/" },
  { method: "GET" as const, path: "/slow?ms=300" },
];

describe("pulumi up", function () {
  this.timeout(300_000);
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const tags = Array.from({ length: 6 }, () => useTag(one));
  const nextImage = () => tags.pop() ?? assert.fail("no image is left");
  // A gate of at least a second, so that there is time to strike in it.
  const health = { intervalSeconds: 0.5, passes: 3, gateTimeoutSeconds: 30 };
  const stack = useStack({ blue: { image: one }, green: { image: two }, drainSeconds: 4, health });
  before("first deploy", () => stack.up());

  /** The proxy does what the stack says, with one container of each kind. */
  async function inOrder(): Promise<void> {
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 0, output);
    for (const role of ["edge", "proxy", "blue", "green", "redis"] as const) await stack.container(role);
  }
  /** What Pulumi does not know of is not its to remove: npx bluegreen heal names it, with the command that does. */
  async function removeOrphans(): Promise<number> {
    const { output } = await stack.bluegreen("heal", "--yes");
    const orphans = new Set([...output.matchAll(/: (docker rm -f \S+)$/gm)].map(([, command]) => command));
    for (const command of orphans) await docker(...command.split(" ").slice(1));
    return orphans.size;
  }

  const MOMENTS = {
    "while a container is made": "service-blue creating replacement",
    "in the gate": "gate: blue passed 1 of 3",
    "in the drain": "drain: up to",
  };
  for (const [moment, words] of Object.entries(MOMENTS)) {
    fault(
      `killed (kill -9) ${moment} of a release of the live color, then pulumi cancel and up`,
      async () => {
        const blueImage = nextImage();
        let healSeconds = 0;
        const requests = await underLoad(
          stack,
          async () => {
            // Holds the drain: it is on the old container until after the kill.
            const long = words.startsWith("drain") ? stack.live("/slow?ms=3000") : undefined;
            await stack.set({ blue: { image: blueImage } });
            const update = stack.start("up", "--yes", "--skip-preview");
            await update.says(words);
            await update.kill();
            const killed = performance.now();
            assert.equal((await long)?.status ?? 200, 200);
            await stack.pulumi("cancel", "--yes");
            await stack.up();
            healSeconds = (performance.now() - killed) / 1000;
          },
          { requests: REQUESTS },
        );
        const orphans = await removeOrphans();
        assert.equal((await stack.container("blue")).Config.Image, blueImage);
        await inOrder();
        const left =
          orphans > 0 ? "; npx bluegreen status named a container that Pulumi does not know of" : "";
        return { happened: `the next up released it${left}`, requests, healSeconds: [healSeconds] };
      },
    );
  }

  fault("two at once, from two clones on one backend", async () => {
    const clone = await stack.clone("shared");
    let output = "";
    const requests = await underLoad(
      stack,
      async () => {
        await stack.set({ activeColor: "green" });
        const first = stack.start("up", "--yes", "--skip-preview");
        await first.says("gate: green");
        ({ output } = await clone.upFails());
        const ended = await first.ended;
        assert.equal(ended.code, 0, ended.output);
      },
      { requests: REQUESTS },
    );
    rmSync(clone.folder, { recursive: true });
    assert.match(output, /the stack is currently locked by 1 lock/);
    assert.equal((await stack.live()).headers["x-color"], "green");
    await inOrder();
    return { happened: "Pulumi's lock refused the second, the first went through", requests };
  });

  fault("two at once, from two backends that both know the stack", async () => {
    const clone = await stack.clone("copied");
    try {
      const requests = await underLoad(
        stack,
        async () => {
          await stack.set({ activeColor: "blue" });
          await clone.set({ proxy: { maxBodySize: "11m" } });
          const updates = [stack, clone].map((each) => each.start("up", "--yes", "--skip-preview"));
          for (const { ended } of updates) {
            const { code, output } = await ended;
            assert.equal(code, 0, output);
          }
          // Whose switch was the last is served. The other one is told of it.
          const codes = [(await stack.bluegreen("status")).code, (await clone.bluegreen("status")).code];
          assert.deepEqual(codes.sort(), [0, 2]);
          assert.equal((await stack.bluegreen("heal", "--yes")).code, 0);
        },
        { requests: REQUESTS },
      );
      assert.equal((await stack.live()).headers["x-color"], "blue");
      await inOrder();
      return {
        happened:
          "the switches ran one after the other; npx bluegreen status tells the other stack, npx bluegreen heal mended it",
        requests,
      };
    } finally {
      rmSync(clone.folder, { recursive: true });
    }
  });

  fault("Redis is down in the gate, and comes back", async () => {
    const blueImage = nextImage();
    const redis = (await stack.container("redis")).Id;
    const requests = await underLoad(
      stack,
      async () => {
        await docker("stop", redis);
        await stack.set({ blue: { image: blueImage } });
        const update = stack.start("up", "--yes", "--skip-preview");
        await update.says("gate: blue");
        await sleep(3000);
        await docker("start", redis);
        const { code, output } = await update.ended;
        assert.equal(code, 0, output);
      },
      { requests: REQUESTS },
    );
    await inOrder();
    return { happened: "the gate waited for it", requests };
  });

  fault("Redis is down for the whole gate", async () => {
    const { Id } = await stack.container("redis");
    const former = (await stack.container("blue")).Config.Image;
    const keep = stack.keepConfig();
    const blueImage = nextImage();
    let output = "";
    const requests = await underLoad(
      stack,
      async () => {
        await docker("stop", Id);
        await stack.set({ blue: { image: blueImage }, health: { gateTimeoutSeconds: 4 } });
        ({ output } = await stack.upFails());
        await docker("start", Id);
        keep();
        await stack.set({ blue: { image: former } });
        await stack.up();
      },
      { requests: REQUESTS },
    );
    assert.match(output, /blue did not pass its health gate.*\n.*HTTP 503 .*"redis"/);
    await inOrder();
    return {
      happened: "the gate refused the release, the former color served on; with Redis, up went through",
      requests,
    };
  });

  fault("killed while the file backend wrote an .attrs file, without metadata=skip", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-faults-"));
    const run = (...args: string[]) =>
      new Running("pulumi", [...args, "--non-interactive", "--color", "never"], {
        cwd: folder,
        env: { ...stack.env, PULUMI_BACKEND_URL: `file://${folder}` },
      }).ended;
    try {
      writeFileSync(path.join(folder, "Pulumi.yaml"), "name: cut\nruntime: nodejs\n");
      assert.equal((await run("stack", "init", "dev")).code, 0);
      writeFileSync(path.join(folder, ".pulumi/stacks/cut/dev.json.attrs"), "");
      const { code, output } = await run("stack", "select", "dev");
      assert.notEqual(code, 0);
      assert.match(output, /failed to load checkpoint: EOF/);
      const advice = readFileSync("docs/troubleshooting.md", "utf8").match(
        /^find \/srv\/state(\/.* -delete)$/m,
      );
      execFileSync("sh", ["-c", `find ${folder}${advice?.[1] ?? assert.fail("no advice in the docs")}`]);
      assert.equal((await run("stack", "select", "dev")).code, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
    return {
      happened: "Pulumi finds no way into its state; the command of docs/troubleshooting.md mends it",
    };
  });

  it("and an update finds nothing to do", () => stack.up("--expect-no-changes"));
});
