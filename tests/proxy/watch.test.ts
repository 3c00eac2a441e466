import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { SERVICE, type Service, useLiveService } from "./service";

const watch = { seconds: 4, tolerancePercent: 5 };

/** Asks the live port all the time that the action takes. */
async function asking<T>(service: Service, action: Promise<T>): Promise<T> {
  let ended = false;
  const end = () => (ended = true);
  action.then(end, end);
  while (!ended) await Promise.all([service.live(), sleep(20)]);
  return action;
}

describe("the watch after a switch", () => {
  const service = useLiveService();

  it("lets a good color stay, and tells the figures", async () => {
    // The first site with a watch counts nothing before its own commit.
    await service.switched("blue", { watch });
    const output = await asking(service, service.switched("green", { watch }));
    assert.match(output, /watch: 4 s; before the switch 0 of [1-9]\d* answers were 5xx/);
    assert.match(output, /watch: 0 of [1-9]\d* answers were 5xx, and green is healthy/);
    assert.equal(await service.live(), service.containers.green);
    await service.switched("blue", { watch });
  });

  it("stops counting afterwards", async () => {
    await service.inProxy("sh", "-c", `: >/run/bluegreen/watch-${SERVICE}.log`);
    assert.equal(await service.live(), service.containers.blue);
    assert.equal(await service.inProxy("cat", `/run/bluegreen/watch-${SERVICE}.log`), "");
  });

  it("is not made where nothing is switched", async () => {
    assert.doesNotMatch(await service.switched("blue", { watch }), /watch:/);
  });

  it("flips back when more answers are 5xx than before, with the figures", async () => {
    const { blue } = service.containers;
    const errors = await service.app("green", "errors");
    const { code, output } = await asking(service, service.switch("green", { watch }));
    assert.equal(code, 1, output);
    const said =
      /green did not pass the watch .* flipped back: (\d+) of (\d+) answers were 5xx after the switch, 0 of \d+/;
    const [, failed, all] = said.exec(output) ?? assert.fail(output);
    assert.ok(Number(failed) > 10 && Number(all) >= 20, output);
    assert.match(output, /flipped back to blue/);
    assert.match(output, /==> stopping \S+-green-\d+, within 2 s/);
    assert.equal(await service.live(), blue);
    assert.equal(await service.isRunning(errors), false);
    assert.match((await service.journal()).at(-1)?.outcome ?? "", /^failed: green did not pass the watch/);
  });

  it("flips back when the health request fails three times in a row, also with no traffic", async () => {
    const { blue } = service.containers;
    await service.app("green", "fails-later");
    const { code, output } = await service.switch("green", { watch: { seconds: 10 } });
    assert.equal(code, 1, output);
    assert.match(output, /three health requests in a row failed; the last answer to GET \/health: HTTP 503/);
    assert.equal(await service.live(), blue);
  });

  it("leaves a color running that was served before", async () => {
    await service.app("green", "errors");
    await service.switched("blue");
    const { code } = await asking(service, service.switch("green", { watch }));
    assert.equal(code, 1);
    assert.deepEqual(
      [await service.live(), await service.idle(), await service.isRunning(service.containers.green)],
      [service.containers.blue, "HTTP 500", true],
    );
  });
});

describe("the watch after a release of the live color", () => {
  const service = useLiveService();

  it("flips back to a container that was replaced, and nobody gets a 502 from nginx", async () => {
    const { blue } = service.containers;
    for (let i = 0; i < 3; i++) {
      await service.app("blue", "fails-later");
      const statuses = new Set<number>();
      let done = false;
      const asking = Promise.all(
        Array.from({ length: 8 }, async () => {
          while (!done) statuses.add((await get(`http://127.0.0.1:${service.port}/`)).status);
        }),
      );
      const { code, output } = await service.switch("blue", { watch });
      done = true;
      await asking;
      assert.equal(code, 1, output);
      assert.match(output, /flipped back to blue/);
      assert.equal(await service.live(), blue);
      assert.deepEqual([...statuses], [200]);
      await docker("rm", "--force", service.containers.blue);
    }
    service.containers.blue = blue;
  });
});
