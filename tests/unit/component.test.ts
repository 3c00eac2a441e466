import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ipv6SubnetOf } from "../../components/identity";
import { BlueGreenService, type BlueGreenServiceArgs } from "../../components/index";
import { declare, ID, mock, type Mocked, type State } from "./mocked";

const IMAGES: BlueGreenServiceArgs = {
  activeColor: "blue",
  blue: { image: "shop:1.0.0" },
  green: { image: "shop:1.1.0" },
  redis: { enabled: true },
};

describe("the component", () => {
  let mocked: Mocked;
  before(async () => void (mocked = await declare(IMAGES)));

  it("registers exactly these resources", () => {
    const types = Object.fromEntries(Object.values(mocked.resources).map(({ name, type }) => [name, type]));
    assert.deepEqual(types, {
      shop: "bluegreen:index:BlueGreenService",
      "shop-identity": "command:local:Command",
      "shop-docker": "pulumi:providers:docker",
      "shop-checkpoint": "bluegreen:index:Checkpoint",
      "shop-images": "command:local:Command",
      "shop-ports": "command:local:Command",
      "shop-redis-check": "command:local:Command",
      "shop-redis-ready": "command:local:Command",
      "shop-network": "docker:index/network:Network",
      "shop-network-guard": "command:local:Command",
      "shop-redis-data": "docker:index/volume:Volume",
      "shop-redis": "docker:index/container:Container",
      "shop-proxy-state": "docker:index/volume:Volume",
      "shop-downtime-guard": "command:local:Command",
      "shop-edge": "docker:index/container:Container",
      "shop-blue": "docker:index/container:Container",
      "shop-green": "docker:index/container:Container",
      "shop-proxy": "docker:index/container:Container",
      "shop-take-over": "command:local:Command",
      "shop-ingress-guard": "command:local:Command",
      "shop-switch": "command:local:Command",
      "shop-idle-gate": "command:local:Command",
    });
  });

  it("N4 delivers the headers of the health request by a command of their own, and nothing else has them", async () => {
    const headers = { Authorization: pulumi.secret("Bearer t0ken"), "X-Probe": "pr0be" };
    const { resources } = await declare({ ...IMAGES, health: { headers } });
    const { "health-headers": delivery, ...others } = resources;
    assert.match(
      String(delivery.inputs.stdin),
      /HEADERS='Authorization: Bearer t0ken\nX-Probe: pr0be'\nBAD_HEADERS=''/,
    );
    assert.ok(delivery.dependencies.includes("shop-take-over"));
    for (const { name, inputs } of Object.values(others))
      if (name !== "shop") assert.doesNotMatch(JSON.stringify(inputs), /t0ken|pr0be/, name);
    assert.ok(others.switch.dependencies.includes("shop-health-headers"));
    assert.match(String(others.switch.inputs.stdin), /^HEALTH_HEADERS='Authorization X-Probe'$/m);
    assert.equal((others.switch.inputs.triggers as string[]).length, 4);
    assert.equal((mocked.resources.switch.inputs.triggers as string[]).length, 3, "without headers");
  });

  it("N8 makes a container for each worker and color, moves them after the switch, and without any it is as before", async () => {
    const { resources } = await declare({
      ...IMAGES,
      env: { A: "both", B: "both" },
      memoryMb: 512,
      restart: "on-failure",
      container: { user: "app", cpus: 2, networks: ["db"] },
      files: [{ path: "/run/key", content: "s3cr3t" }],
      green: { ...IMAGES.green, env: { B: "green" } },
      workers: {
        jobs: {
          command: ["celery"],
          env: { B: pulumi.secret("worker") },
          memoryMb: 0,
          stopGraceSeconds: 600,
        },
        mail: { command: ["mail"], exclusive: false, stayUpSeconds: 9, cpus: 0.5 },
      },
      activeColor: "green",
    });
    const { green, "green-jobs": jobs, "green-mail": mail, workers } = resources;
    const { envs, labels, memory, command, ...same } = jobs.inputs;
    assert.deepEqual(command, ["celery"]);
    assert.equal(memory, undefined);
    assert.deepEqual((envs as string[]).filter((one) => /^(A|B|COLOR)=/.test(one)).sort(), [
      "A=both",
      "B=worker",
      "COLOR=green",
    ]);
    const role = (labels as { label: string; value: string }[]).map(
      ({ label, value }) => `${label}=${value}`,
    );
    for (const label of ["role=worker", "worker=jobs", "color=green"])
      assert.ok(role.includes(`bluegreen.${label}`));
    for (const name of ["image", "networksAdvanced", "volumes", "uploads", "capabilities", "user", "cpus"])
      assert.deepEqual(same[name], green.inputs[name], name);
    assert.deepEqual(
      [same.start, same.mustRun, same.restart, same.stopTimeout, same.destroyGraceSeconds],
      [false, false, "unless-stopped", 600, 600],
    );
    assert.deepEqual([mail.inputs.stopTimeout, mail.inputs.cpus, mail.inputs.memory], [30, "0.5", 512]);
    assert.equal((same.healthcheck as { tests: string[] }).tests[0], "NONE");
    assert.ok(!("healthcheck" in green.inputs));
    assert.deepEqual([jobs.ignoreChanges, green.ignoreChanges], [["healthcheck"], []]);
    assert.deepEqual([jobs.deleteBeforeReplace, jobs.dependencies], [false, green.dependencies]);
    assert.ok(
      workers.dependencies.includes("shop-switch") && !workers.dependencies.includes("shop-idle-gate"),
    );
    assert.ok(resources.switch.dependencies.includes("shop-blue-jobs"));
    assert.deepEqual(workers.inputs.triggers, ["shop-switch-id", "shop-green-jobs-id", "shop-green-mail-id"]);
    assert.match(
      String(workers.inputs.stdin),
      /\nWORKERS='jobs shop-green-jobs-1a2b3c4 exclusive 5\nmail shop-green-mail-1a2b3c4 beside 9'\n/,
    );

    const one = await declare({
      ...IMAGES,
      green: { ...IMAGES.green, workers: { cron: { command: ["crond"] } } },
    });
    assert.match(String(one.resources.workers.inputs.stdin), /\nWORKERS=''\n/);
    assert.deepEqual(one.resources.workers.inputs.triggers, ["shop-switch-id"]);
    const none = await declare({ ...IMAGES, workers: {} });
    for (const [name, { inputs }] of Object.entries(none.resources))
      if (name !== "shop") assert.deepEqual(inputs, mocked.resources[name].inputs, name);
  });

  it("is the parent of all of them, and its provider is the Docker resources'", () => {
    for (const resource of Object.values(mocked.resources)) {
      if (resource.name === "shop") continue;
      assert.equal(resource.parent, "shop", resource.name);
      const wanted = resource.type.startsWith("docker:") ? "shop-docker" : "";
      assert.equal(resource.provider, wanted, resource.name);
    }
  });

  it("orders them: images, Redis, colors, guard, edge, proxy, switch, idle gate", () => {
    const { edge, blue, green, proxy } = mocked.resources;
    const includes = (name: string, ...wanted: string[]) => {
      const { dependencies } = mocked.resources[name];
      for (const one of wanted)
        assert.ok(dependencies.includes(`shop-${one}`), `${name} on ${one}: ${dependencies.join()}`);
    };
    includes("edge", "network", "proxy-state", "blue", "green");
    includes("take-over", "proxy");
    includes("ingress-guard", "switch", "idle-gate");
    includes("network-guard", "network");
    includes("ports", "images", "network-guard", "downtime-guard");
    includes("redis-check", "ports", "redis-data");
    includes("redis", "network", "redis-data", "redis-check");
    includes("redis-ready", "redis");
    includes("blue", "redis-ready", "network");
    includes("green", "redis-ready", "network");
    includes("proxy", "blue", "green", "edge", "proxy-state");
    includes("switch", "take-over", "blue", "green");
    includes("idle-gate", "switch");
    for (const color of [blue, green]) {
      assert.ok(!color.dependencies.some((name) => /edge|proxy|blue|green/.test(name)), color.name);
    }
    assert.ok(!edge.dependencies.includes("shop-proxy"));
    assert.ok(!proxy.dependencies.includes("shop-switch"));
  });

  it("creates colors and proxy before it deletes their predecessors; edge and Redis can't be there twice", () => {
    const wanted = { blue: false, green: false, proxy: false, edge: true, redis: true };
    for (const [name, value] of Object.entries(wanted)) {
      assert.equal(mocked.resources[name].deleteBeforeReplace, value, name);
    }
  });

  it("auto-names what exists twice during a release; the rest is found by its name", () => {
    for (const name of ["blue", "green", "proxy", "edge"]) {
      assert.equal(mocked.resources[name].inputs.name, undefined, name);
    }
    assert.equal(mocked.resources.network.inputs.name, "bluegreen-acme-dev-shop");
    assert.equal(mocked.resources["proxy-state"].inputs.name, "bluegreen-acme-dev-shop-state");
    assert.equal(mocked.resources.redis.inputs.name, "acme-dev-shop-redis");
    assert.equal(mocked.resources["redis-data"].inputs.name, "acme-dev-shop-redis-data");
  });

  it("keeps the data of Redis alone when it is destroyed", () => {
    const kept = Object.values(mocked.resources).filter((r) => r.retainOnDelete);
    assert.deepEqual(
      kept.map((r) => r.name),
      ["shop-redis-data"],
    );
  });

  it("labels every Docker resource, so that an orphan can be found", () => {
    for (const { type, name, inputs } of Object.values(mocked.resources)) {
      if (!type.startsWith("docker:")) continue;
      assert.deepEqual(inputs.labels, [
        { label: "bluegreen.stack", value: "acme/dev" },
        { label: "bluegreen.service", value: "shop" },
        { label: "bluegreen.id", value: ID },
        { label: "bluegreen.role", value: name.replace("shop-", "") },
        ...(type === "docker:index/container:Container"
          ? [{ label: "bluegreen.ingress", value: "acme-dev-shop" }]
          : []),
      ]);
    }
  });

  it("rotates every container's log and restarts every container", () => {
    for (const { type, name, inputs } of Object.values(mocked.resources)) {
      if (type !== "docker:index/container:Container") continue;
      assert.equal(inputs.logDriver, "json-file", name);
      assert.deepEqual(inputs.logOpts, { "max-size": "10m", "max-file": "3" }, name);
      const isColor = /-(blue|green)$/.test(name);
      assert.equal(inputs.restart, isColor ? "unless-stopped" : "always", name);
    }
  });

  it("publishes ports on the edge alone, the preview on the loopback address", () => {
    for (const { name, inputs } of Object.values(mocked.resources)) {
      if (name === "shop-edge") continue;
      assert.equal(inputs.ports, undefined, name);
    }
    assert.deepEqual(mocked.resources.edge.inputs.ports, [
      { internal: 80, external: 80, ip: "0.0.0.0" },
      { internal: 6080, external: 80, ip: "::" },
      { internal: 8081, external: 8081, ip: "127.0.0.1" },
      { internal: 14081, external: 8081, ip: "::1" },
    ]);
  });

  it("lets the proxy join the edge's network namespace", () => {
    const { edge, proxy } = mocked.resources;
    assert.equal(proxy.inputs.networkMode, "container:shop-edge-id");
    assert.equal(proxy.inputs.networksAdvanced, undefined);
    assert.deepEqual(edge.inputs.networksAdvanced, [{ name: "bluegreen-acme-dev-shop" }]);
    assert.deepEqual(edge.inputs.sysctls, { "net.ipv4.tcp_migrate_req": "1" });
  });

  it("F6 gives edge and nginx the open files that their connections need, whatever the engine gives", () => {
    const limits = [{ name: "nofile", soft: 16384, hard: 16384 }];
    for (const role of ["edge", "proxy"]) assert.deepEqual(mocked.resources[role].inputs.ulimits, limits);
    for (const role of ["blue", "green"]) assert.equal(mocked.resources[role].inputs.ulimits, undefined);
  });

  it("runs the same entrypoint in edge and proxy, in another role", () => {
    for (const role of ["edge", "proxy"]) {
      const { inputs } = mocked.resources[role];
      assert.deepEqual(inputs.entrypoints, ["sh", "/bluegreen/entrypoint.sh", role]);
      assert.equal(inputs.command, undefined, "with both, a failed start would not be made good");
      assert.deepEqual(
        inputs.uploads.map((upload: { file: string }) => upload.file),
        ["entrypoint.sh", "nginx.sh", "sites.awk", "journal.sh", "settle.sh", "tls.sh", "nginx.conf"].map(
          (file) => `/bluegreen/${file}`,
        ),
      );
      assert.deepEqual(inputs.volumes, [
        { volumeName: "bluegreen-acme-dev-shop-state", containerPath: "/bluegreen/state" },
      ]);
      assert.equal(inputs.init, true);
      assert.equal(inputs.stopSignal, "SIGQUIT");
    }
  });

  it("gives each color its environment", () => {
    for (const color of ["blue", "green"]) {
      const { inputs } = mocked.resources[color];
      assert.deepEqual(inputs.envs.sort(), [
        `COLOR=${color}`,
        "PORT=3000",
        "REDIS_HOST=acme-dev-shop-redis",
        "REDIS_PORT=6379",
        "REDIS_URL=redis://acme-dev-shop-redis:6379",
        "TZ=UTC",
      ]);
      assert.deepEqual([inputs.start, inputs.mustRun], [false, false], "the switch starts it");
      assert.equal(inputs.stopTimeout, 30);
      assert.equal(inputs.destroyGraceSeconds, 30);
    }
    assert.equal(mocked.resources.blue.inputs.image, "shop:1.0.0");
    assert.equal(mocked.resources.green.inputs.image, "shop:1.1.0");
  });

  it("switches over the local engine, and again when the live color or a rendered setting changes", () => {
    const { inputs } = mocked.resources.switch;
    assert.equal(inputs.create, "sh -s");
    assert.deepEqual(inputs.environment, { DOCKER_HOST: "unix:///var/run/docker.sock" });
    const [record, ...ids] = inputs.triggers.slice(0, -1);
    assert.deepEqual(JSON.parse(record), {
      version: 1,
      owner: `acme/dev/shop ${ID}`,
      live: "blue",
      liveImage: "shop:1.0.0",
    });
    assert.deepEqual(ids, ["shop-blue-id"]);
    assert.match(inputs.triggers.at(-1), /^[0-9a-f]{16}$/);
    assert.match(inputs.stdin, /^LIVE='shop-blue-1a2b3c4'$/m);
    assert.match(inputs.stdin, /^INGRESS='acme-dev-shop'$/m);
    assert.match(inputs.stdin, /^LOCK_HOLDER='acme\/dev\/shop'$/m);
  });

  it("a new nginx takes over by a command of its own, which remembers what the ingress was made with", () => {
    const { inputs } = mocked.resources["take-over"];
    const [record, ...ids] = inputs.triggers;
    assert.deepEqual(JSON.parse(record), {
      version: 1,
      owner: `acme/dev/shop ${ID}`,
      nginx: "nginx:1.30.6",
      binding: [
        "network.name none",
        "proxy.port 80",
        "proxy.bindAddress 0.0.0.0 and ::",
        "proxy.previewPort 8081",
        "proxy.previewBindAddress 127.0.0.1 and ::1",
        "proxy.migrateConnections true",
        "tls.port none",
        "host.address unix:///var/run/docker.sock",
      ].join("\n"),
    });
    assert.deepEqual(ids, ["shop-proxy-id"]);
    assert.match(inputs.stdin, /^NGINX='shop-proxy-1a2b3c4'$/m);
  });

  it("gates what is idle after that, when a color has another container", () => {
    const { inputs } = mocked.resources["idle-gate"];
    assert.deepEqual(inputs.triggers, [
      JSON.stringify({ version: 1, blue: "shop:1.0.0", green: "shop:1.1.0" }),
      "shop-blue-id",
      "shop-green-id",
      "running",
    ]);
    assert.match(inputs.stdin, /^BLUE='shop-blue-1a2b3c4'$/m);
    assert.match(inputs.stdin, /^GREEN='shop-green-1a2b3c4'$/m);
  });

  it("has outputs", () => {
    assert.deepEqual(mocked.outputs, {
      url: "http://localhost:80",
      previewUrl: "http://127.0.0.1:8081",
      activeColor: "blue",
      blueImage: "shop:1.0.0",
      greenImage: "shop:1.1.0",
      blueContainer: "shop-blue-1a2b3c4",
      greenContainer: "shop-green-1a2b3c4",
      proxyContainer: "shop-proxy-1a2b3c4",
      redisHost: "acme-dev-shop-redis",
    });
  });

  it("says what will happen", () => {
    assert.deepEqual(mocked.logs, [
      "plan: first release: blue goes live with shop:1.0.0; the gate asks for 2 good answer(s) in a row on /health within 60 s\n" +
        "plan: green is gated after that: if it fails, the update fails, and blue stays live",
    ]);
  });
});

