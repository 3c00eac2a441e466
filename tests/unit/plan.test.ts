import assert from "node:assert/strict";
import {
  planInWords,
  type Decided,
  type Former,
  type PlanSettings,
  type Release,
} from "../../components/release/plan";
import { LEAST, settingsOf } from "./valid";

const SETTINGS: PlanSettings = {
  health: { kind: "http", path: "/up", passes: 2, gateTimeoutSeconds: 60 },
  watch: { seconds: 0 },
  strategy: "blue-green",
  idle: "running",
  drainSeconds: 30,
  allowDowntime: false,
  sendImages: false,
  colors: { blue: { workers: {}, replicas: 1 }, green: { workers: {}, replicas: 1 } },
};
const RELEASE: Release = {
  activeColor: "blue",
  blueImage: "shop:1",
  greenImage: "shop:2",
  proxyImage: "nginx:1",
  binding: "proxy.port 80\nnetwork.name none",
};
const GATE = "the gate asks for 2 good answer(s) in a row on /up within 60 s";
const plan = (
  change: Partial<Release>,
  settings: Partial<PlanSettings> = {},
  former: Release & Partial<Former> = RELEASE,
  decided: Partial<Decided> = {},
) =>
  planInWords(
    { failed: {}, children: named(CHILDREN), ...former },
    { ...RELEASE, ...change },
    { ...SETTINGS, ...settings },
    { ...DECIDED, ...decided },
  );
const CHILDREN = [
  "edge",
  "proxy",
  "blue",
  "green",
  "redis",
  "redis-data",
  "proxy-state",
  "network",
  "switch",
];
const named = (children: string[]) => Object.fromEntries(children.map((child) => [child, `${child}-id`]));
const DECIDED: Decided = { declared: new Set(CHILDREN), made: new Set(), all: true };

