import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import type { Props } from "../rpc/values.ts";
import { docker, IMAGE, makeImage, removeImage } from "./image.ts";
import { initFailure, TestPlugin, UNKNOWN } from "./plugin.ts";

type Made = Awaited<ReturnType<TestPlugin["create"]>>;

describe("docker stand-in on the real engine", function () {
  this.timeout(60_000);
  const started: TestPlugin[] = [];
  const made: [TestPlugin, Made][] = [];
  let containers: TestPlugin;

  before(async () => {
    makeImage();
    containers = await start("docker:index/container:Container");
  });
  after(async () => {
    await Promise.all(started.map((plugin) => plugin.stop()));
    removeImage();
  });
  afterEach(async () => {
    for (const [plugin, resource] of made.splice(0).reverse()) await plugin.delete(resource);
  });

  async function start(type: string, config: Props = {}, env: NodeJS.ProcessEnv = {}): Promise<TestPlugin> {
    const plugin = await TestPlugin.start("docker", type, config, env);
    started.push(plugin);
    return plugin;
  }

  async function inputsOf(plugin: TestPlugin, news: Props): Promise<Props> {
    const { inputs, failures } = await plugin.check(news, undefined, `${process.pid} ${Math.random()}`);
    assert.deepEqual(failures, []);
    return inputs;
  }

  /** Without a network of its own a container starts faster. */
  async function container(news: Props): Promise<Made> {
    return make(containers, { image: IMAGE, networkMode: "none", ...news });
  }

  async function make(plugin: TestPlugin, news: Props): Promise<Made> {
    const resource = await plugin.create(await inputsOf(plugin, news));
    made.push([plugin, resource]);
    return resource;
  }

  /** What the engine does at a second `up`. */
  async function changesOf(plugin: TestPlugin, resource: Made) {
    const { inputs } = await plugin.check(resource.inputs, resource.inputs);
    return (await plugin.diff(resource, inputs)).changes;
  }

  it("creates a container with all that was asked for, and sees no change in it afterwards", async () => {
    const volume = await make(await start("docker:index/volume:Volume"), {
      labels: [{ label: "l", value: "v" }],
    });
    const network = await make(await start("docker:index/network:Network"), {
      labels: [{ label: "l", value: "v" }],
    });
    const web = await container({
      networkMode: undefined,
      command: ["sleep", "1000"],
      envs: ["B=two words", "A='$x'\nline"],
      labels: [{ label: "color", value: "blue" }],
      networksAdvanced: [{ name: network.state.name, aliases: ["web"] }],
      volumes: [{ volumeName: volume.state.name, containerPath: "/data" }],
      mounts: [{ type: "tmpfs", target: "/scratch" }],
      uploads: [{ file: "/etc/hello", content: "hi $x\n", permissions: "0600" }],
      hosts: [{ host: "db", ip: "10.1.2.3" }],
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      ulimits: [
        { name: "nofile", soft: 512, hard: 1024 },
        { name: "core", soft: 0, hard: 0 },
      ],
      healthcheck: { tests: ["CMD", "true"], interval: "1m30s" },
      capabilities: { drops: ["CAP_MKNOD"] },
      securityOpts: ["no-new-privileges"],
      cpuShares: 512,
      logDriver: "json-file",
      logOpts: { "max-size": "1m" },
      stopSignal: "SIGQUIT",
      memory: 64,
      memorySwap: 128,
      init: true,
      restart: "unless-stopped",
    });
    const env = docker("inspect", "-f", "{{json .Config.Env}}", web.id);
    assert.deepEqual((JSON.parse(env) as string[]).slice(0, 2), ["B=two words", "A='$x'\nline"]);
    assert.equal(docker("exec", web.id, "cat", "/etc/hello"), "hi $x");
    assert.equal(docker("exec", web.id, "sh", "-c", "ulimit -Sn; ulimit -Hn"), "512\n1024");
    assert.match(docker("exec", web.id, "ls", "-l", "/etc/hello"), /^-rw-------/);
    assert.match(docker("exec", web.id, "cat", "/etc/hosts"), /10\.1\.2\.3\s+db/);
    assert.match(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", web.id), /"Aliases":\["web"/);
    assert.deepEqual(
      (web.state.networkDatas as Props[]).map((n) => n.networkName),
      [network.state.name],
    );

    for (const [plugin, resource] of made) {
      assert.deepEqual(await changesOf(plugin, resource), []);
      const again = await plugin.read(resource);
      assert.deepEqual(again.inputs, resource.inputs);
      assert.deepEqual(await changesOf(plugin, again), []);
    }
  });

  it("reports the port that Docker chose", async () => {
    const network = await make(await start("docker:index/network:Network"), {});
    const web = await container({
      networkMode: undefined,
      networksAdvanced: [{ name: network.state.name }],
      ports: [{ internal: 80, ip: "127.0.0.1" }],
    });
    const [port] = web.state.ports as { external: number }[];
    assert.ok(port && port.external > 1024);
    assert.deepEqual(await changesOf(containers, web), []);
  });

  it("previews while an ssh:// host is away, with what only Docker knows as unknown", async () => {
    const away = await start("docker:index/container:Container", { host: "ssh://root@127.0.0.1:1" });
    const inputs = await inputsOf(away, { image: "i:1", networksAdvanced: [{ name: UNKNOWN }] });
    const { id, state } = await away.create(inputs, { preview: true });
    assert.equal(id, "");
    assert.equal(state.image, "i:1");
    assert.equal(state.networkDatas, UNKNOWN);
    assert.equal(state.hostname, UNKNOWN);
    await assert.rejects(
      away.create(inputs),
      /failed to create Docker client.*ssh:\/\/root@127\.0\.0\.1:1 is reachable/,
    );
  });

  it("takes the host from DOCKER_HOST when none is configured", async () => {
    const DOCKER_HOST = "ssh://root@127.0.0.1:2";
    const away = await start("docker:index/container:Container", {}, { DOCKER_HOST });
    await assert.rejects(
      away.create(await inputsOf(away, { image: "i:1" })),
      /ssh:\/\/root@127\.0\.0\.1:2 is reachable/,
    );
  });

  it("F25 any other host has to answer, in a preview too", async () => {
    for (const host of ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock"])
      await assert.rejects(
        start("docker:index/container:Container", { host }),
        /failed to connect to any docker daemon/,
      );
  });

  it("changes restart policy and memory in place", async () => {
    const web = await container({ restart: "no", memory: 64, memorySwap: 64 });
    const news = await inputsOf(containers, {
      ...web.inputs,
      restart: "always",
      memory: 80,
      memorySwap: 160,
    });
    assert.deepEqual((await containers.diff(web, news)).replaces, []);
    const after = await containers.update(web, news);
    const seen = docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Memory}}", web.id);
    assert.equal(seen, `always ${80 * 1024 * 1024}`);
    assert.deepEqual(await changesOf(containers, after), []);
  });

  it("replaces for a new image or environment, delete-first as the official plugin does", async () => {
    const web = await container({ envs: ["A=1"] });
    for (const news of [{ image: "other:1" }, { envs: ["A=2"] }]) {
      const { inputs } = await containers.check({ ...web.inputs, ...news }, web.inputs);
      const { replaces, deleteBeforeReplace } = await containers.diff(web, inputs);
      assert.deepEqual([replaces, deleteBeforeReplace], [Object.keys(news), true]);
    }
  });

  it("finds a stopped container at a refresh and starts it at the next update", async () => {
    const web = await container({});
    docker("stop", "-t", "0", web.id);
    const drifted = await containers.read(web);
    assert.equal(drifted.state.mustRun, false);
    const { inputs } = await containers.check(web.inputs, drifted.inputs);
    assert.deepEqual((await containers.diff(drifted, inputs)).changes, ["mustRun"]);
    await containers.update(drifted, inputs);
    assert.equal(docker("inspect", "-f", "{{.State.Running}}", web.id), "true");
  });

  it("leaves a stopped container alone with mustRun: false", async () => {
    const web = await container({ mustRun: false });
    docker("stop", "-t", "0", web.id);
    const seen = await containers.read(web);
    assert.deepEqual(await changesOf(containers, { ...seen }), []);
    assert.equal(seen.state.exitCode, 137);
  });

  it("finds what was removed by hand gone", async () => {
    const web = await container({});
    docker("rm", "-f", web.id);
    assert.equal((await containers.read(web)).id, "");
    await containers.delete(web);
  });

  it("keeps a container that doesn't start in the state, with the reason", async () => {
    const inputs = await inputsOf(containers, {
      image: IMAGE,
      networkMode: "none",
      command: ["/nonexistent"],
    });
    const error: unknown = await containers.create(inputs).catch((e: unknown) => e);
    const failed = initFailure(error);
    assert.ok(failed, String(error));
    made.push([containers, { id: failed.id, state: inputs, inputs }]);
    assert.match(failed.reasons[0] ?? "", /Unable to start container: .*\/nonexistent/);
  });

  it("passes Docker's own word on a name that is taken", async () => {
    const name = `standin-test-${process.pid}`;
    await container({ name });
    const inputs = await inputsOf(containers, { image: IMAGE, networkMode: "none", name });
    await assert.rejects(
      containers.create(inputs),
      /Unable to create container: Error response from daemon: Conflict.*already in use/,
    );
  });

  it("waits for a container to be healthy, and says when it isn't", async () => {
    const healthcheck = { tests: ["CMD", "true"], interval: "1s" };
    await container({ wait: true, healthcheck });
    const sick = {
      wait: true,
      waitTimeout: 1,
      healthcheck: { ...healthcheck, tests: ["CMD", "/nonexistent"] },
    };
    const inputs = await inputsOf(containers, { image: IMAGE, networkMode: "none", ...sick });
    const failed = initFailure(await containers.create(inputs).catch((e: unknown) => e));
    made.push([containers, { id: failed?.id ?? "", state: inputs, inputs }]);
    assert.match(failed?.reasons[0] ?? "", /failed to be in healthy state/);
  });

  it("stops with the given grace before it removes", async () => {
    const trap = `trap 'sleep 1; echo done > /data/done; exit' TERM; while :; do sleep 0.1; done`;
    const volume = await make(await start("docker:index/volume:Volume"), {});
    const volumes = [{ volumeName: volume.state.name, containerPath: "/data" }];
    const graceful = await container({ command: ["sh", "-c", trap], destroyGraceSeconds: 10, volumes });
    await containers.delete(graceful);
    const reader = await container({ volumes });
    assert.equal(docker("exec", reader.id, "cat", "/data/done"), "done");
  });

  it("finds an image, and keeps it when told", async () => {
    const images = await start("docker:index/remoteImage:RemoteImage");
    const image = await make(images, { name: IMAGE, keepLocally: true });
    assert.equal(image.state.imageId, docker("image", "inspect", "-f", "{{.Id}}", IMAGE));
    assert.deepEqual(await changesOf(images, await images.read(image)), []);
    await images.delete(image);
    assert.ok(docker("image", "inspect", IMAGE));
    await assert.rejects(
      images.create({ name: "127.0.0.1:1/none:1" }),
      /unable to pull image 127\.0\.0\.1:1\/none:1/,
    );
  });

  it("deletes first where a name is fixed", async () => {
    const networks = await start("docker:index/network:Network");
    const fixed = await make(networks, { name: `standin-test-${process.pid}` });
    const { inputs } = await networks.check({ ...fixed.inputs, internal: true }, fixed.inputs);
    assert.deepEqual(await networks.diff(fixed, inputs), {
      changes: ["internal"],
      replaces: ["internal"],
      deleteBeforeReplace: true,
    });
  });

  it("refuses settings of the provider that it doesn't have", async () => {
    const failures = await containers.checkConfig({ host: "unix:///x", certPath: "/certs" });
    assert.deepEqual(
      failures.map((f) => f.property),
      ["certPath"],
    );
    assert.match(failures[0]?.reason ?? "", /offline stand-in/);
    const registryAuth = JSON.stringify([{ address: "a", configFile: "~/.docker/config.json" }]);
    assert.deepEqual(
      (await containers.checkConfig({ registryAuth })).map((f) => f.property),
      ["registryAuth.configFile"],
    );
  });

  it("refuses to import what it didn't create", async () => {
    await assert.rejects(containers.read({ id: "abc", state: {}, inputs: {} }), /can't import or get abc/);
  });

  it("refuses a resource type that it doesn't have", async () => {
    const services = await start("docker:index/service:Service");
    await assert.rejects(services.check({}), /docker:index\/service:Service is not in the offline stand-in/);
  });
});
