import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import path from "node:path";
import { TestCa } from "../support/certificates";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { ExampleStack } from "../support/example";
import { get } from "../support/http";
import { secureGet } from "../support/https";
import { losesNothing } from "../support/load";
import { npmInstall, packed, putFormerPackage } from "../support/package";
import { freePorts } from "../support/ports";
import { use, whoAnswered, type Role } from "../support/stack";

/** The version before this one. */
const FORMER = "0.1.0";
const NAME = "shop.test";

// As docs/how-to/upgrade-package.md says it. TLS and a Redis are there, since what can go wrong with them is most.
describe(`a stack that version ${FORMER} has made`, function () {
  this.timeout(400_000);
  const [first, second] = [useDemo("1.0.0"), useDemo("1.1.0")];
  const ca = new TestCa();
  after(() => ca.remove());
  const { certificate, privateKey } = ca.issue([NAME]);
  const stack = use(
    new ExampleStack(
      "single",
      {
        blue: { image: first },
        green: { image: second },
        redis: { enabled: true, deleteData: true },
        health: { intervalSeconds: 0.2, gateTimeoutSeconds: 12 },
        ...{ drainSeconds: 2, stopGraceSeconds: 2 },
      },
      {
        install: async (folder) => {
          rmSync(path.join(folder, "package.json"));
          await npmInstall(folder, putFormerPackage(FORMER, folder));
        },
      },
    ),
  );
  let port = 0;
  before(async () => {
    [port] = await freePorts(1);
    await stack.set({ tls: { names: [NAME], port, certificate } });
    await stack.setSecret("tls.privateKey", privateKey);
  });

  const underLoad = (change: () => Promise<unknown>) =>
    losesNothing(port, change, { tls: { ca: ca.certificate, name: NAME } });
  const serving = async () => ({
    live: whoAnswered(await secureGet(port, NAME, "/", ca.certificate)),
    idle: whoAnswered(await stack.idle()),
  });
  const redirectsTo = async () => (await get(`${stack.url}/a`, 10_000, NAME)).headers.location;
  const all = async () => {
    const roles: Role[] = ["edge", "proxy", "blue", "green", "redis"];
    const ids = await Promise.all(
      roles.map(async (role) => [role, (await stack.container(role)).Id] as const),
    );
    return Object.fromEntries(ids) as { [R in Role]: string };
  };

  let former: Awaited<ReturnType<typeof all>>;

  it("serves", async () => {
    await stack.up();
    assert.deepEqual(await serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
  });

  it("serves on when an update to this version fails its gate", async () => {
    const file = await packed();
    copyFileSync(file, path.join(stack.folder, path.basename(file)));
    await npmInstall(stack.folder, `./${path.basename(file)}`);
    former = await all();
    const restore = stack.keepConfig();
    await stack.set({ command: ["node", "-e", "setInterval(() => {}, 1000)"] });
    await underLoad(() => stack.upFails());
    restore();
  });

  it("is updated without a lost request", async () => {
    await underLoad(async () => {
      const { output } = await stack.up();
      assert.match(output, /plan: blue \(live\): a new container of the same image/);
    });
    assert.deepEqual(await serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
    const now = await all();
    const isNew = (role: Role) => former[role] !== now[role];
    assert.deepEqual((Object.keys(now) as Role[]).filter(isNew), ["proxy", "blue", "green"]);
  });

  it("is in order then: a second up and a refresh change nothing", async () => {
    await stack.expectNoChange();
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 0, output);
    const { output: ofHost } = await stack.bluegreen("status", "--host");
    const [, block] = ofHost.split(`ingress ${stack.project}-dev-shop: `);
    assert.match(block, new RegExp(`^served by nginx\n.*\n {4}url: +https://${NAME}:${port}\n`));
  });

  it("keeps its edge, which stands in for the new nginx", async () => {
    const { proxy } = await all();
    await underLoad(() => docker("stop", proxy));
    assert.equal(await redirectsTo(), `https://${NAME}:${port}/a`);
    await underLoad(() => docker("start", proxy));
    assert.equal(await redirectsTo(), `https://${NAME}:${port}/a`);
  });

  it("flips without a lost request", async () => {
    await stack.set({ activeColor: "green" });
    await underLoad(() => stack.up());
    assert.deepEqual(await serving(), { live: "green 1.1.0", idle: "blue 1.0.0" });
  });

  it("is destroyed, and nothing is left", async () => {
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
  });
});
