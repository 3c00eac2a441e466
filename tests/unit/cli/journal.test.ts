import assert from "node:assert/strict";
import { formerLive, inContext, switchInWords } from "../../../components/cli/journal";
import type { Entry } from "../../../components/cli/report";

const wordsOf = (...journal: Entry[]) => inContext(journal).map(switchInWords);
const entry = (kind: string, more: Entry): Entry => ({
  kind,
  from: "blue",
  to: "blue",
  outcome: "done",
  ...more,
});

const FIRST = entry("release", { from: "", blue: "shop:1", config: "a" });
const IDLE = entry("idle", { green: "shop:2", config: "b" });

describe("U9 what a switch was about", () => {
  it("U9 a first release, a release of the idle color, a flip, a rollback", () => {
    assert.deepEqual(
      wordsOf(
        FIRST,
        IDLE,
        entry("idle", { green: "shop:3", config: "c" }),
        entry("flip", { to: "green", green: "shop:3", config: "d" }),
        entry("flip", { from: "green", blue: "shop:1", config: "c" }),
      ),
      [
        "first release: blue shop:1",
        "release: idle green shop:2",
        "release: idle green shop:2 -> shop:3",
        "flip blue -> green: shop:3",
        "flip green -> blue: shop:1",
      ],
    );
  });

  it("U9 a release of the live color, and one that is flipped to at once", () => {
    assert.deepEqual(
      wordsOf(
        FIRST,
        IDLE,
        entry("release", { blue: "shop:4", config: "c" }),
        entry("release", { to: "green", green: "shop:5", config: "d" }),
      ).slice(2),
      ["release: live blue shop:1 -> shop:4", "release and flip blue -> green: shop:2 -> shop:5"],
    );
  });

  it("N7 one at a time, and what was started again after a failure", () => {
    assert.deepEqual(
      wordsOf(
        entry("recreate", { from: "", blue: "shop:1", config: "a" }),
        entry("recreate", { to: "green", green: "shop:2", config: "b" }),
        entry("recreate", {
          from: "green",
          to: "green",
          green: "shop:3",
          config: "c",
          outcome: "failed: ill",
        }),
        entry("reopened", { from: "", to: "green", green: "shop:2", config: "b" }),
      ),
      [
        "one at a time: blue shop:1",
        "one at a time: blue -> green shop:2",
        "one at a time: green shop:2 -> shop:3",
        "green shop:2 started again",
      ],
    );
  });

  it("U9 a heal, other settings, a new nginx", () => {
    assert.deepEqual(
      wordsOf(
        FIRST,
        IDLE,
        entry("settings", { blue: "shop:1", config: "b" }),
        entry("idle", { green: "shop:2", config: "b" }),
        entry("settings", { blue: "shop:1", config: "c" }),
        entry("nginx", { to: undefined, image: "nginx:1.30.6" }),
      ).slice(2),
      [
        "nothing new, as in a heal, blue shop:1 stays live",
        "idle green shop:2 gated again, as in a heal",
        "other settings, blue shop:1 stays live",
        "new nginx: nginx:1.30.6",
      ],
    );
  });

  it("U9 what failed has left nothing, and is said as what it tried", () => {
    const failed = entry("idle", { green: "shop:9", config: "c", outcome: "failed: green did not pass" });
    assert.deepEqual(wordsOf(FIRST, IDLE, failed, { ...failed, outcome: "done" }).slice(2), [
      "release: idle green shop:2 -> shop:9",
      "release: idle green shop:2 -> shop:9",
    ]);
  });

  it("U9 the oldest entry that is left has none before it", () => {
    assert.deepEqual(wordsOf(entry("flip", { to: "green", green: "shop:2", config: "x" })), [
      "flip blue -> green: shop:2",
    ]);
    assert.deepEqual(inContext([{ outcome: "can't be read: {" }]), [{ outcome: "can't be read: {" }]);
  });
});

describe("what was live before", () => {
  const RELEASE = entry("release", { at: "10:00", from: "", blue: "shop:1" });
  const FLIP = entry("flip", { at: "11:00", to: "green", green: "shop:2" });

  it("before a flip: the other color", () =>
    assert.deepEqual(formerLive([RELEASE, IDLE, FLIP]), { color: "blue", image: "shop:1", until: "11:00" }));

  it("before a release of the live color: its former image", () =>
    assert.deepEqual(
      formerLive([RELEASE, IDLE, FLIP, entry("release", { at: "12:00", to: "green", green: "shop:3" })]),
      {
        color: "green",
        image: "shop:2",
        until: "12:00",
      },
    ));

  it("what failed, other settings and the idle color change nothing of it", () => {
    const after = [
      entry("release", { to: "blue", blue: "shop:9", outcome: "failed: it did not pass" }),
      entry("settings", { to: "green", green: "shop:2" }),
      entry("idle", { to: "green", blue: "shop:4" }),
    ];
    assert.equal(formerLive([RELEASE, IDLE, FLIP, ...after])?.image, "shop:1");
  });

  it("before the first release: nothing", () => {
    assert.equal(formerLive([RELEASE, IDLE]), undefined);
    assert.equal(formerLive([]), undefined);
  });
});
