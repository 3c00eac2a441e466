import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { useTag } from "../support/images";
import { until } from "../support/running";
import { useStack, type TestStack } from "../support/stack";

const ROOT = path.resolve(__dirname, "../..");
const HEALTH = { jsonField: "status", jsonValue: "UP", gateTimeoutSeconds: 10 };

describe("the shared Redis", () => {
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const [release, liveRelease] = [useTag(one), useTag(one)];
  const stack = useStack({
    blue: { image: one },
    green: { image: two },
    health: HEALTH,
    redis: { enabled: true },
  });
  let redis: string;
  let count = 0;

  before(async () => {
    await stack.up();
    redis = (await stack.container("redis")).Id;
  });

  /** The colors' common counter goes on, and Redis is the very container that it was. */
  async function isKept(): Promise<void> {
    assert.equal((await stack.container("redis")).Id, redis);
    const { counter } = JSON.parse((await stack.live()).body) as { counter: number };
    count += 1;
    assert.equal(counter, count);
  }

  it("serves both colors", async () => {
    await isKept();
    assert.match((await stack.idle("/health")).body, /"status":"UP"/);
  });

  it("is kept through a flip", async () => {
    await stack.set({ activeColor: "green" });
    await stack.up();
    await isKept();
  });

  it("is kept through a release of the idle color", async () => {
    await stack.set({ blue: { image: release } });
    await stack.up();
    await isKept();
  });

  it("is kept through a release of the live color", async () => {
    await stack.set({ green: { image: liveRelease } });
    await stack.up();
    await isKept();
  });

  it("is never published on the host", async () => {
    const { HostConfig } = await stack.container("redis");
    assert.deepEqual(HostConfig.PortBindings ?? {}, {});
    assert.equal(await docker("port", redis), "");
  });

  it("gets a password later: not in plain in the state or on the screen, and its data is kept", async () => {
    await stack.setSecret("redis.password", PASSWORD);
    const preview = await stack.preview("--diff");
    const update = await stack.up("--diff");
    redis = (await stack.container("redis")).Id;
    await isKept();
    hides("the preview", preview.output);
    hides("the update", update.output);
    hides("the state", await stack.export());
  });

  it("asks for that password", async () => {
    assert.match(await redisCli(stack, "PING"), /NOAUTH/);
    assert.equal(await redisCli(stack, "--no-auth-warning", "-a", PASSWORD, "PING"), "PONG");
  });

  it("keeps the password out of its command line and its environment", async () => {
    const { Path, Args, Config } = await stack.container("redis");
    hides("docker inspect", JSON.stringify([Path, Args, Config]));
    hides("the process list", await docker("top", redis, "-eo", "pid,args"));
  });

  it("with a password, too, a second up and a refresh show no change", () => stack.expectNoChange());

  it("a backup comes back by the commands of docs/how-to/backup-redis.md, as they stand", async () => {
    const page = readFileSync(path.join(ROOT, "docs/how-to/backup-redis.md"), "utf8");
    const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
    const [which, backUp, bringBack] = commands;
    const cwd = mkdtempSync(path.join(tmpdir(), "bluegreen-backup-"));
    const follow = (block: string) =>
      execFileSync("sh", ["-euc", which.replace("shop/prod", `${stack.project}/${stack.name}`) + block], {
        cwd,
        env: { ...process.env, REDISCLI_AUTH: PASSWORD },
        stdio: "pipe",
      });
    try {
      follow(backUp);
      await stack.live();
      follow(bringBack);
      await until(
        () => "the app is connected to Redis again",
        async () => (await stack.live("/health")).status === 200,
      );
      // What was counted after the backup is gone.
      await isKept();
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });
});

// A password of signs that a shell, redis.conf and JSON each treat in a way of their own.
const SECRET_PART = "hunter2-unmistakable";
const PASSWORD = `it's "${SECRET_PART}" \\ $HOME #1`;

function hides(where: string, text: string): void {
  assert.ok(!text.includes(SECRET_PART), `the password stands in ${where}`);
}

async function redisCli(stack: TestStack, ...args: string[]): Promise<string> {
  return docker("exec", (await stack.container("redis")).Id, "redis-cli", ...args);
}

describe("destroy", () => {
  const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const stack = useStack({
    blue: { image: one },
    green: { image: two },
    health: HEALTH,
    redis: { enabled: true },
  });
  const counted = async () => (JSON.parse((await stack.live()).body) as { counter: number }).counter;

  it("leaves nothing behind but the data of Redis", async () => {
    await stack.up();
    assert.equal(await counted(), 1);
    const volumes = await volumesOf(stack);
    await stack.destroy();
    const { containers, networks, volumes: left } = await stack.leftovers();
    assert.deepEqual({ containers, networks }, { containers: [], networks: [] });
    assert.deepEqual(left, [`${stack.project}-${stack.name}-service-redis-data`]);
    assert.deepEqual(await existing(volumes), left, "volumes, also those without a label");
  });

  it("the next up finds that data again", async () => {
    await stack.up();
    assert.equal(await counted(), 2);
  });

  it("with redis.deleteData it takes the data along", async () => {
    await stack.set({ redis: { deleteData: true } });
    await stack.up();
    const volumes = await volumesOf(stack);
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], networks: [], volumes: [] });
    assert.deepEqual(await existing(volumes), []);
  });
});

/** Every volume that a container of the stack mounts. */
async function volumesOf(stack: TestStack): Promise<string[]> {
  const { containers } = await stack.leftovers();
  const mounts = await docker(
    "container",
    "inspect",
    "--format",
    '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}',
    ...containers,
  );
  return [...new Set(mounts.split(/\s+/).filter(Boolean))];
}

async function existing(volumes: string[]): Promise<string[]> {
  const all = (await docker("volume", "ls", "--quiet")).split("\n");
  return volumes.filter((volume) => all.includes(volume));
}
