import assert from "node:assert/strict";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { useTag } from "../support/images";
import { useStack, type Config, type Run } from "../support/stack";

const SERVING = ["edge", "proxy", "blue", "green", "redis", "redis-data", "proxy-state", "network"];
const NOTHING = "plan: blue stays live with .*: no new image and no switch";
const UNTOUCHED = "plan: blue stays live with \\S+ and is not touched";
const GATE = "the gate asks for 2 good answer\\(s\\) in a row on \\S+ within 12 s";
const STARTED = "plan: the new blue is started beside the live one; the gate asks .*";
const GATED = "plan: green is gated after that: if it fails, the update fails, and blue stays live";
const OTHER_SETTINGS = [
  "plan: blue \\(live\\): a new container of the same image, with other settings",
  "plan: green \\(idle\\): a new container of the same image, with other settings",
];
const NGINX = "plan: nginx: replaced by a new one, which takes over the open ports";
const REDIS = "plan: redis: replaced; it is away for some seconds, its data stays";

interface Case {
  what: string;
  config: Config;
  secrets?: { [key: string]: string };
  /** What of all that serves or holds data is replaced. */
  replaces: string[];
  plan: string[];
}

describe("F27: the plan says what Pulumi does", function () {
  this.timeout(300_000);
  const [redisImage, nginxImage] = [useTag("redis:8.0.6"), useTag("nginx:1.30.6")];
  const stack = useStack({ blue: { image: useDemo("1.0.0") }, green: { image: useDemo("1.1.0") } });
  before("first deploy", async () => {
    const { output } = await stack.up();
    assert.match(output, /plan: first release/);
    assert.doesNotMatch(output, /no new image/);
  });

  const cases: Case[] = [
    { what: "nothing", config: {}, replaces: [], plan: [NOTHING] },
    { what: "the drain", config: { drainSeconds: 3 }, replaces: [], plan: [NOTHING] },
    {
      what: "a flip",
      config: { activeColor: "green" },
      replaces: [],
      plan: ["plan: switch: blue -> green .*; blue keeps running"],
    },
    {
      what: "Redis' image",
      config: { redis: { image: redisImage } },
      replaces: ["redis"],
      plan: [REDIS, UNTOUCHED],
    },
    {
      what: "Redis' password",
      config: {},
      secrets: { "redis.password": "s3cr3t" },
      replaces: ["blue", "green", "redis"],
      plan: [...OTHER_SETTINGS, REDIS, STARTED, GATED],
    },
    {
      what: "Redis turned off",
      config: { redis: { enabled: false } },
      replaces: ["blue", "green"],
      plan: [
        ...OTHER_SETTINGS,
        "plan: redis: removed, since redis.enabled is not true; its volume stays, unless redis.deleteData was set before",
        STARTED,
        GATED,
      ],
    },
    {
      what: "the log's size",
      config: { logs: { maxSizeMb: 5 } },
      replaces: ["blue", "green", "proxy", "redis"],
      plan: [NGINX, ...OTHER_SETTINGS, REDIS, STARTED, GATED],
    },
    {
      what: "the log's size, with leave for downtime",
      config: { logs: { maxSizeMb: 5 }, allowDowntime: true },
      replaces: ["edge", "blue", "green", "proxy", "redis"],
      plan: [
        "plan: downtime: the edge is made anew, and nginx with it; the service is offline for some seconds",
        ...OTHER_SETTINGS,
        REDIS,
        STARTED,
        GATED,
      ],
    },
    {
      what: "nginx' image",
      config: { proxy: { image: nginxImage } },
      replaces: ["proxy"],
      plan: ["plan: nginx: nginx:1.30.6 -> \\S+; the new one takes over the open ports", UNTOUCHED],
    },
    {
      what: "the edge's image, which waits for the next downtime",
      config: { proxy: { edgeImage: nginxImage } },
      replaces: [],
      plan: [NOTHING],
    },
    {
      what: "the edge's image, with leave for downtime",
      config: { proxy: { edgeImage: nginxImage }, allowDowntime: true },
      replaces: ["edge", "proxy"],
      plan: [
        "plan: downtime: the edge is made anew, and nginx with it; the service is offline for some seconds",
        UNTOUCHED,
      ],
    },
    {
      what: "a port, without leave for downtime",
      config: { proxy: { previewPort: 1 } },
      replaces: ["edge", "proxy"],
      plan: ["plan: downtime: .*; REFUSED by the update unless allowDowntime is true", UNTOUCHED],
    },
    {
      what: "a setting of the site",
      config: { proxy: { maxBodySize: "20m" } },
      replaces: [],
      plan: [`${UNTOUCHED}; ${GATE}, then nginx reads its configuration anew`],
    },
    {
      what: "the health path",
      config: { health: { path: "/healthz" } },
      replaces: [],
      plan: [`${UNTOUCHED}; ${GATE}, then nginx reads its configuration anew`],
    },
    {
      what: "env of both",
      config: { env: { A: "b" } },
      replaces: ["blue", "green"],
      plan: [...OTHER_SETTINGS, STARTED, GATED],
    },
    {
      what: "env of the idle color",
      config: { green: { env: { A: "b" } } },
      replaces: ["green"],
      plan: [OTHER_SETTINGS[1], `plan: blue stays live and is not touched; ${GATE}`],
    },
    {
      what: "volumes",
      config: { volumes: [{ hostPath: "/srv", containerPath: "/srv", readOnly: true }] },
      replaces: ["blue", "green"],
      plan: [...OTHER_SETTINGS, STARTED, GATED],
    },
  ];
  for (const { what, config, secrets = {}, replaces, plan } of cases) {
    it(`of a change of ${what}`, async () => {
      const putBack = stack.keepConfig();
      try {
        await stack.set(config);
        for (const [key, value] of Object.entries(secrets)) await stack.setSecret(key, value);
        const run = await stack.preview();
        assert.deepEqual(replaced(run), [...replaces].sort(), run.output);
        saysExactly(run, plan);
      } finally {
        putBack();
      }
    });
  }

  it("of an update, too", async () => {
    await stack.set({ redis: { image: redisImage } });
    const run = await stack.up();
    assert.deepEqual(replaced(run), ["redis"]);
    saysExactly(run, [REDIS, UNTOUCHED]);
    const second = await stack.up();
    saysExactly(second, [NOTHING]);
  });

  it("of what is gone from the host", async () => {
    const { Id } = await stack.container("redis");
    await docker("rm", "--force", Id);
    const run = await stack.up("--refresh");
    assert.equal(run.changes.redis, "create");
    saysExactly(run, [REDIS, UNTOUCHED]);
  });
});

const replaced = ({ changes }: Run): string[] =>
  Object.entries(changes)
    .filter(([name, op]) => SERVING.includes(name) && op === "replace")
    .map(([name]) => name)
    .sort();

/** The lines of the plan, as Pulumi sums them up at the end. */
function saysExactly({ output }: Run, plan: string[]): void {
  const lines = [...new Set(output.match(/plan: .*/g))];
  assert.equal(lines.length, plan.length, output);
  for (const [i, line] of lines.entries()) assert.match(line, new RegExp(`^${plan[i]}$`), output);
}
