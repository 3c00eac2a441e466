import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BastionArgs, BlueGreenServiceArgs } from "../../components/index";

import { OF_PROXIES } from "../../components/nginx/headers";
import { findViolations } from "../../components/settings";
import { LEAST, RUNS, validArgs, settingsOf } from "./valid";

/** Arguments with one value set at a path such as "health.path". */
function withValue(path: string, value: unknown): BlueGreenServiceArgs {
  const args: { [key: string]: unknown } = { ...structuredClone(LEAST), redis: { enabled: true } };
  const keys = path.split(".");
  let at = args;
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as typeof at;
  at[keys.at(-1)!] = value;
  return args as unknown as BlueGreenServiceArgs;
}
const steps = (name: string) => (/^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);
const pathsOf = (args: BlueGreenServiceArgs) => findViolations(args).map((v) => v.propertyPath);

const DIGEST = `@sha256:${"0a".repeat(32)}`;
const images = {
  good: ["shop:1", "reg.example:5000/team/shop:1.4.2", `shop${DIGEST}`, `localhost:5000/shop:1${DIGEST}`],
  bad: [
    "",
    " ",
    undefined,
    null,
    7,
    "shop",
    "shop:latest",
    "reg.example:5000/shop",
    "Shop:1",
    "-shop:1",
    "shop:1; id",
    "shop:1\n",
    `shop@sha256:abc`,
  ],
};
const whole = { good: [1, 30, 3600], bad: [0, -1, 1.5, NaN, Infinity, "5", 1e21] };
const wholeOrZero = { good: [0, 1, 300], bad: [-1, 0.5, NaN, Infinity, "5", 1e21] };
// curl takes less than a millisecond for no limit at all.
const positive = { good: [0.1, 1, 2.5], bad: [0, -0.1, NaN, Infinity, "5", 0.0001] };
const port = { good: [1, 80, 8080, 65_535], bad: [0, -1, 65_536, 80.5, NaN, "80"] };
const address = {
  good: ["127.0.0.1", "0.0.0.0", "192.0.2.255"],
  bad: ["", "localhost", "256.0.0.1", "1.2.3", "1.2.3.4.5", "::1", "1.2.3.4 ", "1.2.3.4\n"],
};

/** One setting, its good and its bad values; an undefined good one is tried for every optional setting. */
const RULES: { [path: string]: { good: unknown[]; bad: unknown[] } } = {
  activeColor: { good: ["blue", "green"], bad: ["", "red", "Blue", undefined, null, 1] },
  "blue.image": images,
  "green.image": images,
  "redis.image": {
    good: images.good,
    bad: images.bad.filter((image) => image !== undefined && image !== null),
  },
  "tls.acmeImage": {
    good: images.good,
    bad: images.bad.filter((image) => image !== undefined && image !== null),
  },
  "proxy.image": {
    good: images.good,
    bad: images.bad.filter((image) => image !== undefined && image !== null),
  },
  "proxy.edgeImage": {
    good: images.good,
    bad: images.bad.filter((image) => image !== undefined && image !== null),
  },
  containerPort: port,
  memoryMb: wholeOrZero,
  "redis.memoryMb": { good: [16, 4096], bad: [15, ...whole.bad] },
  "proxy.memoryMb": { good: [0, 64, 4096], bad: [63, ...whole.bad.filter((value) => value !== 0)] },
  "container.readOnly": { good: [true, false], bad: ["true", 1] },
  "container.user": {
    good: ["app", "1000", "1000:1000", "a.b:c-d"],
    bad: ["", "a b", ":", "a:", "a:b:c", "a\n", 7],
  },
  "container.cpus": { good: [0.1, 1.5, 64], bad: [0, 0.05, 1.25, -1, NaN, "1"] },
  "container.cpuSet": { good: ["0", "0-1", "0,2"], bad: ["", "a", "0-", "-1", 0] },
  "container.shmSize": whole,
  "container.gpus": { good: ["all", "2", "device=0"], bad: ["", "0", "none", "device=0,1", "device="] },
  "container.workingDir": { good: ["/", "/srv/app"], bad: ["", "app", "/a:b"] },
  "container.cpuShares": { good: [2, 512, 262_144], bad: [0, 1, 262_145, 1.5, NaN, "512"] },
  "logs.maxSizeMb": whole,
  "logs.maxFiles": whole,
  stopGraceSeconds: whole,
  drainSeconds: wholeOrZero,
  lockWaitSeconds: wholeOrZero,
  keepImages: wholeOrZero,
  idle: { good: ["running", "stopped"], bad: ["", "off", "Running"] },
  restart: { good: ["unless-stopped", "on-failure", "always", "no"], bad: ["", "never", "on-failure:3"] },
  timeZone: { good: ["UTC", "Europe/Vienna", "Etc/GMT+3"], bad: ["", "Europe Vienna", "a;b", "UTC\n"] },
  "network.name": { good: ["backend", "a.b-c_d"], bad: ["", "-a", "a b", "a/b", "a\n"] },
  "health.path": {
    good: ["/", "/health", "/a/b?x=1&y=%20", "/~me/!*()+,=:@"],
    bad: ["", "health", "/a b", "/$host", "/a;b", "/{a}", '/"', "/'", "/a\nb", "/ä", "/#a", "/a\\b"],
  },
  "health.hostHeader": {
    good: ["localhost", "shop.example:8080"],
    bad: ["", "a b", 'a"b', "a;", "a\nb", "$host", "a:b"],
  },
  "health.kind": { good: ["http", "tcp", "image"], bad: ["", "HTTP", "none", 1] },
  "health.port": port,
  "health.headers": { good: [{}, { Cookie: pulumi.secret("a=1") }], bad: ["", [], 1] },
  "health.intervalSeconds": positive,
  "health.timeoutSeconds": positive,
  "health.gateTimeoutSeconds": { good: [5, 60, 600], bad: [0, -1, 59.5, NaN, "60", 4, 1] },
  "health.passes": { good: [1, 2, 10], bad: whole.bad },
  "health.status": { good: [100, 200, 418, 599], bad: [99, 600, 0, 200.5, NaN, "200"] },
  "health.bodyText": { good: ["UP", "'; rm -rf /", "a\nb", "ü$`\\"], bad: ["", "a\0b"] },
  "watch.seconds": { good: [0, 10, 3600], bad: [3601, -1, 1.5, NaN, "10"] },
  "proxy.streamTimeoutSeconds": whole,
  "proxy.spoolMb": wholeOrZero,
  "proxy.maxHeaderKb": { good: [4, 32, 512], bad: [0, 3, 513, 4.5, NaN, "32"] },
  "watch.tolerancePercent": { good: [0, 0.5, 100], bad: [-1, 100.1, NaN, "5"] },
  "proxy.port": port,
  "proxy.previewPort": { good: [1, 8082, 65_535], bad: port.bad },
  "proxy.bindAddress": address,
  "proxy.previewBindAddress": address,
  "proxy.maxBodySize": {
    good: ["0", "1", "512k", "20m", "1g", "1G"],
    bad: ["", "10mb", "-1", "1.5m", "1 m", "1;", "1m\n", "99999999999999999999g"],
  },
  "proxy.connectTimeoutSeconds": whole,
  "proxy.readTimeoutSeconds": whole,
  "proxy.sendTimeoutSeconds": whole,
  "proxy.upstreamKeepaliveSeconds": whole,
  "host.connectTries": whole,
  "host.connectTimeoutSeconds": whole,
  "host.address": {
    good: ["unix:///var/run/docker.sock", "tcp://192.0.2.1:2375", "tcp://[::1]:2375"],
    bad: [
      "",
      "localhost",
      "http://a",
      "ssh://",
      "ssh://a b",
      "unix://",
      "ssh://a;b",
      "ssh://a -oProxyCommand=x",
      "ssh://a@b/socket",
      "ssh://no-user.example",
    ],
  },
};

