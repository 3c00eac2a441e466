import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { WebSocket } from "ws";
import { Caddy } from "../support/caddy";
import { TestCa } from "../support/certificates";
import { useDemo } from "../support/demo";
import { docker } from "../support/docker";
import { EXAMPLES, ExampleStack, type Options } from "../support/example";
import { get, type Answer } from "../support/http";
import { secureGet } from "../support/https";
import { useImages } from "../support/images";
import { Load, nothingLost } from "../support/load";
import { freePorts } from "../support/ports";
import { until } from "../support/running";
import { use, whoAnswered, type Config } from "../support/stack";

// Five systems of other people, rebuilt in examples/sources/, each as it stands: first release, deploy, rollback and a failed deploy
// under one load. Their defects are in tests/integration/sources.test.ts.
describe("examples/sources", () => {
  const images = useImages({ one: "ok", two: "ok", broken: "wrong-status", nested: "nested-up" });
  const demo = [useDemo("1.0.0"), useDemo("1.1.0")];

  describe("S0: an API over SSH", () => {
    const stack = source("s0-api-over-ssh", images.one, appHealth("/api/health"), { overSsh: true });
    const load = useLoad(() => ({ port: stack.port, requests: requestsOf("/api/users") }));
    const who = async () => whoAnswered(await stack.live("/api/users"));
    const stateOf = async (color: "blue" | "green") => (await stack.container(color)).State;

    it("first release: /api, and nothing else; the idle color is stopped", async () => {
      await stack.up();
      assert.equal(await who(), "blue one");
      for (const other of ["/", "/apis"]) assert.equal((await stack.live(other)).status, 404);
      assert.equal((await stateOf("green")).Running, false);
      const { env } = told(await stack.live("/api/users"));
      assert.equal(env.TZ, "Asia/Seoul");
    });

    it("deploy: the old color is stopped and kept", async () => {
      await load.start();
      await deploy(stack, "green", images.two);
      assert.equal(await who(), "green two");
      assert.equal((await stateOf("blue")).Running, false);
    });

    it("rollback: the kept one is started, gated and serves", async () => {
      const { Id } = await stack.container("blue");
      await flip(stack, "blue");
      assert.equal(await who(), "blue one");
      assert.equal((await stack.container("blue")).Id, Id);
    });

    it("a failed deploy leaves the live color serving, and its container does not run", async () => {
      await deployFails(stack, "green", images.broken);
      assert.equal(await who(), "blue one");
    });

    it("none of it lost a request", () => load.lostNothing());
  });

  describe("S1: two Spring profiles", () => {
    const stack = source("s1-spring-profiles", images.one, appHealth("/actuator/health"));
    const load = useLoad(() => ({ port: stack.port, requests: requestsOf("/profile") }));
    /** What /profile tells, here as the fixture app tells it. */
    const profile = async () => {
      const { version, env } = told(await stack.live("/profile"));
      return `${env.SPRING_PROFILES_ACTIVE} on ${env.PORT}, ${version}`;
    };

    it("first release: each color has its profile and port", async () => {
      await stack.up();
      assert.equal(await profile(), "set1 on 8081, one");
    });

    it("deploy", async () => {
      await load.start();
      await deploy(stack, "green", images.two);
      assert.equal(await profile(), "set2 on 8082, two");
    });

    it("rollback: pointing back", async () => {
      await flip(stack, "blue");
      assert.equal(await profile(), "set1 on 8081, one");
    });

    it("a failed deploy, of which grep would have found an UP, leaves the live color serving", async () => {
      const { output } = await deployFails(stack, "green", images.nested);
      assert.match(output, /"status":"DOWN".*"status":"UP"/);
      assert.equal(await profile(), "set1 on 8081, one");
    });

    it("none of it lost a request", () => load.lostNothing());
  });

  describe("S2: certificates on an EC2 instance", () => {
    const name = "shop.example.com";
    const ca = new TestCa();
    const letsEncrypt = mkdtempSync(path.join(tmpdir(), "bluegreen-letsencrypt-"));
    const stack = source("s2-ec2-with-certificates", images.one, {}, { overSsh: true });
    let port = 0;
    const logs = () => `${stack.project}-logs`;
    before(async () => {
      putLikeCertbot(letsEncrypt, name, ca);
      [port] = await freePorts(1);
      const live = path.join(letsEncrypt, "live", name);
      await stack.set({
        tls: {
          ...{ port, certificateFolder: letsEncrypt },
          ...{ certificateFile: `${live}/fullchain.pem`, privateKeyFile: `${live}/privkey.pem` },
        },
        volumes: [{ volumeName: logs() }],
      });
    });
    after(async () => {
      await docker("volume", "rm", "--force", logs());
      rmSync(letsEncrypt, { recursive: true });
      ca.remove();
    });
    const load = useLoad(() => ({ port, tls: { ca: ca.certificate, name }, requests: requestsOf("/") }));
    const who = async () => whoAnswered(await secureGet(port, name, "/", ca.certificate));

    it("first release: HTTPS with the files of certbot, and 80 leads there", async () => {
      await stack.up();
      assert.equal(await who(), "blue one");
      const { status, headers } = await get(`${stack.url}/cart`, undefined, name);
      assert.deepEqual([status, headers.location], [308, `https://${name}:${port}/cart`]);
    });

    it("deploy", async () => {
      await load.start();
      await deploy(stack, "green", images.two);
      assert.equal(await who(), "green two");
    });

    it("rollback", async () => {
      await flip(stack, "blue");
      assert.equal(await who(), "blue one");
    });

    it("a failed deploy exits with an error and leaves the live color serving", async () => {
      await deployFails(stack, "green", images.broken);
      assert.equal(await who(), "blue one");
    });

    it("none of it lost a request", () => load.lostNothing());
  });

  describe("S3: Caddy in front, and a Redis", () => {
    const name = "shop.example.com";
    const caddy = new Caddy();
    // The first version is the app that tells what it gets; the next one has WebSockets.
    const stack = source("s3-caddy-and-redis", images.one);
    after(() => caddy.stop());
    const load = useLoad(() => ({
      ...{ port: caddy.port, host: name, tls: { ca: caddy.ca, name } },
      requests: [...requestsOf("/"), { method: "POST", path: "/messages", body: '{"text":"load"}' }],
    }));
    const ask = () => secureGet(caddy.port, name, "/", caddy.ca);
    const who = async () => whoAnswered(await ask());
    let redis: string;
    const redisNow = async () => {
      const { Id, State } = await stack.container("redis");
      return `${Id} since ${State.StartedAt}`;
    };

    it("first release: what Caddy says of the client gets to the app, and so do Redis and .env", async () => {
      await stack.up();
      await caddy.start(path.join(EXAMPLES, "sources/s3-caddy-and-redis/Caddyfile"), stack.port);
      const { headers, env } = told(await ask());
      assert.equal(headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(headers["x-real-ip"], "127.0.0.1");
      assert.equal(headers["x-forwarded-proto"], "https");
      assert.equal(headers["x-forwarded-host"], `${name}:${caddy.port}`);
      assert.equal(env.REDIS_HOST, (await stack.container("redis")).Name.slice(1));
      assert.equal(env.REDIS_PORT, "6379");
      assert.equal(env.SESSION_NAME, "shop session");
      redis = await redisNow();
    });

    it("deploy", async () => {
      await load.start();
      await deploy(stack, "green", demo[0]);
      assert.equal(await who(), "green 1.0.0");
    });

    it("rollback: a WebSocket through Caddy is not cut", async () => {
      const options = { ca: caddy.ca, servername: name, headers: { host: name } };
      const socket = new WebSocket(`wss://127.0.0.1:${caddy.port}/ws`, options);
      await once(socket, "message");
      await flip(stack, "blue");
      assert.equal(await who(), "blue one");
      socket.send("still there");
      const [echo] = (await once(socket, "message")) as [Buffer];
      assert.match(String(echo), /"color":"green".*"echo":"still there"/);
      socket.terminate();
    });

    it("a failed deploy leaves the live color serving, and Redis runs on through all of it", async () => {
      await deployFails(stack, "green", images.broken);
      assert.equal(await who(), "blue one");
      assert.equal(await redisNow(), redis);
    });

    it("none of it lost a request", () => load.lostNothing());
  });

  describe("S4: a queue for each color, and green to test", () => {
    const network = `bluegreen-test-backend-${randomBytes(4).toString("hex")}`;
    const redis = `${network}-redis`;
    before(async () => {
      await docker("network", "create", network);
      const flags = ["--detach", "--name", redis, "--network", network, "--network-alias", "redis"];
      await docker("run", ...flags, "redis:8.0.6", "redis-server", "--protected-mode", "no");
    });
    const stack = source("s4-queue-per-color", demo[0], { network: { name: network } });
    after(async () => {
      await docker("rm", "--force", "--volumes", redis);
      await docker("network", "rm", network);
    });
    const load = useLoad(() => ({ port: stack.port }));
    const messages = async (url: string) => {
      const { group, processed, pending } = JSON.parse((await get(`${url}/messages`)).body) as Messages;
      return { group, processed, pending };
    };
    const send = async (url: string) => {
      const { status } = await fetch(`${url}/messages`, { method: "POST", body: '{"text":"test"}' });
      assert.equal(status, 202);
    };

    it("first release: a message to green, which is being tested, is none of blue's", async () => {
      await stack.up();
      await send(stack.previewUrl);
      await until(
        () => "green has processed the message",
        async () => (await messages(stack.previewUrl)).processed === 1,
      );
      const ofBlue = await messages(stack.url);
      assert.deepEqual(ofBlue, { group: "shop-blue", processed: 0, pending: 0 });
    });

    it("deploy: what was tested goes live, with its own group", async () => {
      await load.start();
      await deploy(stack, "green", demo[1]);
      assert.deepEqual(await stack.serving(), { live: "green 1.1.0", idle: "blue 1.0.0" });
      assert.equal((await messages(stack.url)).group, "shop-green");
    });

    it("rollback", async () => {
      await flip(stack, "blue");
      assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
    });

    it("a failed deploy leaves the live color serving, and the tested one where it was", async () => {
      await deployFails(stack, "green", images.broken);
      assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
    });

    it("none of it lost a request", () => load.lostNothing());

    it("the network stays, with what else is on it", async () => {
      await stack.destroy();
      const names = "{{range .Containers}}{{.Name}}{{end}}";
      assert.equal(await docker("network", "inspect", "--format", names, network), redis);
    });
  });
});

interface Messages {
  group: string;
  processed: number;
  pending: number;
}

/** A stack of a source, with short times: gate and drain are what it waits for. */
function source(folder: string, image: string, config: Config = {}, options: Options = {}): ExampleStack {
  const { health = {}, ...more } = config;
  const quick: Config = {
    health: { intervalSeconds: 0.2, timeoutSeconds: 2, gateTimeoutSeconds: 8, ...(health as Config) },
    ...{ drainSeconds: 1, stopGraceSeconds: 1 },
  };
  const both = { blue: { image }, green: { image } };
  return use(
    new ExampleStack(`sources/${folder}`, { ...both, ...quick, ...more }, { name: "prod", ...options }),
  );
}

/** Where the fixture app has its health; the example says so itself. */
function appHealth(HEALTH_PATH: string): Config {
  return { env: { HEALTH_PATH } };
}

type Color = "blue" | "green";

async function deploy(stack: ExampleStack, color: Color, image: string): Promise<void> {
  await stack.set({ [color]: { image }, activeColor: color });
  await stack.up();
}

async function flip(stack: ExampleStack, color: Color): Promise<void> {
  await stack.set({ activeColor: color });
  await stack.up();
}

async function deployFails(stack: ExampleStack, color: Color, image: string) {
  await stack.set({ [color]: { image }, activeColor: color });
  const run = await stack.upFails();
  assert.match(run.output, new RegExp(`error: ${color} did not pass its health gate`));
  return run;
}

const requestsOf = (place: string) => [{ method: "GET" as const, path: place }];

/** What the fixture app says of the request that it got, and of itself. */
function told({ status, body }: Answer) {
  assert.equal(status, 200, body);
  return JSON.parse(body) as {
    version: string;
    headers: { [name: string]: string };
    env: { [name: string]: string };
  };
}

/** One load for the tests of a `describe`, from the one that starts it on. Light: what it shows is that nothing fails. */
function useLoad(options: () => ConstructorParameters<typeof Load>[0]) {
  let load: Load | undefined;
  after(() => load?.stop());
  return {
    async start(): Promise<void> {
      load = await Load.start({ pauseMs: 400, maxSeconds: 280, ...options() });
    },
    async lostNothing(): Promise<void> {
      assert.ok(load);
      await load.more();
      await load.stop();
      nothingLost(load);
    },
  };
}

/** As certbot keeps a certificate: what is in live/ links to archive/. */
function putLikeCertbot(folder: string, name: string, ca: TestCa): void {
  const { certificate, privateKey } = ca.issue([name]);
  const [live, archive] = ["live", "archive"].map((part) => path.join(folder, part, name));
  for (const one of [live, archive]) mkdirSync(one, { recursive: true });
  for (const [file, text] of Object.entries({ fullchain: certificate, privkey: privateKey })) {
    writeFileSync(path.join(archive, `${file}1.pem`), text, { mode: 0o600 });
    symlinkSync(`../../archive/${name}/${file}1.pem`, path.join(live, `${file}.pem`));
  }
}
