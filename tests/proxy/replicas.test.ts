import assert from "node:assert/strict";
import { docker } from "../support/docker";
import { losesNothing } from "../support/load";
import { until } from "../support/running";
import { useLiveService } from "./service";
import { STEPS, withLine } from "./steps";

describe("N15 several containers of a color", () => {
  const service = useLiveService();
  const load = { requests: [{ method: "GET" as const, path: "/" }] };

  /** Both colors have as many. */
  async function scale(replicas: number) {
    await service.peers("green", replicas);
    return service.peers("blue", replicas);
  }
  /** Who answers, of some requests. */
  async function answering() {
    const names = new Set<string>();
    for (let i = 0; i < 12; i++) names.add(await service.live());
    return [...names].sort();
  }

  it("come to be, and are all asked", async () => {
    const names = await scale(2);
    await losesNothing(service.port, () => service.switched("blue", { replicas: 2 }), load);
    assert.deepEqual(await answering(), names);
  });

  it("killed after it has another number of them: the former site is back, and nobody has noticed", async () => {
    const [first, second] = await scale(2);
    const names = await scale(3);
    const edit = withLine(STEPS.commit, "", "  kill -9 $$\n");
    await losesNothing(
      service.port,
      async () => {
        const { code, output } = await service.startSwitch("blue", { replicas: 3, edit }).ended;
        assert.equal(code, 1, output);
        await until(
          () => "it is settled",
          async () => (await service.journal()).at(-1)?.outcome === "interrupted: undone",
        );
      },
      load,
    );
    assert.deepEqual(await answering(), [first, second]);
    assert.equal(await service.isRunning(names[2]), false, "it serves nobody");
    await docker("start", names[2]);
    await service.switched("blue", { replicas: 3 });
    assert.deepEqual(await answering(), names);
  });

  it("one whose command says that it is not well fails its gate", async () => {
    const [first, ...more] = await scale(3);
    await service.app("green");
    const [, ill] = await service.peers("green", 3);
    await docker("exec", ill, "touch", "/ill");
    const health = { kind: "command", command: ["test", "!", "-e", "/ill"], gateTimeoutSeconds: 2 };
    const { code, output } = await service.startSwitch("green", { replicas: 3, health }).ended;
    assert.equal(code, 1, output);
    assert.match(output, new RegExp(`error: green \\(${ill}\\) did not pass its health gate`));
    assert.deepEqual(await answering(), [first, ...more]);
  });

  it("a new health setting is asked of all that is live", async () => {
    const [, , third] = await scale(3);
    await docker("exec", third, "touch", "/ill");
    const health = { kind: "command", command: ["test", "!", "-e", "/ill"] };
    const { code, output } = await service.startSwitch("blue", { replicas: 3, health }).ended;
    assert.equal(code, 1, output);
    assert.match(
      output,
      new RegExp(`error: blue \\(${third}\\), which is live, does not pass the health setting`),
    );
    await docker("exec", third, "rm", "/ill");
    const tcp = await service.startSwitch("blue", { replicas: 3, health: { kind: "tcp" } }).ended;
    assert.equal(tcp.code, 0, tcp.output);
  });
});
