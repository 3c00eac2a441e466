import assert from "node:assert/strict";
import { get } from "../support/http";
import { until } from "../support/running";
import { useService } from "./service";

describe("the switch", () => {
  const service = useService();

  it("finds a page that says that nothing is live yet", async () => {
    await until(
      () => "nginx answers",
      () =>
        service.live().then(
          () => true,
          () => false,
        ),
    );
    const { status, body } = await get(`http://127.0.0.1:${service.port}/`);
    assert.equal(status, 503);
    assert.match(body, /No color is live yet/);
    assert.equal(await service.idle(), "HTTP 503");
  });

  it("brings the first colors live", async () => {
    const blue = await service.app("blue");
    const green = await service.app("green");
    const output = await service.switched("blue");
    assert.match(output, /==> blue is live/);
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
  });

  it("flips, and flips back", async () => {
    const { blue, green } = service.containers;
    await service.switched("green");
    assert.deepEqual([await service.live(), await service.idle()], [green, blue]);
    await service.switched("blue");
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
  });

  it("has said that a color is live only when nobody gets the other one any more", async () => {
    for (const color of ["green", "blue", "green", "blue"] as const) {
      await service.switched(color);
      const answers = await Promise.all(Array.from({ length: 20 }, service.live));
      assert.deepEqual([...new Set(answers)], [service.containers[color]]);
    }
  });

  it("done again, changes nothing", async () => {
    const { blue, green } = service.containers;
    const site = await service.site();
    const output = await service.switched("blue");
    assert.doesNotMatch(output, /gate:/);
    assert.equal(await service.site(), site);
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
  });

  it("does not stumble over what another service takes away just when nginx is told of a change", async () => {
    const script = `. /bluegreen/nginx.sh
mkdir -p "$PLACES/other" && : >"$RUN/staged-other.conf" && : >"$PLACES/other/site.conf"
sha256sum() { rm -f "$RUN/staged-other.conf"; command sha256sum "$@"; }
awk() { rm -rf "$PLACES/other"; command awk "$@"; }
reload`;
    await service.inProxy("sh", "-c", script);
  });

  it("stages a new container for the idle color and leaves the live one alone", async () => {
    const { blue } = service.containers;
    const newGreen = await service.app("green");
    const output = await service.switched("blue");
    assert.match(output, /staging green/);
    assert.match(output, /gate: green passed 2 of 2/);
    assert.doesNotMatch(output, /gate: blue/);
    assert.deepEqual([await service.live(), await service.idle()], [blue, newGreen]);
  });

  it("releases a new container of the live color in its place", async () => {
    const { green } = service.containers;
    const newBlue = await service.app("blue");
    const output = await service.switched("blue");
    assert.match(output, /gate: blue passed 2 of 2/);
    assert.deepEqual([await service.live(), await service.idle()], [newBlue, green]);
  });

  it("stops the idle color where it is told to, and starts it again before it is needed", async () => {
    const { blue, green } = service.containers;
    await service.switched("green", { idle: "stopped" });
    assert.equal(await service.live(), green);
    assert.equal(await service.isRunning(blue), false);
    const output = await service.switched("blue", { idle: "stopped" });
    assert.match(output, new RegExp(`==> starting ${blue}`));
    assert.equal(await service.live(), blue);
    assert.equal(await service.isRunning(green), false);
  });
});