describe("the component's settings", () => {
  let mocked: Mocked;
  before(async () => void (mocked = await declare(IMAGES)));

  it("service: command, volumes, memory, logs, restart, time zone, labels, grace reach both colors", async () => {
    const { resources } = await declare({
      ...IMAGES,
      containerPort: 8080,
      command: ["serve", "--all"],
      volumes: [{ hostPath: "/srv/a", containerPath: "/a", readOnly: true }],
      memoryMb: 256,
      logs: { maxSizeMb: 5, maxFiles: 7 },
      restart: "on-failure",
      timeZone: "Europe/Vienna",
      labels: { team: "shop" },
      stopGraceSeconds: 9,
    });
    for (const color of ["blue", "green"]) {
      const { inputs } = resources[color];
      assert.deepEqual(inputs.command, ["serve", "--all"]);
      assert.deepEqual(inputs.volumes, [{ hostPath: "/srv/a", containerPath: "/a", readOnly: true }]);
      assert.deepEqual(
        [inputs.memory, inputs.memorySwap],
        [256, 256],
        "without memorySwap every run shows a change",
      );
      assert.deepEqual(inputs.logOpts, { "max-size": "5m", "max-file": "7" });
      assert.equal(inputs.restart, "on-failure");
      assert.ok(inputs.envs.includes("TZ=Europe/Vienna") && inputs.envs.includes("PORT=8080"));
      assert.deepEqual(inputs.labels.at(-1), { label: "team", value: "shop" });
      assert.deepEqual([inputs.stopTimeout, inputs.destroyGraceSeconds], [9, 9]);
    }
    for (const role of ["edge", "proxy", "redis"]) {
      const { inputs } = resources[role];
      assert.equal(inputs.restart, "always", "the restart policy is the colors' own");
      assert.equal(inputs.labels.length, 5, "a user's label would replace the edge");
    }
  });

  it("N3 what the provider can say of a container, in the form in which it reads it back; a color's own wins", async () => {
    const { resources } = await declare({
      ...IMAGES,
      container: {
        hosts: [{ host: "host.docker.internal", ip: "host-gateway" }],
        networks: ["db"],
        capabilities: { adds: ["CAP_CHOWN"] },
        devices: [{ hostPath: "/dev/fuse" }],
        cpus: 10,
        user: "app",
        dns: ["10.0.0.1"],
        logDriver: "journald",
        logOpts: { tag: "shop" },
      },
      blue: {
        ...IMAGES.blue,
        container: { cpus: 0.5, dns: [], user: "1000", capabilities: { drops: ["ALL"] } },
      },
    });
    const [blue, green] = [resources.blue.inputs, resources.green.inputs];
    const gateway = [{ host: "host.docker.internal", ip: "host-gateway" }];
    for (const { hosts, devices, logDriver, logOpts, networksAdvanced } of [blue, green]) {
      assert.deepEqual(hosts, gateway);
      assert.deepEqual(devices, [{ hostPath: "/dev/fuse", containerPath: "/dev/fuse", permissions: "rwm" }]);
      assert.deepEqual([logDriver, logOpts], ["journald", { tag: "shop" }]);
      assert.deepEqual((networksAdvanced as object[]).at(-1), { name: "db" });
    }
    assert.deepEqual([blue.cpus, green.cpus], ["0.5", "10."], "so the plugin reads them back");
    assert.deepEqual([blue.user, green.user, blue.dns, green.dns], ["1000", "app", undefined, ["10.0.0.1"]]);
    assert.deepEqual(blue.capabilities, { adds: ["CAP_CHOWN"], drops: ["ALL"] });
    assert.deepEqual(green.capabilities, { adds: ["CAP_CHOWN"], drops: ["CAP_MKNOD", "CAP_NET_RAW"] });
    for (const role of ["edge", "proxy"])
      assert.equal(resources[role].inputs.logDriver, "json-file", "logs is theirs");
  });

  it("N16 files and variables of a file are secrets, before the container starts", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-env-"));
    const envFile = path.join(folder, "env");
    writeFileSync(envFile, "A=file\nB=file\nC=file\n");
    try {
      const { resources } = await declare({
        ...IMAGES,
        envFile,
        env: { B: "both" },
        files: [{ path: "/run/key", content: "s3cr3t" }],
        blue: { ...IMAGES.blue, env: { C: "blue" }, files: [] },
      });
      const { blue, green } = resources;
      assert.ok(["A=file", "B=both", "C=blue"].every((one) => blue.inputs.envs.includes(one)));
      assert.ok(green.inputs.envs.includes("C=file"));
      assert.equal(blue.inputs.uploads, undefined);
      assert.deepEqual(green.inputs.uploads, [{ file: "/run/key", content: "s3cr3t", permissions: "0444" }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("N3 without such options no container differs from what it was", async () => {
    const { resources } = await declare(IMAGES);
    const { inputs } = resources.blue;
    const given = Object.keys(inputs).filter((name) => inputs[name as keyof typeof inputs] !== undefined);
    assert.deepEqual(given.sort(), [
      ...[
        "capabilities",
        "destroyGraceSeconds",
        "envs",
        "image",
        "labels",
        "logDriver",
        "logOpts",
        "mustRun",
      ],
      ...[
        "networksAdvanced",
        "readOnly",
        "restart",
        "securityOpts",
        "start",
        "stopTimeout",
        "tmpfs",
        "volumes",
      ],
    ]);
    assert.equal(inputs.labels.length, 5);
  });

  it("N5 port, command and memory of one color, the other as both", async () => {
    const { resources } = await declare({
      ...IMAGES,
      command: ["serve"],
      blue: { ...IMAGES.blue, containerPort: 8080, command: ["start"], memoryMb: 64 },
      green: { ...IMAGES.green, command: [] },
    });
    const [blue, green] = [resources.blue.inputs, resources.green.inputs];
    assert.deepEqual([blue.command, green.command], [["start"], undefined]);
    assert.deepEqual([blue.memory, blue.memorySwap, green.memory], [64, 64, undefined]);
    assert.ok(blue.envs.includes("PORT=8080") && green.envs.includes("PORT=3000"));
    const commands = [blue, green].map(({ labels }) =>
      (labels as { label: string }[]).some(({ label }) => label === "bluegreen.command"),
    );
    assert.deepEqual(commands, [true, false], "a command that is no longer given shows by its label alone");
  });

  it("container: what the colors may do, in the form in which Docker gives it back", async () => {
    const { resources } = await declare({
      ...IMAGES,
      container: {
        securityOpts: ["no-new-privileges=false"],
        capabilities: { adds: ["net_admin", "CAP_CHOWN"], drops: ["all"] },
        readOnly: true,
        tmpfs: { "/tmp": "size=16m" },
        cpuShares: 512,
      },
    });
    for (const color of ["blue", "green"]) {
      const { inputs } = resources[color];
      assert.deepEqual(inputs.securityOpts, ["no-new-privileges=false"]);
      assert.deepEqual(inputs.capabilities, { adds: ["CAP_NET_ADMIN", "CAP_CHOWN"], drops: ["ALL"] });
      assert.deepEqual(
        [inputs.readOnly, inputs.tmpfs, inputs.cpuShares],
        [true, { "/tmp": "size=16m" }, 512],
      );
    }
    for (const role of ["edge", "proxy", "redis"])
      assert.deepEqual(resources[role].inputs.securityOpts, ["no-new-privileges"], "is the colors' own");
  });

  it("memory of nginx and Redis: limits, and what Redis is told", async () => {
    const { resources } = await declare({
      ...IMAGES,
      proxy: { memoryMb: 0 },
      redis: { enabled: true, memoryMb: 100 },
    });
    const limits = (role: string): unknown[] => [
      resources[role].inputs.memory,
      resources[role].inputs.memorySwap,
    ];
    assert.deepEqual(
      [limits("edge"), limits("proxy")],
      [
        [undefined, undefined],
        [undefined, undefined],
      ],
    );
    assert.deepEqual(limits("redis"), [328, -1]);
    assert.match(
      resources.redis.inputs.uploads[0].content,
      /^maxmemory 100mb\nmaxmemory-policy noeviction$/m,
    );
    const byDefault = (await declare(IMAGES)).resources;
    assert.equal(byDefault.redis.inputs.memory, undefined);
    assert.doesNotMatch(byDefault.redis.inputs.uploads[0].content, /maxmemory/);
  });

  it("env: a color's own wins over the common one, in one place each", async () => {
    const { resources } = await declare({
      ...IMAGES,
      env: { A: "common", B: "common" },
      blue: { image: "shop:1.0.0", env: { B: "blue", STREAM: "orders-blue" } },
    });
    const without = (name: string) => (one: string) => /^(A|B|STREAM)=/.test(one) && one !== name;
    assert.deepEqual(resources.blue.inputs.envs.filter(without("")), [
      "A=common",
      "B=blue",
      "STREAM=orders-blue",
    ]);
    assert.deepEqual(resources.green.inputs.envs.filter(without("")), ["A=common", "B=common"]);
  });

  it("secrets arrive marked as such, and nowhere else", async () => {
    const { resources } = await declare({
      ...IMAGES,
      env: { TOKEN: pulumi.secret("s3cr3t-token") },
      redis: { enabled: true, password: 's3cr3t-pass"wo\\rd' },
    });
    for (const color of ["blue", "green"]) {
      assert.deepEqual(resources[color].secrets, ["envs"]);
      assert.deepEqual(resources[color].additionalSecretOutputs, ["envs"]);
      assert.ok(resources[color].inputs.envs.includes("TOKEN=s3cr3t-token"));
      assert.ok(resources[color].inputs.envs.includes('REDIS_PASSWORD=s3cr3t-pass"wo\\rd'));
      assert.ok(
        resources[color].inputs.envs.includes(
          "REDIS_URL=redis://:s3cr3t-pass%22wo%5Crd@acme-dev-shop-redis:6379",
        ),
      );
    }
    const { redis } = resources;
    assert.ok(
      redis.secrets.some((at) => at.startsWith("uploads")),
      redis.secrets.join(),
    );
    assert.deepEqual(redis.additionalSecretOutputs, ["uploads"]);
    assert.deepEqual(resources["redis-check"].secrets, ["stdin"]);
    assert.match(redis.inputs.uploads[0].content, /^requirepass "s3cr3t-pass\\"wo\\\\rd"$/m);
    for (const { name, inputs } of Object.values(resources)) {
      if (["shop-blue", "shop-green", "shop-redis", "shop-redis-check"].includes(name)) continue;
      if (name === "shop") continue;
      assert.doesNotMatch(JSON.stringify(inputs), /s3cr3t/, name);
    }
    assert.doesNotMatch(
      JSON.stringify(redis.inputs.command),
      /s3cr3t/,
      "a command can be seen by all on the host",
    );
  });

  it("without secrets nothing is marked", async () => {
    const { resources } = await declare({ ...IMAGES, env: { A: "b" } });
    for (const { name, secrets } of Object.values(resources)) assert.deepEqual(secrets, [], name);
  });

  it("registries: the password is a secret wherever it is needed, and nowhere else", async () => {
    const account = { address: "ghcr.io", username: "bot", password: "s3cr3t" };
    const { resources } = await declare({ ...IMAGES, registries: [account] });
    assert.deepEqual(resources.images.secrets, ["stdin"]);
    assert.ok(resources.docker.secrets.some((at) => at.startsWith("registryAuth")));
    for (const { name, inputs } of Object.values(resources)) {
      if (["shop", "shop-images", "shop-docker"].includes(name)) continue;
      assert.doesNotMatch(JSON.stringify(inputs), /s3cr3t/, name);
    }
  });

  it("images: what is not needed is not pulled", async () => {
    const linesOf = async (args: Partial<BlueGreenServiceArgs>) => {
      const { stdin } = (await declare({ ...IMAGES, ...args })).resources.images.inputs;
      return (stdin as string)
        .match(/^(?:IMAGES=')?[a-z]+\.\w+(?= )/gm)
        ?.map((line) => line.replace("IMAGES='", ""));
    };
    const always = ["blue.image", "green.image", "proxy.image", "proxy.edgeImage"];
    assert.deepEqual((await linesOf({}))?.sort(), [...always, "redis.image"].sort());
    assert.deepEqual((await linesOf({ redis: { enabled: false } }))?.sort(), [...always].sort());
    const tls = { names: ["shop.example"], acmeEmail: "ops@shop.example" };
    assert.ok((await linesOf({ tls }))?.includes("tls.acmeImage"));
  });

  it("redis: colors wait for the images also where there is none", async () => {
    const { resources } = await declare({ ...IMAGES, redis: { enabled: false } });
    assert.ok(resources.blue.dependencies.includes("shop-ports"));
  });

  it("redis: disabled, there is none, and its variables are the user's", async () => {
    const { resources } = await declare({
      ...IMAGES,
      redis: { enabled: false },
      env: { REDIS_HOST: "elsewhere" },
    });
    assert.deepEqual(
      Object.keys(resources).filter((name) => name.startsWith("redis")),
      [],
    );
    const { envs } = resources.blue.inputs;
    assert.deepEqual(
      envs.filter((one: string) => one.startsWith("REDIS")),
      ["REDIS_HOST=elsewhere"],
    );
  });

  it("F21: redis: a REDIS_URL of one's own wins, and without Redis there is no address", async () => {
    const env = { REDIS_URL: "redis://elsewhere/3" };
    const urlOf = async (args: Partial<BlueGreenServiceArgs>) => {
      const envs = (await declare({ ...IMAGES, ...args })).resources.blue.inputs.envs as string[];
      return envs.filter((one) => one.startsWith("REDIS_URL="));
    };
    assert.deepEqual(await urlOf({ env }), ["REDIS_URL=redis://elsewhere/3"]);
    assert.deepEqual(await urlOf({ blue: { ...IMAGES.blue, env } }), ["REDIS_URL=redis://elsewhere/3"]);
    assert.deepEqual(await urlOf({ redis: { enabled: false } }), []);
    const { outputs } = await declare({ ...IMAGES, redis: { enabled: false } });
    assert.equal(outputs.redisHost, "");
  });

  it("redis: image, and leave to delete its data", async () => {
    const { resources } = await declare({
      ...IMAGES,
      redis: { enabled: true, image: "redis:9.9.9", deleteData: true },
    });
    assert.equal(resources.redis.inputs.image, "redis:9.9.9");
    assert.equal(resources["redis-data"].retainOnDelete, false);
    assert.match(resources.redis.inputs.uploads[0].content, /^appendonly yes$/m);
    assert.doesNotMatch(resources.redis.inputs.uploads[0].content, /requirepass/);
  });

  describe("TLS", () => {
    const names = ["shop.example", "www.shop.example"];
    const secret = { certificate: "a certificate", privateKey: pulumi.secret("s3cr3t-key") };

    it("publishes a port of the edge, which is downtime, and is where the service answers", async () => {
      const { resources, outputs } = await declare({ ...IMAGES, tls: { names, ...secret } });
      assert.deepEqual(resources.edge.inputs.ports, [
        { internal: 80, external: 80, ip: "0.0.0.0" },
        { internal: 443, external: 443, ip: "0.0.0.0" },
        { internal: 6080, external: 80, ip: "::" },
        { internal: 6443, external: 443, ip: "::" },
        { internal: 8081, external: 8081, ip: "127.0.0.1" },
        { internal: 14081, external: 8081, ip: "::1" },
      ]);
      assert.match(resources["downtime-guard"].inputs.stdin, /^WANTED='[^']*\ntls\.port 443\n/);
      assert.equal(outputs.url, "https://shop.example");
      const other = await declare({ ...IMAGES, tls: { names, ...secret, port: 8443 } });
      assert.equal(other.outputs.url, "https://shop.example:8443");
    });

    it("text: delivered as a secret, before the switch", async () => {
      const { resources } = await declare({ ...IMAGES, tls: { names, ...secret } });
      const { certificate } = resources;
      assert.equal(certificate.type, "command:local:Command");
      assert.deepEqual(certificate.secrets, ["stdin"]);
      assert.match(certificate.inputs.stdin, /^KEY_TEXT='s3cr3t-key'$/m);
      assert.match(certificate.inputs.stdin, /^TLS_NAMES='shop\.example www\.shop\.example'$/m);
      assert.ok(certificate.dependencies.includes("shop-take-over"));
      assert.ok(resources.switch.dependencies.includes("shop-certificate"));
      for (const { name, inputs } of Object.values(resources)) {
        if (["shop", "shop-certificate"].includes(name)) continue;
        assert.doesNotMatch(JSON.stringify(inputs), /s3cr3t/, name);
      }
    });

    it("a new certificate is delivered again, and touches nothing else", async () => {
      const before = await declare({ ...IMAGES, tls: { names, ...secret } });
      const privateKey = pulumi.secret("another");
      const after = await declare({ ...IMAGES, tls: { names, ...secret, privateKey } });
      const triggers = ({ resources }: Mocked) => resources.certificate.inputs.triggers as string[];
      assert.notDeepEqual(triggers(before), triggers(after));
      for (const name of ["edge", "proxy", "switch", "downtime-guard"])
        assert.deepEqual(before.resources[name].inputs, after.resources[name].inputs, name);
    });

    it("files: the proxy alone sees their folder, and they are delivered before the switch", async () => {
      const { resources } = await declare({
        ...IMAGES,
        tls: {
          names,
          certificateFile: "/etc/letsencrypt/live/shop/fullchain.pem",
          privateKeyFile: "/etc/letsencrypt/live/shop/privkey.pem",
          certificateFolder: "/etc/letsencrypt",
        },
      });
      assert.deepEqual(resources.proxy.inputs.volumes[1], {
        hostPath: "/etc/letsencrypt",
        containerPath: "/bluegreen/certificates",
        readOnly: true,
      });
      assert.equal(resources.edge.inputs.volumes.length, 1);
      const { stdin } = resources.certificate.inputs;
      assert.match(stdin, /^CHAIN_FILE='\/bluegreen\/certificates\/live\/shop\/fullchain\.pem'$/m);
      assert.match(stdin, /^KEY_FILE='\/bluegreen\/certificates\/live\/shop\/privkey\.pem'$/m);
      assert.ok(resources.switch.dependencies.includes("shop-certificate"));
    });

    it("ACME: after the switch a client of its own obtains the certificate", async () => {
      const { resources } = await declare({ ...IMAGES, tls: { names, acmeEmail: "ops@shop.example" } });
      const { acme, certificate } = resources;
      assert.ok(!resources.switch.dependencies.includes("shop-certificate"));
      assert.ok(acme.dependencies.includes("shop-switch"));
      assert.ok(certificate.dependencies.includes("shop-acme"));
      assert.equal(acme.inputs.image, "goacme/lego:v4.25.2");
      assert.deepEqual(acme.inputs.volumes, [
        { volumeName: "bluegreen-acme-dev-shop-state", containerPath: "/bluegreen/state" },
      ]);
      const [, , , folder] = acme.inputs.envs as string[];
      assert.match(folder, /^FOLDER=\/bluegreen\/state\/acme\/[0-9a-f]{16}$/);
      assert.deepEqual(acme.inputs.envs.slice(0, 3), [
        "NAMES=shop.example www.shop.example",
        "EMAIL=ops@shop.example",
        "DIRECTORY=https://acme-v02.api.letsencrypt.org/directory",
      ]);
      assert.match(certificate.inputs.stdin, /^ACME='shop-acme-1a2b3c4'$/m);
      const staging = { acmeEmail: "ops@shop.example", acmeDirectory: "https://staging.example/dir" };
      const other = await declare({ ...IMAGES, tls: { names, ...staging } });
      assert.notEqual(
        other.resources.acme.inputs.envs[3],
        folder,
        "another server has certificates of its own",
      );
    });
  });

  it("network: an existing one is joined, and none is made", async () => {
    const { resources } = await declare({ ...IMAGES, network: { name: "backend" } });
    assert.equal(resources.network, undefined);
    for (const name of ["edge", "blue", "green", "redis"]) {
      assert.deepEqual(resources[name].inputs.networksAdvanced, [{ name: "backend" }], name);
    }
  });

  it("IPv6: the network has a private subnet, the same each time, and keeps what it has", async () => {
    const [{ resources }, without] = await Promise.all([
      declare(IMAGES),
      declare({ ...IMAGES, proxy: { ipv6: false } }),
    ]);
    const { ipv6, ipamConfigs } = resources.network.inputs;
    assert.equal(ipv6, true);
    assert.deepEqual(ipamConfigs, [{ subnet: ipv6SubnetOf("bluegreen-acme-dev-shop") }]);
    assert.match(ipv6SubnetOf("x"), /^fd[0-9a-f]{2}(:[0-9a-f]{4}){2}::\/64$/);
    assert.deepEqual(resources.network.ignoreChanges, ["labels", "name", "ipv6", "ipamConfigs"]);
    assert.deepEqual(
      [without.resources.network.inputs.ipv6, without.resources.network.inputs.ipamConfigs],
      [undefined, undefined],
    );
    const addresses = (without.resources.edge.inputs.ports as { ip: string }[]).map(({ ip }) => ip);
    assert.deepEqual(addresses, ["0.0.0.0", "127.0.0.1"]);
  });

  it("proxy: ports with addresses, images, no sysctl", async () => {
    const { resources, outputs } = await declare({
      ...IMAGES,
      proxy: {
        image: "nginx:1.31.0",
        edgeImage: "nginx:1.29.0",
        port: 8000,
        bindAddress: "192.0.2.7",
        previewPort: 8001,
        previewBindAddress: "0.0.0.0",
        migrateConnections: false,
      },
    });
    const { edge, proxy } = resources;
    assert.deepEqual(edge.inputs.ports, [
      { internal: 80, external: 8000, ip: "192.0.2.7" },
      { internal: 8081, external: 8001, ip: "0.0.0.0" },
      { internal: 14081, external: 8001, ip: "::" },
    ]);
    assert.equal(edge.inputs.sysctls, undefined);
    assert.deepEqual([edge.inputs.image, proxy.inputs.image], ["nginx:1.29.0", "nginx:1.31.0"]);
    assert.deepEqual([outputs.url, outputs.previewUrl], ["http://192.0.2.7:8000", "http://localhost:8001"]);
  });

  it("F6 container.ulimits: those of the colors", async () => {
    const ulimits = [{ name: "nofile", soft: 4096, hard: 8192 }];
    const { resources } = await declare({ ...IMAGES, container: { ulimits } });
    for (const role of ["blue", "green"]) assert.deepEqual(resources[role].inputs.ulimits, ulimits);
    assert.ok(resources.edge.ignoreChanges?.includes("ulimits"), "they are no reason for downtime");
  });

  it("allowDowntime: only with it the edge is replaced for more than its ports and network", async () => {
    const without = await declare(IMAGES);
    const withLeave = await declare({ ...IMAGES, allowDowntime: true });
    const ignored = without.resources.edge.ignoreChanges ?? [];
    for (const input of ["image", "uploads", "logOpts", "labels"]) assert.ok(ignored.includes(input), input);
    for (const input of ["ports", "networksAdvanced", "sysctls"]) assert.ok(!ignored.includes(input), input);
    assert.deepEqual(withLeave.resources.edge.ignoreChanges, []);
  });

  it("allowDowntime: the guard permits the first release, the same again, and another binding only with it", async () => {
    const permitted = async (args: BlueGreenServiceArgs, state: State) =>
      /^PERMITTED='(.*)'$/m.exec(
        (await declare(args, state)).resources["downtime-guard"].inputs.stdin as string,
      )?.[1];
    const other = { ...IMAGES, proxy: { port: 81 } };
    const live: State = Object.fromEntries(
      ["switch", "take-over"].map((command) => [
        `urn:pulumi:dev::acme::bluegreen:index:BlueGreenService$command:local:Command::shop-${command}`,
        { outputs: { triggers: mocked.resources[command].inputs.triggers as string[] } },
      ]),
    );
    assert.equal(await permitted(other, {}), "yes", "nothing was ever live");
    assert.equal(await permitted(IMAGES, live), "yes", "so it is no reason to run the guard again");
    assert.equal(await permitted(other, live), "no");
    assert.equal(await permitted({ ...other, allowDowntime: true }, live), "yes");
  });

  it("host: over SSH the switch is a remote command with the same input", async () => {
    const host = { address: "ssh://deploy@shop.example:2222", hostKey: "ssh-ed25519 AAAAkey" };
    const { resources, outputs } = await declare({ ...IMAGES, host }, {}, true);
    const { docker, switch: command } = resources;
    assert.equal(command.type, "command:remote:Command");
    assert.equal(command.inputs.connection.host, "shop.example");
    assert.ok(
      command.secrets.some((at) => at.startsWith("connection")),
      command.secrets.join(),
    );
    assert.equal(command.inputs.create, "sh -s");
    assert.match(command.inputs.stdin, /\nmain\n$/);
    assert.equal(command.inputs.environment, undefined);
    assert.equal(docker.inputs.host, "ssh://deploy@shop.example:2222");
    assert.ok(docker.inputs.sshOpts.includes("KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAAkey"));
    assert.equal(outputs.url, "http://shop.example:80");
  });

  it("host: over TCP the switch is local and speaks to that engine", async () => {
    const { resources } = await declare({ ...IMAGES, host: { address: "tcp://192.0.2.9:2375" } });
    assert.equal(resources.docker.inputs.host, "tcp://192.0.2.9:2375");
    assert.equal(resources.docker.inputs.sshOpts, undefined);
    assert.deepEqual(resources.switch.inputs.environment, { DOCKER_HOST: "tcp://192.0.2.9:2375" });
  });

  it("images may be outputs of other resources", async () => {
    const { resources, outputs } = await declare({ ...IMAGES, green: { image: pulumi.output("built:3") } });
    assert.equal(resources.green.inputs.image, "built:3");
    assert.equal(outputs.greenImage, "built:3");
  });

  it("the child's names are the same in every declaration: a renamed child is a replaced one", async () => {
    const first = await declare(IMAGES);
    const second = await declare({ ...IMAGES, activeColor: "green", idle: "stopped", drainSeconds: 1 });
    assert.deepEqual(Object.keys(first.resources).sort(), Object.keys(second.resources).sort());
  });

  const triggersOf = async (command: "switch" | "idle-gate", args: Partial<BlueGreenServiceArgs>) =>
    (await declare({ ...IMAGES, ...args })).resources[command].inputs.triggers as string[];
  const GREEN_2: Partial<BlueGreenServiceArgs> = { green: { image: "shop:1.2.0" } };

  it("drain, lock and the idle color don't run the switch again; the gate and the site do", async () => {
    const same = await triggersOf("switch", {});
    const none = { drainSeconds: 1, lockWaitSeconds: 9, stopGraceSeconds: 3 };
    assert.deepEqual(await triggersOf("switch", { ...none, ...GREEN_2, idle: "stopped" }), same);
    const changes: Partial<BlueGreenServiceArgs>[] = [
      { health: { passes: 3 } },
      { proxy: { maxBodySize: "1g" } },
      { logs: { maxSizeMb: 1 } },
      { activeColor: "green" },
    ];
    for (const change of changes)
      assert.notDeepEqual(await triggersOf("switch", change), same, JSON.stringify(change));
  });

  it("a flip does not run the idle gate; another image and the idle policy do", async () => {
    const same = await triggersOf("idle-gate", {});
    assert.deepEqual(await triggersOf("idle-gate", { activeColor: "green" }), same);
    for (const change of [GREEN_2, { idle: "stopped" }])
      assert.notDeepEqual(await triggersOf("idle-gate", change), same, JSON.stringify(change));
  });
});

describe("the component, given bad input", () => {
  it("throws one error with every violation, and registers nothing but itself", () => {
    const registered = mock();
    let error: unknown;
    try {
      new BlueGreenService("shop", {
        activeColor: "red",
        blue: { image: "" },
        green: { image: "shop:latest" },
        containerPort: 0,
        env: { "1A": "x", PORT: "1" },
        health: { path: "up" },
        proxy: { port: 81, previewPort: 81 },
      });
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(pulumi.InputPropertiesError.isInstance(error), String(error));
    assert.deepEqual(error.errors?.map((e) => e.propertyPath).sort(), [
      "activeColor",
      "blue.image",
      "containerPort",
      "env.PORT",
      'env["1A"]',
      "green.image",
      "health.path",
      "proxy.previewPort",
    ]);
    assert.match(error.message, /^shop: 8 invalid setting\(s\)\. Nothing was changed\.\n/);
    for (const { propertyPath, reason } of error.errors ?? []) {
      assert.ok(error.message.includes(`\n  ${propertyPath}: ${reason}`), propertyPath);
    }
    assert.deepEqual(
      registered.filter((r) => r.name !== "shop"),
      [],
    );
  });
});
