import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker } from "../support/docker";
import { useImages, useTag } from "../support/images";
import { useStack } from "../support/stack";

const REDIS = "redis:8.0.6";
const REPOSITORY = `bluegreen-test-redis-${randomBytes(4).toString("hex")}`;

describe("faults from the field: another image for Redis", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok" });
  const next = useTag(REDIS);
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.one },
    redis: { enabled: true },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-redis-"));
  let redis: string;

  before(async () => {
    await stack.up();
    redis = (await stack.container("redis")).Id;
    await docker("exec", redis, "redis-cli", "MSET", "greeting", "hello", "other", "1");
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    for (const tag of ["older", "empty"])
      await docker("image", "rm", `${REPOSITORY}:${tag}`).catch(() => undefined);
  });

  async function build(tag: string, ...lines: string[]): Promise<string> {
    writeFileSync(path.join(folder, "Dockerfile"), [`FROM ${REDIS}`, ...lines].join("\n"));
    await docker("build", "--quiet", "--tag", `${REPOSITORY}:${tag}`, folder);
    return `${REPOSITORY}:${tag}`;
  }

  /** `up` fails with these words, and Redis is the very container that it was, with its data. */
  async function isRefused(redisImage: string, ...words: RegExp[]): Promise<void> {
    const before = (await stack.container("redis")).State.StartedAt;
    await stack.set({ redis: { image: redisImage } });
    const { output, changes } = await stack.upFails();
    for (const each of [...words, /Redis was not touched/, /What to do next: set redis\.image/])
      assert.match(output, each);
    assert.equal(changes.redis, undefined);
    const { Id, State } = await stack.container("redis");
    assert.deepEqual([Id, State.StartedAt], [redis, before]);
    assert.equal(await docker("exec", redis, "redis-cli", "GET", "greeting"), "hello");
    assert.deepEqual(
      (await stack.leftovers()).volumes.filter((name) => name.endsWith("-check")),
      [],
    );

    await stack.unset("redis.image");
    await stack.up();
    assert.equal((await stack.container("redis")).Id, redis);
  }

  it("F19: one that can't read the data is refused before Redis is touched", async function () {
    if (!downloadOlderRedis(folder)) return this.skip();
    const older = await build("older", "COPY redis-check-rdb /usr/bin/redis-check-rdb");
    await isRefused(
      older,
      /error: redis\.image: \S+:older can't take over the data of Redis: it does not start with a copy of them/,
      /Can't handle RDB format version/,
    );
  });

  it("F19: so is one that does not look for the data, and would start empty", async () => {
    // As Redis 6 does with the files of Redis 7.
    const empty = await build(
      "empty",
      String.raw`RUN mv /usr/bin/redis-server /usr/bin/redis-server.real && printf '#!/bin/sh\nexec /usr/bin/redis-server.real "$@" --appenddirname elsewhere\n' >/usr/bin/redis-server && chmod +x /usr/bin/redis-server`,
    );
    await isRefused(empty, /it starts without them: of 2 keys it finds none/);
  });

  it("F19: one that can is taken, also with a first password, and 'up' waits until it answers", async () => {
    await stack.set({ redis: { image: next } });
    await stack.setSecret("redis.password", PASSWORD);
    const { output, changes } = await stack.up();
    assert.equal(changes.redis, "replace");
    assert.match(output, /==> \S+ has read 2 keys/);
    const { Id } = await stack.container("redis");
    const greeting = () =>
      docker("exec", "--env", `REDISCLI_AUTH=${PASSWORD}`, Id, "redis-cli", "GET", "greeting");
    assert.equal(await greeting(), "hello");
    await stack.expectNoChange();

    // From a password to the next, with signs that shells and Redis' configuration have meanings for.
    await stack.setSecret("redis.password", `${PASSWORD}2`);
    const again = await stack.up();
    assert.match(again.output, /==> \S+ has read 2 keys/);
    assert.ok(!(output + again.output).includes("planted"));
    assert.ok(!(await stack.export()).includes("planted"));
  });
});

describe("a volume of another Redis, which has a snapshot alone", () => {
  const images = useImages({ one: "ok" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.one },
    redis: { enabled: true },
  });
  const volume = () => `${stack.project}-it-service-redis-data`;
  const helper = `bgtest-${randomBytes(4).toString("hex")}`;
  after(() => docker("rm", "--force", helper));

  it("is refused, since Redis would begin empty; the given commands make it one that is taken", async () => {
    const from = [
      "--detach",
      "--name",
      helper,
      "--volume",
      `${volume()}:/data`,
      REDIS,
      "redis-server",
      "--dir",
      "/data",
    ];
    await docker("run", ...from);
    await docker(
      "exec",
      helper,
      "sh",
      "-c",
      "until redis-cli PING; do sleep 0.1; done; redis-cli SET a 1; redis-cli SAVE",
    );
    await docker("rm", "--force", helper);
    const { output } = await stack.upFails();
    assert.match(output, /has a snapshot of Redis \(dump\.rdb\) and no append-only file/);
    const commands = [...output.matchAll(/ {2}docker ((?:run|exec|rm) .*)$/gm)].map(([, words]) =>
      words.replace(/ #.*/, "").replaceAll("to-append-only", helper).trim().split(" "),
    );
    for (const words of new Map(commands.map((words) => [words.join(" "), words])).values()) {
      await docker(...words);
      // As the comment beside the third one says.
      await docker(
        "exec",
        helper,
        "sh",
        "-c",
        "until redis-cli INFO persistence | grep -q aof_rewrite_in_progress:0; do sleep 0.1; done",
      ).catch(() => "");
    }
    await stack.up();
    const { Id } = await stack.container("redis");
    assert.equal(await docker("exec", Id, "redis-cli", "GET", "a"), "1");
  });
});

const PASSWORD = String.raw`planted "\$(x)' \\ %s`;

/** Redis 7.0 of Debian 12, which can't read what Redis 8 writes; its one binary runs on the libraries of the image. */
function downloadOlderRedis(folder: string): boolean {
  try {
    execFileSync("apt-get", ["download", "-q", "redis-tools"], { cwd: folder, stdio: "pipe" });
    const file = readdirSync(folder).find((name) => /^redis-tools_.*7\.0\..*\.deb$/.test(name));
    if (file === undefined) return false;
    execFileSync(
      "sh",
      ["-c", `dpkg --fsys-tarfile "$1" | tar -xO ./usr/bin/redis-check-rdb >redis-check-rdb`, "-", file],
      {
        cwd: folder,
        stdio: "pipe",
      },
    );
    execFileSync("chmod", ["755", path.join(folder, "redis-check-rdb")]);
    return true;
  } catch {
    return false;
  }
}
