import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { docker, inspect } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing, type Options } from "../support/load";
import { useStack } from "../support/stack";

const REQUESTS: Options["requests"] = [{ method: "GET", path: "/" }];

describe("the containers of the colors", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({
    redis: { enabled: false },
    blue: { image: images.one },
    green: {
      image: images.two,
      containerPort: 8080,
      command: ["node", "/fixture-app.js", "--green"],
      memoryMb: 96,
    },
  });
  before(() => stack.up());

  it("N5 each color has its own port, command and memory, and a flip between the ports loses nothing", async () => {
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    const [blue, green] = [await stack.container("blue"), await stack.container("green")];
    assert.ok(blue.Config.Env.includes("PORT=3000") && green.Config.Env.includes("PORT=8080"));
    assert.deepEqual(
      [blue, green].map(({ Config }) => Config.Cmd),
      [
        ["node", "/fixture-app.js"],
        ["node", "/fixture-app.js", "--green"],
      ],
    );
    assert.deepEqual(
      [blue, green].map(({ HostConfig }) => HostConfig.Memory / 2 ** 20),
      [0, 96],
    );
    await stack.expectNoChange();

    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ activeColor: "green" });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
        // The live color's own port: its new container is released beside the old one.
        await stack.set({ green: { containerPort: 8081 } });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
        await stack.set({ activeColor: "blue" });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
      },
      { requests: REQUESTS },
    );
    await stack.expectNoChange();
  });

  it("N5 another port, command or memory of the idle color is no reason to touch the live one", async () => {
    await stack.set({ green: { containerPort: 8082, command: ["node", "/fixture-app.js"] } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.set({ green: { memoryMb: 80 } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "update",
    });
    assert.equal((await stack.container("green")).HostConfig.Memory, 80 * 2 ** 20);
    await stack.inOrder();
    await stack.expectNoChange();
  });

  it("N5 a gate that fails names the color's own port, and its advice works", async () => {
    await stack.set({ green: { env: { BEHAVIOUR: "other-port" } }, health: { gateTimeoutSeconds: 3 } });
    const { output } = await stack.upFails();
    assert.match(output, /none: \S+:8082 refuses connections/);
    assert.match(output, /nothing listens on port 8082, which is green\.containerPort; it listens on 5000/);
    const [, advice] = /'pulumi (config set --path green\.containerPort 5000)'/.exec(output) ?? [];
    await stack.pulumi(...advice.split(" "));
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.unset("green.env");
  });

  const NETWORK = `bgtest-${randomBytes(4).toString("hex")}`;
  before(() => docker("network", "create", NETWORK));
  // The stack's own containers are removed after this, with it.
  after(async () => {
    const { Containers } = JSON.parse(
      await docker("network", "inspect", "--format", "{{json .}}", NETWORK),
    ) as { Containers: object };
    for (const container of Object.keys(Containers))
      await docker("network", "disconnect", NETWORK, container);
    await docker("network", "rm", NETWORK);
  });
  const within = (container: string, script: string) => docker("exec", container, "sh", "-c", script);

  it("N3 options of the provider are in force in the containers, and a color's own win", async () => {
    await stack.set({
      container: {
        hosts: [{ host: "host.docker.internal", ip: "host-gateway" }],
        networks: [NETWORK],
        dns: ["192.0.2.53"],
        dnsOpts: ["ndots:1"],
        dnsSearches: ["shop.example"],
        user: "1000:1000",
        groupAdds: ["44"],
        entrypoints: ["node"],
        workingDir: "/tmp",
        init: true,
        shmSize: 32,
        cpus: 1.5,
        cpuSet: "0",
        devices: [{ hostPath: "/dev/null", containerPath: "/dev/shop", permissions: "rw" }],
        sysctls: { "net.core.somaxconn": "512" },
        logDriver: "local",
        logOpts: { "max-size": "1m" },
      },
      command: ["/fixture-app.js"],
      green: {
        command: ["/fixture-app.js"],
        container: { user: "0", shmSize: 48, hosts: [{ host: "db", ip: "192.0.2.7" }] },
      },
    });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    const [blue, green] = [await stack.container("blue"), await stack.container("green")];
    const facts = [
      "id -u; id -G; pwd; nproc; cat /proc/1/comm /proc/sys/net/core/somaxconn",
      "df -m /dev/shm | awk 'NR == 2 { print $2 }'; test -c /dev/shop && echo device",
      "grep -c '^search shop.example' /etc/resolv.conf; grep -c 'ndots:1' /etc/resolv.conf",
    ].join("; ");
    const lines = async (container: string) => (await within(container, facts)).split("\n");
    assert.deepEqual(
      [await lines(blue.Id), await lines(green.Id)],
      [
        ["1000", "1000 44", "/tmp", "1", "docker-init", "512", "32", "device", "1", "1"],
        ["0", "0 44", "/tmp", "1", "docker-init", "512", "48", "device", "1", "1"],
      ],
    );
    assert.match(await within(blue.Id, "cat /etc/hosts"), /^[0-9.]+\thost\.docker\.internal$/m);
    const hosts = await within(green.Id, "cat /etc/hosts");
    assert.match(hosts, /^192\.0\.2\.7\tdb$/m);
    assert.doesNotMatch(hosts, /host\.docker/, "a list of one color replaces that of both");
    const { HostConfig, NetworkSettings } = (await inspect(blue.Id)) as typeof blue & {
      HostConfig: { NanoCpus: number; Dns: string[]; LogConfig: object };
    };
    assert.deepEqual([HostConfig.NanoCpus, HostConfig.Dns], [1.5e9, ["192.0.2.53"]]);
    assert.deepEqual(HostConfig.LogConfig, { Type: "local", Config: { "max-size": "1m" } });
    assert.ok(NETWORK in NetworkSettings.Networks && Object.keys(NetworkSettings.Networks).length === 2);
    await stack.expectNoChange();

    await stack.set({ green: { container: { shmSize: 49 } } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    // What the provider does not see go.
    await stack.unset("green.container.user");
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.equal(
      await within((await stack.container("green")).Id, "id -u; df -m /dev/shm | awk 'NR == 2 { print $2 }'"),
      "1000\n49",
    );
    await stack.expectNoChange();
  });

  it("N3 what would break the component is refused with its reason, before anything is touched", async () => {
    const setBack = stack.keepConfig();
    await stack.set({
      container: {
        networkMode: "host",
        networks: ["host"],
        ports: [{ internal: 80 }],
        hosts: [{ ip: "::1" }],
      },
    });
    const { output } = await stack.upFails();
    assert.match(output, /container\.networkMode: is the component's own: nginx reaches a color by its name/);
    assert.match(output, /container\.ports: is the component's own: a color publishes no ports\./);
    assert.match(output, /container\.networks\[0\]: is "host", which is no network beside others/);
    assert.match(
      output,
      /container\.hosts\[0\]\.ip: is "::1", but must be an IPv4 address, or "host-gateway"/,
    );
    setBack();
    await stack.set({ container: { networks: ["bgtest-nowhere"] } });
    assert.match(
      (await stack.upFails()).output,
      /container\.networks: there is no network bgtest-nowhere on the Docker host/,
    );
    setBack();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  });

  it("N16 files and an env file reach the containers, are changed by a new one, and can be read nowhere else", async () => {
    const env = path.join(stack.folder, "shop.env");
    writeFileSync(env, "FROM_FILE=s3cr3t-env\nOVER=file\n");
    await stack.set({
      envFile: env,
      env: { OVER: "env" },
      files: [{ path: "/run/secrets/key", permissions: "0440" }],
      green: { files: [{ path: "/etc/shop/green.conf", content: "paint=green" }] },
    });
    await stack.setSecret("files[0].content", "s3cr3t-file\nof two lines");
    const { output } = await stack.up("--diff");
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    const [blue, green] = [await stack.container("blue"), await stack.container("green")];
    const facts = "cat /run/secrets/key; stat -c ' %a %U' /run/secrets/key; echo $FROM_FILE $OVER";
    assert.equal(
      await docker("exec", "--user", "0", blue.Id, "sh", "-c", facts),
      "s3cr3t-file\nof two lines 440 root\ns3cr3t-env env",
    );
    const own =
      "cat /etc/shop/green.conf; stat -c ' %a' /etc/shop/green.conf; ls /run/secrets 2>/dev/null || :";
    assert.equal(await within(green.Id, own), "paint=green 444");
    const inspected = await docker("inspect", blue.Id, green.Id);
    assert.doesNotMatch(inspected + output + (await stack.export()), /s3cr3t-file/);
    assert.doesNotMatch(output + (await stack.export()), /s3cr3t-env|paint=green/);
    await stack.expectNoChange();

    await stack.set({ green: { files: [{ content: "paint=grün" }] } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.equal(await within((await stack.container("green")).Id, "cat /etc/shop/green.conf"), "paint=grün");
    await stack.expectNoChange();
  });
});