describe("findViolations", () => {
  it("N4 what a kind of gate does not ask is refused, and so is a command that is missing", () => {
    const given = (health: BlueGreenServiceArgs["health"]) =>
      findViolations({ ...LEAST, health }).map((v) => `${v.propertyPath} ${v.reason}`);
    const http = {
      path: "/up",
      port: 81,
      headers: { A: "b" },
      status: 200,
      bodyText: "a",
      jsonField: "a",
      jsonValue: "",
    };
    const times = {
      intervalSeconds: 2,
      timeoutSeconds: 2,
      gateTimeoutSeconds: 9,
      passes: 3,
      hostHeader: "a.example",
    };
    assert.deepEqual(given({ ...http, ...times, command: [] }), []);
    assert.deepEqual(given({ kind: "http", command: ["a"] }), [
      'health.command is for the kind "command", and health.kind is "http"',
    ]);
    assert.deepEqual(given({ kind: "tcp", port: 81, headers: {}, ...times }), []);
    assert.deepEqual(given({ kind: "image", ...times, port: 1 }), [
      'health.port is for the kind "http" or "tcp", and health.kind is "image"',
    ]);
    assert.deepEqual(given({ kind: "command", command: ["sh", "-c", "true && a", ""], ...times }), []);
    const paths = (health: BlueGreenServiceArgs["health"]) => pathsOf({ ...LEAST, health });
    const ofHttp = Object.keys(http).map((name) => `health.${name}`);
    assert.deepEqual(paths({ kind: "image", ...http }), ofHttp);
    assert.deepEqual(
      paths({ kind: "tcp", ...http }),
      ofHttp.filter((name) => name !== "health.port"),
    );
    for (const command of [undefined, [], [""]])
      assert.deepEqual(paths({ kind: "command", command }), ["health.command"]);
    assert.deepEqual(paths({ kind: "command", command: ["a", "b\0"] }), ["health.command[1]"]);
    assert.deepEqual(paths({ kind: "command", command: "pg_isready" as never }), ["health.command"]);
  });

  it("N4 health.headers: what a request can have, that nginx and curl don't set themselves; a value is never shown", () => {
    const given = (headers: { [name: string]: unknown }) =>
      findViolations({ ...LEAST, health: { headers: headers as { [name: string]: string } } });
    const good = {
      Authorization: "Basic dXNlcjpwYXNz",
      "X-Probe": `a "b" $c \\ ü`,
      Later: pulumi.secret("a\nb"),
    };
    assert.deepEqual(given(good), []);
    const names = [
      ...OF_PROXIES,
      "Host",
      "connection",
      "Content-Length",
      "User-Agent",
      "X-Real-IP",
      "X-Forwarded-For",
    ];
    for (const name of [...names, "", "A B", "api_key", "A:", "A\n"])
      assert.deepEqual(
        given({ [name]: "c" }).map((v) => v.propertyPath),
        [`health.headers${steps(name)}`],
      );
    for (const value of ["", "s3cr3t\nb", "s3cr3t\rb", "s3cr3t\0b", 1, "s3cr3t".repeat(2000)]) {
      const [{ propertyPath, reason }] = given({ "X-Probe": value });
      assert.equal(propertyPath, 'health.headers["X-Probe"]');
      assert.match(reason, /^must be one line/);
    }
  });

  it("has nothing against the least that is valid", () => {
    assert.deepEqual(findViolations(LEAST), []);
  });

  for (const [path, { good, bad }] of Object.entries(RULES)) {
    it(`${path}: good values pass, bad ones are refused there and nowhere else`, () => {
      for (const value of good) assert.deepEqual(pathsOf(withValue(path, value)), [], show(value));
      for (const value of bad) {
        const violations = findViolations(withValue(path, value));
        assert.deepEqual(
          violations.map((v) => v.propertyPath),
          [path],
          show(value),
        );
        assert.ok(violations[0].reason.length > 10, "a reason is a sentence");
      }
    });
  }

  it("optional settings may be undefined or null", () => {
    for (const path of Object.keys(RULES)) {
      if (["activeColor", "blue.image", "green.image"].includes(path)) continue;
      assert.deepEqual(pathsOf(withValue(path, undefined)), [], path);
    }
  });

  it("a color that is missing as a whole", () => {
    assert.deepEqual(pathsOf({ activeColor: "blue", blue: LEAST.blue } as BlueGreenServiceArgs), ["green"]);
    assert.deepEqual(pathsOf({ ...LEAST, blue: null as never }), ["blue"]);
    assert.deepEqual(pathsOf({} as BlueGreenServiceArgs), ["activeColor", "blue", "green"]);
  });

  it("N11: an image that is sent has no digest that a registry could tell", () => {
    assert.deepEqual(findViolations({ ...LEAST, sendImages: true }), []);
    assert.deepEqual(pathsOf({ ...LEAST, sendImages: true, pinImages: true }), ["sendImages"]);
  });

  it("a moving tag is told apart, and allowMovingTags gives leave", () => {
    const reasonOf = (image: string) => findViolations({ ...LEAST, green: { image } })[0].reason;
    assert.match(reasonOf("shop"), /has no tag: a tag that moves can't be rolled back.*allowMovingTags/);
    assert.match(reasonOf("shop:latest"), /has the tag "latest"/);
    assert.match(reasonOf("localhost:5000/shop"), /has no tag/, "a port is no tag");
    assert.deepEqual(
      findViolations({ ...LEAST, green: { image: "shop:latest" }, allowMovingTags: true }),
      [],
    );
    assert.deepEqual(pathsOf({ ...LEAST, green: { image: "no image" }, allowMovingTags: true }), [
      "green.image",
    ]);
  });

  it("an image that is only known during the update is not looked at", () => {
    assert.deepEqual(findViolations({ ...LEAST, blue: { image: pulumi.output("shop") } }), []);
    assert.deepEqual(findViolations({ ...LEAST, blue: { image: Promise.resolve("shop") } }), []);
  });

  it("env: names that are none, in any of the three places", () => {
    for (const key of ["", "1A", "A-B", "A B", "A=B", "Ä", "A\n", "$A"]) {
      const env = { [key]: "x" };
      const at = `env[${JSON.stringify(key)}]`;
      assert.deepEqual(pathsOf({ ...LEAST, env }), [at], key);
      assert.deepEqual(pathsOf({ ...LEAST, blue: { ...LEAST.blue, env } }), [`blue.${at}`]);
      assert.deepEqual(pathsOf({ ...LEAST, green: { ...LEAST.green, env } }), [`green.${at}`]);
    }
    assert.deepEqual(pathsOf({ ...LEAST, env: { A: "", _b1: "x", aB: "any $value\n" } }), []);
  });

  it("env: names that the component sets itself; Redis' only while there is one", () => {
    for (const key of ["COLOR", "PORT", "TZ", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"]) {
      const args = { ...LEAST, env: { [key]: "x" } };
      const withRedis = { ...args, redis: { enabled: true } };
      assert.deepEqual(pathsOf(withRedis), [`env.${key}`]);
      assert.deepEqual(pathsOf(args), key.startsWith("REDIS") ? [] : [`env.${key}`]);
    }
  });

  it("U7 redis: there is none unless it is asked for, and who names something of it is told so", () => {
    assert.equal(settingsOf(LEAST).redis.enabled, false);
    const named = { image: "redis:8.0.6", password: "secret", deleteData: true };
    assert.deepEqual(
      pathsOf({ ...LEAST, redis: named }),
      Object.keys(named).map((setting) => `redis.${setting}`),
    );
    for (const enabled of [true, false])
      assert.deepEqual(pathsOf({ ...LEAST, redis: { enabled, ...named } }), []);
    assert.deepEqual(pathsOf({ ...LEAST, redis: { password: undefined } }), []);
  });

  it("labels: the component's own", () => {
    assert.deepEqual(pathsOf({ ...LEAST, labels: { "bluegreen.role": "x", team: "a" } }), [
      'labels["bluegreen.role"]',
    ]);
  });

  it("registries: a host each, once, with a name and a password", () => {
    const account = { address: "ghcr.io", username: "bot", password: "s3cr3t" };
    const found = (...registries: object[]) => pathsOf({ ...LEAST, registries: registries as never });
    const hosts = ["docker.io", "localhost:5000", "http://127.0.0.1:5000", "https://reg.example"];
    assert.deepEqual(found(...hosts.map((address) => ({ ...account, address }))), []);
    for (const address of ["", "ghcr.io/acme", "a b", "ftp://a", "Ghcr.io", "a;b"])
      assert.deepEqual(found({ ...account, address }), ["registries[0].address"], address);
    assert.deepEqual(found(account, { ...account, address: "https://ghcr.io" }), ["registries[1].address"]);
    for (const username of ["", "a:b"])
      assert.deepEqual(found({ ...account, username }), ["registries[0].username"], username);
    assert.deepEqual(found({ ...account, password: "" }), ["registries[0].password"]);
    assert.deepEqual(found({ ...account, password: pulumi.secret("") }), [], "known only during the update");
  });

  it("N8 workers: what can't be is refused, with the color where they are that color's own", () => {
    const reasons = (workers: unknown, own?: unknown) =>
      findViolations({
        ...LEAST,
        workers: workers as never,
        green: { ...LEAST.green, ...(own === undefined ? {} : { workers: own as never }) },
      }).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
    const jobs = { command: ["celery"] };
    assert.deepEqual(
      reasons({ jobs, "mail-2": { ...jobs, exclusive: false, env: { QUEUE: "mail" } } }, {}),
      [],
    );
    const list = 'must be a list of a program and its arguments, such as ["bundle", "exec", "sidekiq"]';
    assert.deepEqual(reasons({ jobs: {} }), [`workers.jobs.command: is missing: ${list}`]);
    assert.deepEqual(reasons({ jobs: { command: [] } }), [`workers.jobs.command: is [], but ${list}`]);
    assert.deepEqual(reasons({ jobs: { command: [""] } }), [`workers.jobs.command: is [""], but ${list}`]);
    assert.deepEqual(reasons({ jobs: { command: "celery" } }), [
      `workers.jobs.command: is "celery", but ${list}`,
    ]);
    assert.deepEqual(reasons(undefined, { jobs: { command: [1] } }), [
      "green.workers.jobs.command[0]: is 1, but must be text",
    ]);
    for (const name of ["Jobs", "-jobs", "1st", "a b", "x".repeat(31), "__proto__'; rm -rf /"])
      assert.match(
        reasons({ [name]: jobs })[0],
        /must be the name of a worker: at most 30 small letters/,
        name,
      );
    assert.match(reasons([jobs])[0], /^workers: is \[.*\], but must be an object$/);
    assert.match(
      reasons({ jobs: ["celery"] })[0],
      /^workers\.jobs: .* must be an object with at least its command$/,
    );
    assert.deepEqual(reasons({ jobs: { ...jobs, exclusiv: true } }), [
      "workers.jobs.exclusiv: is no setting. Did you mean exclusive?",
    ]);
    for (const wrong of [
      { stopGraceSeconds: 0 },
      { stayUpSeconds: 0 },
      { cpus: 0.05 },
      { memoryMb: -1 },
      { exclusive: "yes" },
    ])
      assert.equal(reasons({ jobs: { ...jobs, ...wrong } }).length, 1, JSON.stringify(wrong));
    const own = { jobs: { ...jobs, env: { PORT: "1", COLOR: "x" } } };
    const isOwn = "is set by the component itself, as the color has it";
    assert.deepEqual(reasons(own), [`workers.jobs.env.PORT: ${isOwn}`, `workers.jobs.env.COLOR: ${isOwn}`]);
    assert.deepEqual(reasons({ jobs }, own)[0], `green.workers.jobs.env.PORT: ${isOwn}`);
  });

  it("N16 files and envFile: what can't be is refused, with the color where it is that color's own", () => {
    const file = (path: string) => ({ path, content: "a" });
    const key = file("/run/key");
    assert.deepEqual(pathsOf({ ...LEAST, files: [key, file("/etc/shop.conf")] }), []);
    assert.deepEqual(pathsOf({ ...LEAST, files: [key, key] }), ["files[1].path"]);
    assert.deepEqual(pathsOf({ ...LEAST, files: [{ ...key, content: "" }] }), ["files[0].content"]);
    assert.deepEqual(pathsOf({ ...LEAST, files: [{ ...key, permissions: "444" }] }), [
      "files[0].permissions",
    ]);
    assert.deepEqual(pathsOf({ ...LEAST, files: [key], container: { readOnly: true } }), ["files"]);
    assert.deepEqual(
      pathsOf({ ...LEAST, blue: { ...LEAST.blue, files: [key] }, container: { tmpfs: { "/run": "" } } }),
      ["blue.files[0].path"],
    );
    const volumes = [{ hostPath: "/srv", containerPath: "/run" }];
    assert.deepEqual(pathsOf({ ...LEAST, files: [key], volumes }), ["files[0].path"]);
    for (const files of [7, "x", {}, [7], [{}]])
      assert.notDeepEqual(pathsOf({ ...LEAST, files: files as never }), []);

    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-env-"));
    try {
      const envFile = path.join(folder, "env");
      assert.match(
        findViolations({ ...LEAST, envFile }).map(({ reason }) => reason)[0],
        /^is ".*", which can't be read on the machine that runs Pulumi: ENOENT$/,
      );
      assert.deepEqual(pathsOf({ ...LEAST, green: { ...LEAST.green, envFile } }), ["green.envFile"]);
      writeFileSync(envFile, 'A=1\nB="x y" # why\nC=$A\n');
      assert.deepEqual(pathsOf({ ...LEAST, envFile }), []);
      assert.deepEqual(settingsOf({ ...LEAST, envFile }).colors.blue.fromFile.variables, {
        A: "1",
        B: "x y",
        C: "$A",
      });
      writeFileSync(envFile, "PORT=1\n");
      assert.deepEqual(pathsOf({ ...LEAST, envFile }), ["envFile"]);
      assert.deepEqual(pathsOf({ ...LEAST, envFile: "env" }), ["envFile"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("N3 container: what it may not have has its reason, for both colors and for one; rules name where it is set", () => {
    const words = (args: object) =>
      findViolations({ ...LEAST, ...args }).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
    assert.match(
      words({ container: { ports: [] } })[0],
      /^container\.ports: is the component's own: a color publishes no ports/,
    );
    assert.match(words({ container: { privileged: true } })[0], /gives the color all of the host/);
    assert.match(words({ container: { hostname: "x" } })[0], /has no setting\. .*transforms/);
    assert.match(words({ container: { usr: "x" } })[0], /is no setting\. Did you mean user\?/);
    const own = (container: unknown) => ({ blue: { ...LEAST.blue, container: container as never } });
    assert.match(
      words(own({ networkMode: "host" }))[0],
      /^blue\.container\.networkMode: is the component's own/,
    );
    const tmpfs = { volumes: [{ hostPath: "/a", containerPath: "/a" }], container: { tmpfs: { "/a": "" } } };
    assert.deepEqual(pathsOf({ ...LEAST, ...tmpfs }), ['container.tmpfs["/a"]'], "once, for both colors");
    assert.deepEqual(pathsOf({ ...LEAST, ...own({ networks: ["db", "db"] }) }), [
      "blue.container.networks[1]",
    ]);
    assert.deepEqual(pathsOf({ ...LEAST, container: { networks: ["none"] } }), ["container.networks[0]"]);
    assert.deepEqual(pathsOf({ ...LEAST, network: { name: "db" }, container: { networks: ["db"] } }), [
      "container.networks[0]",
    ]);
    assert.deepEqual(pathsOf({ ...LEAST, ...own({ logOpts: { tag: "a" } }) }), ["blue.container.logOpts"]);
    for (const container of [7, "x", [], { hosts: "x" }, { hosts: [7] }, { dns: { a: 1 } }])
      for (const args of [{ container }, own(container)]) assert.notEqual(words(args).length, 0);
    assert.deepEqual(pathsOf({ ...LEAST, ...own(null) }), []);
  });

  it("container.ulimits: known names, each once, and soft within hard", () => {
    const ulimits = (...given: object[]) =>
      pathsOf({ ...LEAST, container: { ulimits: given as { name: string; soft: number; hard: number }[] } });
    const files = { name: "nofile", soft: 1024, hard: 4096 };
    assert.deepEqual(ulimits(files, { name: "core", soft: 0, hard: -1 }), []);
    assert.deepEqual(ulimits({ ...files, soft: -1, hard: -1 }), []);
    assert.deepEqual(ulimits({ ...files, name: "files" }), ["container.ulimits[0].name"]);
    assert.deepEqual(ulimits(files, files), ["container.ulimits[1].name"]);
    assert.deepEqual(ulimits({ ...files, soft: 5000 }), ["container.ulimits[0].soft"]);
    assert.deepEqual(ulimits({ ...files, soft: -1 }), ["container.ulimits[0].soft"]);
    for (const bad of [undefined, "1024", 1.5, -2, NaN]) {
      assert.deepEqual(ulimits({ ...files, soft: bad }), ["container.ulimits[0].soft"]);
      assert.deepEqual(ulimits({ ...files, hard: bad }), ["container.ulimits[0].hard"]);
    }
  });

  it("container: options, capabilities and folders in memory", () => {
    const found = (container: object) => pathsOf({ ...LEAST, container });
    const good = [
      "no-new-privileges",
      "no-new-privileges=false",
      'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
    ];
    assert.deepEqual(found({ securityOpts: good }), []);
    assert.deepEqual(found({ securityOpts: [], capabilities: { adds: [], drops: [] }, tmpfs: {} }), []);
    for (const bad of ["", "no-new-privileges:true", "systempaths=unconfined", "apparmor=", 1])
      assert.deepEqual(found({ securityOpts: ["label=a", bad] }), ["container.securityOpts[1]"], show(bad));
    assert.deepEqual(found({ securityOpts: "no-new-privileges" }), ["container.securityOpts"]);
    for (const key of ["adds", "drops"]) {
      const list = (names: unknown) => found({ capabilities: { [key]: names } });
      assert.deepEqual(list(["CAP_NET_ADMIN", "net_admin", "ALL"]), []);
      for (const bad of ["", "CAP CHOWN", "CAP_CHOWN;", "-", 7])
        assert.deepEqual(list([bad]), [`container.capabilities.${key}[0]`], show(bad));
      assert.deepEqual(list("ALL"), [`container.capabilities.${key}`]);
    }
    assert.deepEqual(found({ tmpfs: { "/tmp": "", "/a b": "size=1m,mode=1777" } }), []);
    assert.deepEqual(found({ tmpfs: { tmp: "", "/a:b": "", "/tmp": 5 } }), [
      "container.tmpfs.tmp",
      'container.tmpfs["/a:b"]',
      'container.tmpfs["/tmp"]',
    ]);
    const volumes = [{ volumeName: "data", containerPath: "/data" }];
    assert.deepEqual(pathsOf({ ...LEAST, volumes, container: { tmpfs: { "/data": "" } } }), [
      'container.tmpfs["/data"]',
    ]);
  });

  it("volumes: absolute paths, and one source", () => {
    const volumes = (...list: unknown[]) => pathsOf({ ...LEAST, volumes: list as never });
    assert.deepEqual(
      volumes({ hostPath: "/a", containerPath: "/b" }, { volumeName: "data", containerPath: "/c d" }),
      [],
    );
    assert.deepEqual(volumes({ hostPath: "a", containerPath: "/b" }), ["volumes[0].hostPath"]);
    assert.deepEqual(volumes({ volumeName: "v1", containerPath: "b" }), ["volumes[0].containerPath"]);
    assert.deepEqual(volumes({ volumeName: "v1", containerPath: "/b:ro" }), ["volumes[0].containerPath"]);
    assert.deepEqual(volumes({ volumeName: "v1" }), ["volumes[0].containerPath"]);
    assert.deepEqual(volumes({ volumeName: "a/b", containerPath: "/b" }), ["volumes[0].volumeName"]);
    assert.deepEqual(volumes({ containerPath: "/b" }), ["volumes[0]"]);
    assert.deepEqual(volumes({ hostPath: "/a", volumeName: "v1", containerPath: "/b" }), ["volumes[0]"]);
    assert.deepEqual(
      volumes({ hostPath: "/a", containerPath: "/b" }, { hostPath: "./a", containerPath: "b" }),
      ["volumes[1].hostPath", "volumes[1].containerPath"],
    );
  });

  it("N16 redirects: names of its own that lead to others, and for which the certificate is", () => {
    const found = (redirects: unknown, more: object = {}) =>
      pathsOf({ ...LEAST, ...more, redirects: redirects as { [name: string]: string } });
    const WWW = 'redirects["www.a.example"]';
    const to = (target: unknown) => found({ "www.a.example": target });
    for (const good of ["https://a.example", "http://a.example:8080", "https://other"])
      assert.deepEqual(to(good), []);
    const bad = ["a.example", "https://a.example/", "https://A.example", "https://a.example:0", "ftp://a", 7];
    for (const target of [...bad, "https://$host", 'https://a";', "https://<live>"])
      assert.deepEqual(to(target), [WWW], String(target));
    assert.deepEqual(found({ "*.a.example": "https://b.example", default: "https://b.example" }), []);
    assert.deepEqual(found({ "a b": "https://b.example" }), ['redirects["a b"]']);
    assert.deepEqual(found("www"), ["redirects"]);
    // Users would not arrive.
    assert.deepEqual(to("https://www.a.example"), [WWW]);
    assert.deepEqual(found({ "*.example": "https://a.example" }), ['redirects["*.example"]']);
    const hosts = ["a.example"];
    assert.deepEqual(found({ "*.example": "https://a.example" }, { hosts }), []);
    assert.deepEqual(found({ "a.example": "https://b.example" }, { hosts }), ['redirects["a.example"]']);
    const tls = { names: ["a.example"], acmeEmail: "ops@a.example" };
    assert.deepEqual(found({ "www.a.example": "https://a.example" }, { hosts, tls }), [WWW]);
    const both = { ...tls, names: ["a.example", "www.a.example"] };
    assert.deepEqual(found({ "www.a.example": "https://a.example" }, { hosts, tls: both }), []);
  });
  it("N16 proxy.rateLimit: a burst is beyond a rate", () => {
    const found = (rateLimit: object) => pathsOf({ ...LEAST, proxy: { rateLimit } });
    assert.deepEqual(found({ requestsPerSecond: 10 }), []);
    assert.deepEqual(found({ requestsPerSecond: 10, burst: 0 }), []);
    assert.deepEqual(found({ requestsPerSecond: 0 }), []);
    assert.deepEqual(found({ burst: 5 }), ["proxy.rateLimit.requestsPerSecond"]);
    assert.deepEqual(found({ requestsPerSecond: 0.5, burst: -1 }), [
      "proxy.rateLimit.requestsPerSecond",
      "proxy.rateLimit.burst",
    ]);
  });
  it("N7 strategy: with recreate nothing runs beside the live color, and Docker starts nothing by itself", () => {
    const found = (more: object, strategy: unknown = "recreate") =>
      pathsOf({ ...LEAST, ...more, strategy: strategy as string });
    assert.deepEqual(found({}), []);
    assert.deepEqual(found({ idle: "stopped", restart: "no", watch: { tolerancePercent: 1 } }), []);
    assert.deepEqual(found({ watch: { seconds: 5 } }), ["watch.seconds"]);
    assert.deepEqual(found({ idle: "running" }), ["idle"]);
    assert.deepEqual(found({ proxy: { sharedAssets: ["/assets"] } }), ["proxy.sharedAssets"]);
    for (const restart of ["always", "on-failure"])
      assert.deepEqual(found({ restart }), ["restart"], restart);
    for (const bad of ["Recreate", "rolling", "", true, 7])
      assert.deepEqual(found({ watch: { seconds: 5 } }, bad), ["strategy"], String(bad));
    assert.deepEqual(
      found({ watch: { seconds: 5 }, idle: "running", restart: "always", proxy: { sharedAssets: ["/a"] } }),
      ["restart", "watch.seconds", "idle", "proxy.sharedAssets"],
    );
    const says = findViolations({ ...LEAST, strategy: "recreate", watch: { seconds: 5 } })[0].reason;
    assert.match(says, /nothing is left to flip back to: what was live is stopped/);
  });
  it("N6 proxy.sharedAssets: paths below that of the service, and an idle color that runs", () => {
    const found = (sharedAssets: unknown, more: object = {}) =>
      pathsOf({ ...LEAST, ...more, proxy: { sharedAssets: sharedAssets as string[] } });
    assert.deepEqual(found(["/assets", "/build/js.v1"]), []);
    for (const bad of ["/", "assets", "/assets/", "/a b", "/a;", "/(a)", "/<live>", 7])
      assert.deepEqual(found([bad]), ["proxy.sharedAssets[0]"], String(bad));
    assert.deepEqual(found("/assets"), ["proxy.sharedAssets"]);
    assert.deepEqual(found(["/assets"], { idle: "stopped" }), ["proxy.sharedAssets"]);
    assert.deepEqual(found([], { idle: "stopped" }), []);
    assert.deepEqual(found(["/api", "/api/js", "/apis"], { path: "/api" }), ["proxy.sharedAssets[2]"]);
  });
  it("N12 proxy.protocol: with gRPC there is nothing that its module has not", () => {
    const found = (protocol: unknown, proxy: object = {}, more: object = {}) =>
      pathsOf({ ...LEAST, ...more, proxy: { protocol: protocol as string, ...proxy } });
    for (const good of ["http1", "http2", "grpc"]) assert.deepEqual(found(good), []);
    for (const bad of ["h2c", "", 2]) assert.deepEqual(found(bad), ["proxy.protocol"], String(bad));
    const stripped = { path: "/api", stripPath: true };
    assert.deepEqual(found("grpc", {}, stripped), ["stripPath"]);
    assert.deepEqual(found("http2", {}, stripped), []);
    const nginxConfig = "add_header A b;\nproxy_set_header C d;";
    assert.deepEqual(found("grpc", { nginxConfig }), ["proxy.nginxConfig"]);
    assert.deepEqual(found("http1", { nginxConfig }), []);
  });
  it("N12 ports: each once, with an address of its own", () => {
    const found = (ports: unknown[], more: object = {}) =>
      pathsOf({ ...LEAST, ...more, ports: ports as BlueGreenServiceArgs["ports"] });
    const [one, two] = [
      { containerPort: 9090, path: "/a" },
      { containerPort: 9091, hosts: ["b.example"] },
    ];
    assert.deepEqual(found([one, two]), []);
    assert.deepEqual(found([{ containerPort: 9090 }]), ["ports[0].path"]);
    assert.deepEqual(found([one, { ...two, containerPort: 9090 }]), ["ports[1].containerPort"]);
    assert.deepEqual(found([{ ...one, containerPort: 3000 }]), ["ports[0].containerPort"]);
    assert.deepEqual(found([one, { ...one, containerPort: 9091 }]), ["ports[1].path"]);
    assert.deepEqual(found([two], { hosts: ["b.example"] }), ["ports[0].hosts[0]"]);
    const tls = { names: ["a.example"], acmeEmail: "ops@a.example" };
    assert.deepEqual(found([two], { hosts: ["a.example"], tls }), ["ports[0].hosts[0]"]);
    const wrong = { containerPort: 0, hosts: ["B"], path: "/a/", protocol: "h2" };
    const places = ["containerPort", "hosts[0]", "path", "protocol"].map((key) => `ports[0].${key}`);
    assert.deepEqual(found([wrong]), places);
    for (const untyped of [7, "9090", [9090]]) assert.deepEqual(found([untyped]), ["ports[0]"]);
    assert.deepEqual(found([{ path: "/a" }]), ["ports[0].containerPort"]);
  });
  it("ports can be used once", () => {
    assert.deepEqual(pathsOf({ ...LEAST, proxy: { port: 8081 } }), ["proxy.previewPort"]);
    assert.deepEqual(pathsOf({ ...LEAST, proxy: { port: 70_000, previewPort: 70_000 } }), [
      "proxy.port",
      "proxy.previewPort",
    ]);
  });

  describe("TLS", () => {
    const names = ["shop.example"];
    const text = { certificate: "a certificate", privateKey: "its key" };
    const files = { certificateFile: "/srv/tls/chain.pem", privateKeyFile: "/srv/tls/key.pem" };
    const acme = { acmeEmail: "ops@shop.example" };
    const tls = (args: BlueGreenServiceArgs["tls"]) => pathsOf({ ...LEAST, tls: args });

    it("comes from one of three sources", () => {
      for (const source of [text, files, acme]) assert.deepEqual(tls({ names, ...source }), []);
      assert.deepEqual(tls({ names }), ["tls"]);
      assert.deepEqual(tls({ names, ...text, ...acme }), ["tls"]);
      assert.deepEqual(tls({ names, ...files, certificate: "a certificate" }), ["tls", "tls.privateKey"]);
    });

    it("a certificate needs its key, and the key its certificate", () => {
      assert.deepEqual(tls({ names, certificate: "a certificate" }), ["tls.privateKey"]);
      assert.deepEqual(tls({ names, privateKey: "its key" }), ["tls.certificate"]);
      assert.deepEqual(tls({ names, certificateFile: "/srv/tls/chain.pem" }), ["tls.privateKeyFile"]);
    });

    it("needs names as soon as it has a certificate", () => {
      assert.deepEqual(tls({}), []);
      assert.deepEqual(tls({ names: [] }), []);
      assert.deepEqual(tls(text), ["tls.names"]);
      assert.deepEqual(tls({ names: [], ...acme }), ["tls.names"]);
    });

    it("names are host names", () => {
      const good = ["localhost", "shop.example", "a-1.b.example", `${"a".repeat(63)}.example`];
      assert.deepEqual(tls({ names: good, ...text }), []);
      for (const bad of [
        "",
        "*.shop.example",
        "Shop.example",
        "shop.example.",
        "-a.example",
        "a b",
        "a;b",
        "a\n",
      ])
        assert.deepEqual(tls({ names: ["ok.example", bad], ...text }), ["tls.names[1]"], show(bad));
    });

    it("its port is its own", () => {
      assert.deepEqual(tls({ names, ...text, port: 8081 }), ["tls.port"]);
      assert.deepEqual(tls({ names, ...text, port: 0 }), ["tls.port"]);
      assert.deepEqual(pathsOf({ ...LEAST, proxy: { port: 443 } }), [], "without TLS it is free");
    });

    it("files are in the folder", () => {
      const certbot = {
        names,
        certificateFile: "/etc/letsencrypt/live/shop/fullchain.pem",
        privateKeyFile: "/etc/letsencrypt/live/shop/privkey.pem",
      };
      assert.deepEqual(tls({ ...certbot, certificateFolder: "/etc/letsencrypt" }), []);
      assert.deepEqual(tls({ ...certbot, certificateFolder: "/etc/letsencrypt/" }), []);
      assert.deepEqual(tls({ ...certbot, privateKeyFile: "/etc/letsencrypt/live/key.pem" }), [
        "tls.privateKeyFile",
      ]);
      assert.deepEqual(tls({ ...certbot, certificateFolder: "/etc/lets" }), [
        "tls.certificateFile",
        "tls.privateKeyFile",
      ]);
      assert.deepEqual(tls({ names, ...files, privateKeyFile: "key.pem" }), ["tls.privateKeyFile"]);
      assert.deepEqual(tls({ names, ...text, certificateFolder: "/srv" }), ["tls.certificateFolder"]);
      assert.deepEqual(tls({ certificateFolder: "/srv" }), ["tls.certificateFolder"]);
    });

    it("ACME needs an address that can be one, and a server over TLS", () => {
      for (const bad of ["", "ops", "ops@", "o ps@shop.example"])
        assert.deepEqual(tls({ names, acmeEmail: bad }), ["tls.acmeEmail"], show(bad));
      assert.deepEqual(tls({ names, ...acme, acmeDirectory: "http://ca.example/dir" }), [
        "tls.acmeDirectory",
      ]);
    });

    it("HSTS is a whole number of seconds", () => {
      for (const bad of [-1, 1.5, NaN])
        assert.deepEqual(tls({ names, ...text, hstsSeconds: bad }), ["tls.hstsSeconds"]);
    });
  });

  it("the gate has to be longer than one probe and than its passes", () => {
    const gate = (health: BlueGreenServiceArgs["health"]) => pathsOf({ ...LEAST, health });
    assert.deepEqual(gate({ gateTimeoutSeconds: 4, timeoutSeconds: 5 }), ["health.gateTimeoutSeconds"]);
    assert.deepEqual(gate({ gateTimeoutSeconds: 5, timeoutSeconds: 5 }), []);
    assert.deepEqual(gate({ gateTimeoutSeconds: 10, passes: 12 }), ["health.gateTimeoutSeconds"]);
    assert.deepEqual(gate({ gateTimeoutSeconds: 11, passes: 12 }), []);
    assert.deepEqual(
      gate({ gateTimeoutSeconds: 1, timeoutSeconds: -1 }),
      ["health.timeoutSeconds"],
      "only what is known",
    );
  });

  it("jsonField and jsonValue go together", () => {
    const health = (given: BlueGreenServiceArgs["health"]) => pathsOf({ ...LEAST, health: given });
    assert.deepEqual(health({ jsonField: "status", jsonValue: "UP" }), []);
    assert.deepEqual(health({ jsonField: "status" }), ["health.jsonValue"]);
    assert.deepEqual(health({ jsonValue: "UP" }), ["health.jsonField"]);
    assert.deepEqual(health({ jsonField: "", jsonValue: "UP" }), ["health.jsonField"]);
    assert.deepEqual(health({ jsonField: "a\0", jsonValue: "UP\0" }), [
      "health.jsonField",
      "health.jsonValue",
    ]);
  });

  it("restart always contradicts idle stopped", () => {
    assert.deepEqual(pathsOf({ ...LEAST, restart: "always", idle: "stopped" }), ["restart"]);
    assert.deepEqual(pathsOf({ ...LEAST, restart: "always", idle: "running" }), []);
  });

  describe("an ssh:// host", () => {
    const KEY = "ssh-ed25519 AAAAC3Nza+/=";
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-validate-"));
    const file = (name: string) => path.join(folder, name);
    const makeKey = (name: string, passphrase: string) =>
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", file(name)]);
    before(() => {
      makeKey("good", "");
      makeKey("locked", "secret");
      writeFileSync(
        file("known"),
        `shop.example ${KEY}\n[jump.example]:2222,other ${KEY}\n@revoked bad.example ${KEY}\n`,
      );
    });
    after(() => rmSync(folder, { recursive: true }));

    const address = "ssh://deploy@shop.example:22";
    const jump = "ssh://deploy@jump.example:2222";
    const host = (given: BlueGreenServiceArgs["host"]) => pathsOf({ ...LEAST, host: given });
    const ssh = (given: BlueGreenServiceArgs["host"]) => host({ address, ...given });

    it("needs its key", () => {
      assert.deepEqual(ssh({ hostKey: KEY }), []);
      assert.deepEqual(ssh({}), ["host.hostKey"]);
      for (const hostKey of [
        "",
        "AAAA",
        "ssh-ed25519",
        "ssh-ed25519 AA AA",
        "ssh-ed25519 AA\nx",
        "ssh-rsa AAAA",
      ]) {
        assert.deepEqual(ssh({ hostKey }), ["host.hostKey"], hostKey);
      }
    });

    it("or a known_hosts file that has it", () => {
      assert.deepEqual(ssh({ knownHostsFile: file("known") }), []);
      assert.deepEqual(host({ address: jump, knownHostsFile: file("known") }), []);
      const wrong = { address: "ssh://a@jump.example", knownHostsFile: file("known") };
      const revoked = { address: "ssh://a@bad.example", knownHostsFile: file("known") };
      for (const given of [wrong, revoked, { address, knownHostsFile: file("none") }]) {
        assert.deepEqual(host(given), ["host.knownHostsFile"]);
      }
      for (const knownHostsFile of ["known", "", "/a b", "/%h", "/$HOME", "/it's", "~user/known"]) {
        assert.deepEqual(ssh({ knownHostsFile }), ["host.knownHostsFile"], knownHostsFile);
      }
      assert.deepEqual(ssh({ hostKey: KEY, knownHostsFile: file("known") }), ["host.knownHostsFile"]);
    });

    it("takes a private key that can be read and has no passphrase", () => {
      assert.deepEqual(ssh({ hostKey: KEY, privateKeyFile: file("good") }), []);
      for (const name of ["locked", "none", "known"]) {
        assert.deepEqual(ssh({ hostKey: KEY, privateKeyFile: file(name) }), ["host.privateKeyFile"], name);
      }
    });

    it("takes a private key as a secret, not as plain text, and not two", () => {
      const privateKey = pulumi.secret("key");
      assert.deepEqual(ssh({ hostKey: KEY, privateKey }), []);
      assert.deepEqual(ssh({ hostKey: KEY, privateKey: "key" }), ["host.privateKey"]);
      assert.deepEqual(ssh({ hostKey: KEY, privateKey, privateKeyFile: file("good") }), ["host.privateKey"]);
    });

    it("asks the same of its bastion", () => {
      const through = (bastion: BastionArgs) => ssh({ hostKey: KEY, bastion });
      assert.deepEqual(through({ address: jump, hostKey: KEY }), []);
      assert.deepEqual(
        through({ address: jump, knownHostsFile: file("known"), privateKeyFile: file("good") }),
        [],
      );
      assert.deepEqual(through({ address: jump }), ["host.bastion.hostKey"]);
      assert.deepEqual(through({ address: "jump.example", hostKey: KEY }), ["host.bastion.address"]);
      assert.deepEqual(
        through({ address: jump, hostKey: KEY, privateKey: "key", privateKeyFile: file("none") }),
        ["host.bastion.privateKey", "host.bastion.privateKey", "host.bastion.privateKeyFile"],
      );
    });

    it("alone has such settings", () => {
      const bastion = { address: jump, hostKey: KEY };
      assert.deepEqual(
        host({ hostKey: KEY, knownHostsFile: "/k", privateKeyFile: "/k", privateKey: "k", bastion }),
        ["host.hostKey", "host.knownHostsFile", "host.privateKeyFile", "host.privateKey", "host.bastion"],
      );
    });
  });

  it("all at once, with their paths", () => {
    const args = Object.entries(RULES)
      .filter(([path]) => !/proxy.previewPort/.test(path))
      .reduce((all, [path, { bad }]) => merge(all, withValue(path, bad[0])), structuredClone(LEAST));
    const expected = Object.keys(RULES).filter((path) => path !== "proxy.previewPort");
    assert.deepEqual(pathsOf(args).sort(), expected.sort());
  });

  it("says nothing against any valid arguments", () => {
    fc.assert(
      fc.property(validArgs, (args) => assert.deepEqual(findViolations(args), [])),
      { numRuns: RUNS },
    );
  });
});

const show = (value: unknown) => JSON.stringify(value) ?? String(value);

type Tree = { [key: string]: unknown };
/** What differs from the least that is valid, on top of what differs already. */
function merge(all: BlueGreenServiceArgs, one: BlueGreenServiceArgs): BlueGreenServiceArgs {
  const into = all as unknown as Tree;
  for (const [key, value] of Object.entries(one)) {
    const old = into[key];
    const least = (LEAST as unknown as Tree)[key];
    if (typeof value === "object" && value !== null && typeof old === "object" && old !== null) {
      for (const [inner, innerValue] of Object.entries(value)) {
        if (innerValue !== (least as Tree | undefined)?.[inner]) (old as Tree)[inner] = innerValue;
      }
    } else if (value !== least) into[key] = value;
  }
  return all;
}
