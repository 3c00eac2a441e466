import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { docker, inspect } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing, type Options } from "../support/load";
import { useStack } from "../support/stack";

/** The third that is started of the version "three" is ill. */
const START =
  "[ $VERSION != three ] || mkdir /shared/one || mkdir /shared/two || export BEHAVIOUR=wrong-status; exec node /fixture-app.js";
const REQUESTS: Options["requests"] = [{ method: "GET", path: "/" }];

/** In the order in which the tests run: each goes on from where the one before it has left the stack. */
describe("N15 several containers of a color", function () {
  this.timeout(240_000);
  const images = useImages({ one: "ok", two: "ok", three: "ok" });
  const VOLUME = `bgtest-${randomBytes(4).toString("hex")}`;
  const stack = useStack({
    redis: { enabled: false },
    blue: { image: images.one },
    green: { image: images.two },
    command: ["sh", "-c", START],
    volumes: [{ volumeName: VOLUME, containerPath: "/shared" }],
    replicas: 3,
    memoryMb: 128,
    // How long a request waits for a container that has ended.
    proxy: { connectTimeoutSeconds: 1 },
  });
  after(() => docker("volume", "rm", VOLUME));

  const nameOf = ({ Name }: { Name: string }) => Name.slice(1);
  /** The names of a color's containers that run, sorted. */
  const running = async (color: "blue" | "green") =>
    (await stack.containers(color))
      .filter(({ State }) => State.Running)
      .map(nameOf)
      .sort();
  /** Those that answer on a port, by their names, and how often each. */
  async function answering(ask: () => Promise<{ body: string }>, times = 24) {
    const counts: { [id: string]: number } = {};
    for (let i = 0; i < times; i++) {
      const { env } = JSON.parse((await ask()).body) as { env: { HOSTNAME: string } };
      counts[env.HOSTNAME] = (counts[env.HOSTNAME] ?? 0) + 1;
    }
    const names = await Promise.all(Object.keys(counts).map(async (id) => nameOf(await inspect(id))));
    return { names: names.sort(), counts: Object.values(counts) };
  }

  it("N15 the first release: each is gated, all are asked in turn", async () => {
    const { output } = await stack.up();
    assert.match(output, /plan: blue: 3 containers, each of them gated/);
    assert.match(output, /gate: blue passed 2 of 2: .*\(each of 3 containers\)/);
    const blue = await running("blue");
    const [first] = blue;
    assert.deepEqual(blue, [first, `${first}-2`, `${first}-3`]);
    assert.equal((await running("green")).length, 3);
    const live = await answering(() => stack.live());
    assert.deepEqual(live.names, blue);
    assert.ok(Math.min(...live.counts) >= 4, String(live.counts));
    assert.deepEqual((await answering(() => stack.idle())).names, await running("green"));
    const [one, , three] = await Promise.all(blue.map(inspect));
    assert.deepEqual(
      [
        three.HostConfig.Memory,
        three.Config.Cmd,
        three.Config.Env.filter((env) => !env.includes("HOSTNAME")),
      ],
      [one.HostConfig.Memory, one.Config.Cmd, one.Config.Env.filter((env) => !env.includes("HOSTNAME"))],
    );
    assert.match(
      await stack.inOrder(),
      /live: +blue \S+ \(\S+, \S+-2, \S+-3\), 3 containers, running, healthy/,
    );
  });

  it("N15 a release, the flip and the rollback lose no request", async () => {
    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ blue: { image: images.two } });
        await stack.up();
        await stack.set({ activeColor: "green" });
        await stack.up();
        assert.deepEqual((await answering(() => stack.live())).names, await running("green"));
        const { code, output } = await stack.bluegreen("rollback", "--yes");
        assert.equal(code, 0, output);
      },
      { requests: REQUESTS },
    );
    assert.deepEqual(await stack.serving(), { live: "blue two", idle: "green two" });
    assert.equal((await stack.containers("blue")).length, 3);
  });

  it("N15 one that fails its gate fails the release, which names it and stops all of it", async () => {
    const before = await running("blue");
    const setBack = stack.keepConfig();
    await stack.set({ blue: { image: images.three }, health: { gateTimeoutSeconds: 6 } });
    const { output } = await stack.upFails();
    const [, ill = ""] = /error: blue \((\S+)\) did not pass its health gate/.exec(output) ?? [];
    assert.match(output, new RegExp(`State of ${ill}: running`));
    assert.deepEqual([await running("blue"), before.includes(ill)], [before, false]);
    assert.deepEqual((await answering(() => stack.live())).names, before);
    setBack();
  });

  it("N15 scaling what is live loses no request: what is new is gated first, what is too many drains; nothing drifts", async () => {
    const { live } = await stack.serving();
    assert.equal(live, "blue two");
    await losesNothing(
      stack.port,
      async () => {
        // With the set back image, all of blue is new.
        await stack.set({ blue: { replicas: 2 }, idle: "stopped" });
        const { output } = await stack.up();
        assert.match(
          output,
          /plan: blue: 3 -> 2 containers; what is too many ends after a drain of up to 2 s/,
        );
        const [first, ...more] = await running("blue");
        assert.deepEqual([more, await running("green")], [[`${first}-2`], []]);

        await stack.set({ blue: { replicas: 4 } });
        const { output: up, changes } = await stack.up();
        assert.match(up, /plan: blue: 2 -> 4 containers; each new one is gated before it gets a request/);
        const gates = { switch: "replace", "idle-gate": "replace" };
        assert.deepEqual(changes, { service: "update", "blue-3": "create", "blue-4": "create", ...gates });
        assert.deepEqual((await answering(() => stack.live())).names, await running("blue"));

        await stack.set({ blue: { replicas: 3 } });
        const { changes: fewer } = await stack.up();
        assert.deepEqual(fewer, { service: "update", "blue-4": "delete", ...gates });
        assert.deepEqual(await running("blue"), [first, `${first}-2`, `${first}-3`]);
      },
      { requests: REQUESTS },
    );
    await stack.inOrder();
    await stack.expectNoChange();
  });

  it("N15 one that is killed costs no request; status names it, heal starts it", async () => {
    const [first, second] = await running("blue");
    await losesNothing(
      stack.port,
      async (load) => {
        await docker("kill", second);
        await load.calm(2000);
      },
      { requests: REQUESTS },
    );
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 2, output);
    assert.match(output, new RegExp(`drift: +the live color blue: ${second} is exited`));
    assert.match(output, new RegExp(`3 containers, running, ${second} exited`));
    const healed = await stack.bluegreen("heal", "--yes");
    assert.equal(healed.code, 0, healed.output);
    assert.equal((await running("blue")).length, 3);
    const logs = await stack.bluegreen("logs", "live", "--tail", "1");
    assert.match(logs.output, new RegExp(`${first}, 1 of 3[^]*${second}, 2 of 3`));
  });

  it("N15 a flip to an idle color that was stopped starts all of it; with strategy recreate it is refused", async () => {
    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ activeColor: "green" });
        await stack.up();
      },
      { requests: REQUESTS },
    );
    assert.deepEqual((await answering(() => stack.live())).names, await running("green"));
    assert.deepEqual([(await running("green")).length, await running("blue")], [3, []]);
    const setBack = stack.keepConfig();
    await stack.set({ strategy: "recreate" });
    assert.match((await stack.upFails()).output, /replicas: is 3, but strategy "recreate" is for a service/);
    setBack();
  });

  it("N15 destroy leaves nothing", async () => {
    await stack.destroy();
    assert.deepEqual((await stack.leftovers()).containers, []);
  });
});
