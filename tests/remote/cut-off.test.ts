import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { useTag } from "../support/images";
import { losesNothing } from "../support/load";
import { useStack } from "../support/stack";

describe("a deploy over SSH that is cut off, under load", function () {
  this.timeout(300_000);
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const stack = useStack(
    { blue: { image: one }, green: { image: two }, health: { passes: 10 }, drainSeconds: 6 },
    { overSsh: true },
  );
  const tags = [one, two, one, two].map(useTag);
  before("first deploy", () => stack.up());

  /** What of the switch's doings can be seen in the proxy, as a condition of a shell there. */
  const moments = {
    "while it stages or gates": "[ -s /run/bluegreen/staged-service.conf ]",
    "when the new color is live, in the drain": `! grep -q "^# live: blue $FORMER$" /bluegreen/state/services/service/site.conf`,
  };

  for (const [moment, condition] of Object.entries(moments)) {
    it(`${moment}: no request is lost, and the next up ends it`, async () => {
      const image = tags.pop() ?? "";
      const former = await stack.container("blue");
      await losesNothing(stack.port, async () => {
        await stack.set({ blue: { image: image } });
        const update = stack.upIsCutOff();
        await until(condition.replace("$FORMER", former.Name.slice(1)));
        stack.sshd.cutOff();
        const { output } = await update;
        assert.match(output, /remote command exited without exit status/);
        await stack.up();
      });
      assert.equal((await stack.container("blue")).Config.Image, image);
      assert.equal((await stack.live()).headers["x-color"], "blue");
      await stack.expectNoChange();
    });

    it(`${moment}: taken back instead, the former version serves`, async () => {
      const { Image } = (await stack.container("blue")).Config;
      const former = await stack.container("blue");
      await losesNothing(stack.port, async () => {
        await stack.set({ blue: { image: tags.pop() ?? "" } });
        const update = stack.upIsCutOff();
        await until(condition.replace("$FORMER", former.Name.slice(1)));
        stack.sshd.cutOff();
        await update;
        await stack.set({ blue: { image: Image } });
        await stack.up();
      });
      assert.equal((await stack.container("blue")).Config.Image, Image);
      await stack.expectNoChange();
    });
  }

  async function until(condition: string): Promise<void> {
    const proxy = (await stack.container("proxy")).Id;
    const deadline = performance.now() + 60_000;
    while (
      !(await docker("exec", proxy, "sh", "-c", condition).then(
        () => true,
        () => false,
      ))
    ) {
      if (performance.now() > deadline) throw new Error(`the switch did not come to: ${condition}`);
      await sleep(50);
    }
  }
});
