import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { useBrowser } from "../support/browser";
import { TestCa } from "../support/certificates";
import { useService } from "../support/demo";
import { ExampleStack } from "../support/example";
import { get } from "../support/http";
import { secureGet } from "../support/https";
import { Running, until } from "../support/running";
import { use, whoAnswered } from "../support/stack";
import { freePorts } from "../support/ports";
import { gatewayOf, losesNothing } from "./services";

const NAME = "shop.test";

describe("Django under gunicorn: SECURE_SSL_REDIRECT behind TLS of this nginx", () => {
  const [first, second] = [useService("django", "1.0.0"), useService("django", "1.1.0")];
  const stack = use(
    new ExampleStack(
      "single",
      { blue: { image: first }, green: { image: first } },
      { name: "prod", settings: path.join(__dirname, "django/Pulumi.prod.yaml") },
    ),
  );
  const ca = new TestCa();
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-certificate-"));
  after(() => {
    ca.remove();
    rmSync(folder, { recursive: true });
  });
  const browser = useBrowser(NAME);
  let port = 0;
  const url = () => `https://${NAME}:${port}`;
  const ask = (path = "/") => secureGet(port, NAME, path, ca.certificate);
  const serving = async () => ({
    live: whoAnswered(await ask()),
    idle: whoAnswered(await get(stack.previewUrl, 10_000, NAME)),
  });
  const lost = () =>
    losesNothing(port, () => stack.up(), {
      tls: { ca: ca.certificate, name: NAME },
      host: `${NAME}:${port}`,
    });
  let visitor: Awaited<ReturnType<typeof browser.open>>;
  const me = async () => {
    await visitor.page.goto(`${url()}/me`);
    return visitor.page.textContent("#me");
  };

  before("files as certbot writes them, and the app's secret", async () => {
    const { certificate, privateKey } = ca.issue([NAME]);
    const files = { certificateFile: "fullchain.pem", privateKeyFile: "privkey.pem" };
    writeFileSync(path.join(folder, files.certificateFile), certificate);
    writeFileSync(path.join(folder, files.privateKeyFile), privateKey, { mode: 0o600 });
    [port] = await freePorts(1);
    const { certificateFile, privateKeyFile } = files;
    await stack.set({
      tls: {
        port,
        certificateFile: path.join(folder, certificateFile),
        privateKeyFile: path.join(folder, privateKeyFile),
      },
    });
    await stack.setSecret("env.SECRET_KEY", "not to be known by anybody, and long enough for Django");
  });

  it("up: the gate passes as it is, and no request is sent on in a circle", async () => {
    await stack.up();
    assert.deepEqual(await serving(), { live: "blue 1.0.0", idle: "green 1.0.0" });
    const { status, headers } = await get(`${stack.url}/me?a=b`, 10_000, NAME);
    assert.deepEqual([status, headers.location], [308, `${url()}/me?a=b`]);
    await stack.expectNoChange();
  });

  it("the app knows the client's address and its own", async () => {
    const seen = JSON.parse((await ask("/seen")).body) as { client: string; url: string };
    assert.deepEqual(seen, { client: await gatewayOf(stack), url: `${url()}/seen` });
  });

  it("a user signs in: Django takes the form's origin for its own, and its cookies are for HTTPS alone", async () => {
    visitor = await browser.open(`${url()}/login`);
    await visitor.page.fill("[name=user]", "ada");
    await visitor.page.click("button");
    await visitor.page.waitForURL(`${url()}/me`);
    assert.equal(await me(), "ada in version 1.0.0");
    const cookies = await visitor.page.context().cookies();
    assert.deepEqual(cookies.map(({ name, secure }) => [name, secure]).sort(), [
      ["csrftoken", true],
      ["sessionid", true],
    ]);
  });

  it("a release to the idle color loses no request", async () => {
    await stack.set({ green: { image: second } });
    await lost();
    assert.deepEqual(await serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
  });

  it("a flip loses no request, and nobody has to sign in again", async () => {
    await stack.set({ activeColor: "green" });
    await lost();
    assert.equal(await me(), "ada in version 1.1.0");
  });

  it("nor does a rollback", async () => {
    await stack.set({ activeColor: "blue" });
    await lost();
    assert.equal(await me(), "ada in version 1.0.0");
  });

  it("nor does a release of what is live, whose former container ends by SIGTERM", async () => {
    await stack.set({ blue: { image: second } });
    const { Id } = await stack.container("blue");
    const log = new Running("docker", ["logs", "--follow", Id]).ended;
    await lost();
    assert.match((await log).output, /Shutting down: Master/);
    assert.equal(await me(), "ada in version 1.1.0");
    assert.deepEqual(visitor.faults, []);
  });

  it("workers: each job is done once, by the version that is live", async () => {
    await stack.set({
      workers: { jobs: { command: ["python", "manage.py", "work"] } },
      green: { image: first },
    });
    await stack.up();
    const post = async () => JSON.parse((await ask("/jobs")).body) as { job: string };
    const doneBy = async ({ job }: { job: string }) =>
      (JSON.parse((await ask(`/jobs/${job}`)).body) as { by: string[] }).by;
    const done = async (jobs: { job: string }[]) => {
      const all = async () => (await Promise.all(jobs.map(doneBy))).filter((by) => by.length > 0);
      await until(
        () => "all jobs are done",
        async () => (await all()).length === jobs.length,
      );
      return new Set(
        (await all()).flatMap((by) => (by.length === 1 ? by : [`${by.length} times: ${by.join(", ")}`])),
      );
    };
    assert.deepEqual(await done([await post()]), new Set(["blue 1.1.0"]));

    await stack.set({ activeColor: "green" });
    const meanwhile: { job: string }[] = [];
    let flipped = false;
    const flip = lost().finally(() => (flipped = true));
    while (!flipped) {
      meanwhile.push(await post());
      await sleep(200);
    }
    await flip;
    // While the former one finishes what it has, the queue waits; then the new one goes on.
    assert.deepEqual(await done(meanwhile), new Set(["blue 1.1.0", "green 1.0.0"]));
    assert.deepEqual(await done([await post()]), new Set(["green 1.0.0"]));
  });
});