describe("the plan in words", () => {
  it("of the first release", () => {
    assert.deepEqual(planInWords(undefined, RELEASE, SETTINGS, DECIDED), [
      `first release: blue goes live with shop:1; ${GATE}`,
      "green is gated after that: if it fails, the update fails, and blue stays live",
    ]);
  });

  it("N11: of images that this machine sends, each once, as far as they are new and have a name", () => {
    const sent = (image: string) => `image ${image} is sent from this machine, unless the host has it`;
    const saying = (lines: string[]) => lines.filter((line) => line.includes("is sent"));
    const sending = { ...SETTINGS, sendImages: true };
    const same = { ...RELEASE, greenImage: "shop:1" };
    assert.deepEqual(saying(planInWords(undefined, same, sending, DECIDED)), [sent("shop:1")]);
    assert.deepEqual(saying(plan({ greenImage: "shop:3" }, sending)), [sent("shop:3")]);
    assert.deepEqual(saying(plan({ greenImage: "shop@sha256:1" }, sending)), []);
    assert.deepEqual(saying(plan({}, sending)), []);
    assert.deepEqual(saying(plan({ greenImage: "shop:3" })), []);
  });

  it("of no change", () => {
    assert.deepEqual(plan({}), ["blue stays live with shop:1: no new image and no switch"]);
  });

  it("of a switch, and of the rollback", () => {
    const [line, ...more] = plan({ activeColor: "green" });
    assert.deepEqual([line, more], [`switch: blue -> green (shop:2); ${GATE}; blue keeps running`, []]);
    assert.deepEqual(plan({}, {}, { ...RELEASE, activeColor: "green" }), [
      `switch: green -> blue (shop:1); ${GATE}; green keeps running`,
    ]);
  });

  it("of a switch with an idle color that is stopped", () => {
    assert.deepEqual(plan({ activeColor: "green" }, { idle: "stopped" }), [
      `switch: blue -> green (shop:2); ${GATE}; blue is stopped after a drain of up to 30 s`,
    ]);
  });

  it("N7 one at a time: of downtime before it comes, with how long the last was, and what becomes of the other color", () => {
    const settings = { strategy: "recreate", idle: "stopped" };
    const first = planInWords(undefined, RELEASE, { ...SETTINGS, ...settings }, DECIDED);
    assert.equal(first[1], "green is not started: it is gated when it becomes live");
    assert.deepEqual(plan({ activeColor: "green" }, settings), [
      `switch: one at a time: blue is stopped after a drain of up to 30 s, then green is started (shop:2); ${GATE}; if it fails, blue is started again`,
      "downtime: users get 503 from the drain of blue until green passes its gate",
    ]);
    assert.deepEqual(plan({ blueImage: "shop:3" }, settings, { ...RELEASE, downtime: "4.2" }).slice(1), [
      `switch: one at a time: the old blue is stopped after a drain of up to 30 s, then the new blue is started (shop:3); ${GATE}; if it fails, the old blue is started again`,
      "downtime: users get 503 from the drain of the old blue until the new blue passes its gate; last time 4.2 s",
    ]);
    assert.deepEqual(plan({ greenImage: "shop:3" }, settings), [
      "green (idle): image shop:2 -> shop:3",
      "blue stays live and is not touched",
      "green is not started: it is gated when it becomes live",
    ]);
    assert.deepEqual(plan({}, settings), ["blue stays live with shop:1: no new image and no switch"]);
  });

  it("of a switch that is watched, and of a release of the idle color, which is not", () => {
    const settings = { watch: { seconds: 10 } };
    assert.deepEqual(plan({ activeColor: "green" }, settings), [
      `switch: blue -> green (shop:2); ${GATE}; green is watched for 10 s, and flipped back if it fails; blue keeps running`,
    ]);
    assert.doesNotMatch(plan({ greenImage: "shop:3" }, settings).join(), /watched/);
  });

  it("of taking back a release that failed", () => {
    const idle = plan({}, {}, { ...RELEASE, failed: { green: "shop:3" } });
    assert.deepEqual(idle, [
      "green (idle): image shop:3, which failed, -> shop:2",
      `blue stays live and is not touched; ${GATE}`,
    ]);
    const live = plan({}, {}, { ...RELEASE, failed: { blue: "shop:3" } });
    assert.deepEqual(live[0], "blue (live): image shop:3, which failed, -> shop:1");
    const forward = plan({ greenImage: "shop:4" }, {}, { ...RELEASE, failed: { green: "shop:3" } });
    assert.deepEqual(forward[0], "green (idle): image shop:2 -> shop:4");
  });

  it("of a release of the idle color", () => {
    assert.deepEqual(plan({ greenImage: "shop:3" }), [
      "green (idle): image shop:2 -> shop:3",
      `blue stays live and is not touched; ${GATE}`,
    ]);
  });

  it("of another image for the live color", () => {
    assert.deepEqual(plan({ blueImage: "shop:3" }), [
      "blue (live): image shop:1 -> shop:3",
      `the new blue is started beside the live one; ${GATE}; the old one ends after a drain of up to 30 s`,
    ]);
  });

  it("of both images", () => {
    assert.deepEqual(plan({ blueImage: "shop:3", greenImage: "shop:4" }), [
      "blue (live): image shop:1 -> shop:3",
      "green (idle): image shop:2 -> shop:4",
      `the new blue is started beside the live one; ${GATE}; the old one ends after a drain of up to 30 s`,
      "green is gated after that: if it fails, the update fails, and blue stays live",
    ]);
  });

  it("of a release and a switch in one", () => {
    assert.deepEqual(plan({ greenImage: "shop:3", activeColor: "green" }), [
      "green (becomes live): image shop:2 -> shop:3",
      `switch: blue -> green (shop:3); ${GATE}; blue keeps running`,
    ]);
    assert.deepEqual(plan({ blueImage: "shop:3", activeColor: "green" }), [
      "blue (becomes idle): image shop:1 -> shop:3",
      `switch: blue -> green (shop:2); ${GATE}; blue keeps running`,
      "blue is gated after that: if it fails, the update fails, and green stays live",
    ]);
  });

  it("of a new nginx", () => {
    assert.deepEqual(plan({ proxyImage: "nginx:2" }), [
      "nginx: nginx:1 -> nginx:2; the new one takes over the open ports",
      "blue stays live with shop:1 and is not touched",
    ]);
  });

  it("of a change that needs downtime, with leave and without", () => {
    const [refused] = plan({ binding: "proxy.port 81\nnetwork.name none" });
    assert.equal(
      refused,
      "downtime: proxy.port 80 -> 81; REFUSED by the update unless allowDowntime is true",
    );
    const [allowed] = plan({ binding: "proxy.port 81\nnetwork.name none" }, { allowDowntime: true });
    assert.equal(allowed, "downtime: proxy.port 80 -> 81; the service is offline for some seconds");
  });

  it("of a change of what a former version did not have", () => {
    const { binding } = RELEASE;
    const spoken = plan({ binding: `${binding}\nproxy.proxyProtocol on` }, { allowDowntime: true });
    assert.match(spoken[0], /^downtime: proxy\.proxyProtocol none -> on;/);
    const silent = plan(
      {},
      { allowDowntime: true },
      { ...RELEASE, binding: `${binding}\nproxy.proxyProtocol on` },
    );
    assert.match(silent[0], /^downtime: proxy\.proxyProtocol on -> none;/);
  });

  const made = (...made: string[]) => plan({}, {}, RELEASE, { made: new Set(made) });

  it("of what the engine replaces for another reason than a new image", () => {
    const stays = "blue stays live with shop:1 and is not touched";
    assert.deepEqual(made("redis"), ["redis: replaced; it is away for some seconds, its data stays", stays]);
    assert.deepEqual(made("redis", "redis-data"), [
      "redis: replaced; it is away for some seconds, its data stays",
      "redis: its volume is made anew; data that the host no longer has is lost",
      stays,
    ]);
    assert.deepEqual(made("proxy", "switch"), [
      "nginx: replaced by a new one, which takes over the open ports",
      stays,
    ]);
    assert.deepEqual(made("edge", "proxy", "switch"), [
      "downtime: the edge is made anew, and nginx with it; the service is offline for some seconds",
      stays,
    ]);
    assert.deepEqual(made("blue", "green", "switch", "idle-gate"), [
      "blue (live): a new container of the same image, with other settings",
      "green (idle): a new container of the same image, with other settings",
      `the new blue is started beside the live one; ${GATE}; the old one ends after a drain of up to 30 s`,
      "green is gated after that: if it fails, the update fails, and blue stays live",
    ]);
    assert.deepEqual(made("green", "idle-gate"), [
      "green (idle): a new container of the same image, with other settings",
      `blue stays live and is not touched; ${GATE}`,
    ]);
    assert.deepEqual(made("switch"), [`${stays}; ${GATE}, then nginx reads its configuration anew`]);
    assert.deepEqual(made("images"), ["blue stays live with shop:1: no new image and no switch"]);
  });

  it("of Redis, when it is turned on or off", () => {
    const children = CHILDREN.filter((child) => !child.startsWith("redis"));
    const on = plan(
      {},
      {},
      { ...RELEASE, children: named(children) },
      { made: new Set(["redis", "redis-data"]) },
    );
    assert.equal(on[0], "redis: made");
    const off = plan({}, {}, RELEASE, { declared: new Set(children) });
    assert.equal(
      off[0],
      "redis: removed, since redis.enabled is not true; its volume stays, unless redis.deleteData was set before",
    );
  });

  it("N8 of workers: who starts, moves, is replaced or ends, and nothing of the idle color's", () => {
    const { blue } = settingsOf({
      ...LEAST,
      workers: { beat: { command: ["beat"] }, jobs: { command: ["jobs"], exclusive: false } },
    }).colors;
    const colors = { blue, green: blue };
    const both = [...CHILDREN, "blue-beat", "blue-jobs", "green-beat", "green-jobs"];
    const saying = (lines: string[]) => lines.filter((line) => line.startsWith("workers: "));
    const there = { ...RELEASE, children: named(both) };
    assert.deepEqual(saying(planInWords(undefined, RELEASE, { ...SETTINGS, colors }, DECIDED)), [
      "workers: beat starts in blue after the switch",
      "workers: jobs starts in blue after the switch",
    ]);
    assert.deepEqual(saying(plan({ activeColor: "green" }, { colors }, there)), [
      "workers: beat moves to green after the switch; the former one is stopped first, within 30 s",
      "workers: jobs moves to green after the switch; the former one is stopped when it has stayed up",
    ]);
    assert.deepEqual(plan({}, { colors }, there), [
      "blue stays live with shop:1: no new image and no switch",
    ]);
    assert.deepEqual(plan({}, { colors }, there, { made: new Set(["blue-beat", "green-beat", "workers"]) }), [
      "workers: beat moves to a new container of blue after the switch; the former one is stopped first, within 30 s",
      "blue stays live with shop:1 and is not touched",
    ]);
    assert.deepEqual(
      saying(plan({ greenImage: "shop:3" }, { colors }, there, { made: new Set(["green-beat"]) })),
      [],
    );
    assert.deepEqual(saying(plan({}, { colors })), [
      "workers: beat starts in blue after the switch",
      "workers: jobs starts in blue after the switch",
    ]);
    const without = { blue, green: { workers: {}, replicas: 1 } };
    assert.deepEqual(saying(plan({ activeColor: "green" }, { colors: without }, there)), [
      "workers: beat ends: green has none",
      "workers: jobs ends: green has none",
    ]);
  });

  it("of an update that has only begun: what is certain", () => {
    const begun = (change: Partial<Release>, ...made: string[]) =>
      plan(change, {}, RELEASE, { made: new Set(made), declared: new Set(), all: false });
    assert.deepEqual(begun({}), []);
    assert.deepEqual(begun({ greenImage: "shop:3" }), ["green (idle): image shop:2 -> shop:3"]);
    assert.equal(begun({ blueImage: "shop:3" }).length, 2);
    assert.equal(begun({ activeColor: "green" }).length, 1);
    assert.deepEqual(begun({}, "redis"), ["redis: replaced; it is away for some seconds, its data stays"]);
  });
});
