import assert from "node:assert/strict";
import path from "node:path";
import { stringify } from "yaml";
import { registerImport } from "../../../components/cli/commands/import";
import { run, useFolder } from "./cli";
import { argsOf } from "./stackFile";

/** Texts stay texts to any reader. */
const QUOTED = { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE" } as const;

describe("bluegreen import: one key at a time", () => {
  const { folder, write } = useFolder();
  let files = 0;
  const file = (service: object, { services, ...rest }: { services?: object } = {}) =>
    write(
      `${++files}/compose.yml`,
      stringify({ name: "p", ...rest, services: { web: service, ...services } }, QUOTED),
    );
  const imported = (service: object, { rest = {}, flags = [] as string[] } = {}) =>
    run(
      registerImport,
      "import",
      file({ image: "shop:1.0.0", ...service }, rest),
      "web",
      "--pulumi-project",
      "shop",
      ...flags,
    );
  const argsFor = async (service: object, more = {}) => argsOf(await imported(service, more));
  const saysOf = async (service: object, more = {}) =>
    (await imported(service, more)).err.replace(/\s+/g, " ");

  it("health: what curl and wget ask, and what else there is", async () => {
    const inShell = (line: string) => ({ kind: "command", command: ["sh", "-c", line] });
    const cases: [unknown, object | undefined][] = [
      [["CMD", "curl", "-f", "http://localhost:8080/up"], { path: "/up" }],
      ["curl --fail http://localhost:8080 || exit 1", { path: "/" }],
      [["CMD-SHELL", "curl -fsSLo /dev/null http://web:8080/a?b=c"], { path: "/a?b=c" }],
      [["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/ready"], { path: "/ready" }],
      [["CMD", "/usr/bin/wget", "--spider", "localhost:8080/x"], { path: "/x" }],
      [
        'test -f /ready && curl -sf -H "Host: a.example" http://[::1]:8080/h',
        { path: "/h", hostHeader: "a.example" },
      ],
      [
        "curl -s localhost:8080/actuator/health | grep -q '\"UP\"'",
        { path: "/actuator/health", bodyText: '"UP"' },
      ],
      ["curl -f http://localhost:$$PORT_OF/h", { path: "/h" }],
      [["CMD", "curl", "http://localhost:8080/h", "-m", "2"], { path: "/h" }],
      // Where an image has neither, its own language asks.
      [
        ["CMD", "node", "-e", "fetch('http://localhost:8080/h').then((r) => process.exit(r.ok ? 0 : 1))"],
        { path: "/h" },
      ],
      [`node -e "require('http').get(\\"http://127.0.0.1:8080/h\\")"`, { path: "/h" }],
      [
        ["CMD", "python3", "-c", 'import urllib.request as u; u.urlopen("http://localhost:8080/h")'],
        { path: "/h" },
      ],
      [["CMD", "curl", "-f", "http://localhost:9000/up"], { path: "/up", port: 9000 }],
      // What is no plain request is run: another service, TLS, another program, a variable that is not there.
      ...[
        ["node", "-e", "fetch('http://db:8080/h')"],
        ["node", "-e", "fetch('http://localhost:8080/a'); fetch('http://localhost:8080/b')"],
        ["curl", "-f", "http://db:8080/up"],
        ["curl", "-fk", "https://localhost:8080/up"],
        ["pg_isready"],
        ["node", "health.js"],
      ].map((command): [unknown, object] => [["CMD", ...command], { kind: "command", command }]),
      ["curl http://localhost:$$NOWHERE/h", inShell("curl http://localhost:$NOWHERE/h")],
      [["CMD-SHELL", "pg_isready || exit 1"], inShell("pg_isready || exit 1")],
      ["test -f /ready", inShell("test -f /ready")],
      [["NONE"], undefined],
    ];
    for (const [test, health] of cases) {
      const args = await argsFor({
        ports: ["80:8080"],
        environment: { PORT_OF: "8080" },
        healthcheck: { test },
      });
      assert.deepEqual(args.health, health, JSON.stringify(test));
    }
  });

  it("health: what a check does that the gate does not is said", async () => {
    const check = (test: string) => saysOf({ ports: ["80:80"], healthcheck: { test } });
    assert.match(await check("curl -f -u a:b http://localhost/h"), /has -u a:b, which the gate does not do/);
    assert.match(await check("curl -X POST http://localhost/h"), /has -X POST/);
    assert.match(await check("curl http://localhost/h | grep -c 'U.*P'"), /has \| grep -c 'U\.\*P'/);
  });

  it("health: a script may do more than ask, and that is said", async () => {
    const test = ["CMD", "node", "-e", "fetch('http://localhost:80/h')"];
    assert.match(
      await saysOf({ ports: ["80:80"], healthcheck: { test } }),
      /healthcheck\.test \(line \d+\): is a script: the gate sends a plain GET to the address in it, and wants 2xx/,
    );
  });

  it("ports: all forms", async () => {
    const cases: [unknown[], object][] = [
      [["80:8000"], { port: 80 }],
      [["127.0.0.1:81:8000/tcp"], { port: 81, bindAddress: "127.0.0.1" }],
      [["8081:8000"], { port: 8081, previewPort: 8082 }],
      [["53:53/udp", "82:8000"], { port: 82 }],
      [[{ target: 8000, published: 83 }], { port: 83 }],
      [["84-85:8000-8001"], { port: 84 }],
      [["0.0.0.0:86:8000"], { port: 86 }],
    ];
    for (const [ports, proxy] of cases) {
      const args = await argsFor({ ports });
      assert.deepEqual([args.containerPort, args.proxy], [8000, proxy], JSON.stringify(ports));
    }
    assert.deepEqual((await argsFor({ ports: [8000] })).proxy, undefined);
    assert.equal((await argsFor({ expose: ["9000"] })).containerPort, 9000);
    assert.equal((await argsFor({ environment: ["PORT=9001"] })).containerPort, 9001);
    const several = { ports: ["80:8000", "90:9000"] };
    assert.deepEqual((await argsFor(several, { flags: ["--container-port", "9000"] })).proxy, { port: 90 });
    assert.match(await saysOf(several), /9000 is published too.*--container-port 9000/);
  });

  it("an address that the component does not take is left out, with the component's own reason", async () => {
    const ran = await imported({ ports: ["[::1]:80:8000"] });
    assert.deepEqual(argsOf(ran).proxy, { port: 80 });
    assert.match(
      ran.err.replace(/\s+/g, " "),
      /services\.web\.ports\[0\] \(line \d+\): would be proxy\.bindAddress, which is "::1", but must be an IPv4 address/,
    );
  });

  it("one wrong item of a list does not take the others along", async () => {
    const volumes = ["a-volume:/a", "x:/b", { type: "volume", source: "c-volume", target: "/c" }];
    const args = await argsFor({ volumes }, { rest: { volumes: { x: { name: "!" } } } });
    assert.deepEqual(
      args.volumes?.map(({ volumeName }) => volumeName),
      ["p_a-volume", "p_c-volume"],
    );
  });

  it("volumes: all forms", async () => {
    const ran = await imported(
      {
        volumes: [
          "data:/d:ro",
          "./x:/x",
          "/abs:/y/:ro,z",
          "/anon",
          { type: "tmpfs", target: "/t", tmpfs: { size: 1024 } },
          ".:/app",
        ],
      },
      { rest: { volumes: { data: { external: true } } } },
    );
    const args = argsOf(ran);
    const here = path.join(folder, String(files));
    assert.deepEqual(args.volumes, [
      { volumeName: "data", containerPath: "/d", readOnly: true },
      { hostPath: path.join(here, "x"), containerPath: "/x" },
      { hostPath: "/abs", containerPath: "/y", readOnly: true },
      { hostPath: here, containerPath: "/app" },
    ]);
    assert.deepEqual(args.container?.tmpfs, { "/t": "size=1024" });
    const words = ran.err.replace(/\s+/g, " ");
    assert.match(words, /z of \/y has no setting/);
    assert.match(words, /\/anon has no name/);
    assert.match(words, /hides what the image has in \/app/);
  });

  it("memory: both places, in units of 1,024", async () => {
    assert.equal((await argsFor({ mem_limit: "1.5g" })).memoryMb, 1536);
    assert.equal((await argsFor({ mem_limit: 1000 })).memoryMb, 1);
    const deploy = (memory: string) => ({ deploy: { resources: { limits: { memory } } } });
    assert.equal((await argsFor(deploy("64M"))).memoryMb, 64);
    assert.match(await saysOf({ mem_limit: "much" }), /is "much", which is no size/);
  });

  it("what the container has under nearly the same name", async () => {
    const cases: [object, object | undefined][] = [
      [{ cpus: 1.5 }, { cpus: 1.5 }],
      [{ cpus: "0.5" }, { cpus: 0.5 }],
      [{ cpus: 0 }, undefined],
      [{ deploy: { resources: { limits: { cpus: "2" } } } }, { cpus: 2 }],
      [
        { cpuset: "0,1", cpu_shares: 512 },
        { cpuSet: "0,1", cpuShares: 512 },
      ],
      [{ shm_size: "128m" }, { shmSize: 128 }],
      [{ init: true, read_only: false }, { init: true }],
      [
        { user: "1000", working_dir: "/app", group_add: ["docker", 44] },
        { user: "1000", workingDir: "/app", groupAdds: ["docker", "44"] },
      ],
      [
        { dns: "10.0.0.2", dns_search: ["a.example", "b.example"], dns_opt: ["ndots:1"] },
        { dns: ["10.0.0.2"], dnsSearches: ["a.example", "b.example"], dnsOpts: ["ndots:1"] },
      ],
      [
        // The component takes no IPv6 there.
        { extra_hosts: ["a:10.0.0.7", "b=::1", "c:[::2]", "d=host-gateway"] },
        {
          hosts: [
            { host: "a", ip: "10.0.0.7" },
            { host: "d", ip: "host-gateway" },
          ],
        },
      ],
      [{ extra_hosts: { a: "10.0.0.7" } }, { hosts: [{ host: "a", ip: "10.0.0.7" }] }],
      [{ sysctls: { "net.core.somaxconn": 1024 } }, { sysctls: { "net.core.somaxconn": "1024" } }],
      [{ sysctls: ["net.core.somaxconn=1024"] }, { sysctls: { "net.core.somaxconn": "1024" } }],
      [
        { devices: ["/dev/ttyUSB0:/dev/modem:rw", { source: "/dev/dri" }] },
        {
          devices: [
            { hostPath: "/dev/ttyUSB0", containerPath: "/dev/modem", permissions: "rw" },
            { hostPath: "/dev/dri" },
          ],
        },
      ],
      [{ gpus: "all" }, { gpus: "all" }],
      [{ gpus: [{ count: 2 }] }, { gpus: "2" }],
      [
        {
          deploy: {
            resources: { reservations: { devices: [{ capabilities: ["gpu"], device_ids: ["0"] }] } },
          },
        },
        { gpus: "device=0" },
      ],
      [
        { logging: { driver: "syslog", options: { "syslog-address": "udp://10.0.0.9:514" } } },
        { logDriver: "syslog", logOpts: { "syslog-address": "udp://10.0.0.9:514" } },
      ],
    ];
    for (const [service, container] of cases)
      assert.deepEqual((await argsFor(service)).container, container, JSON.stringify(service));
  });

  it("what the container has, where the component does not take it: with its own reason", async () => {
    const hosts = await saysOf({ extra_hosts: ["a:10.0.0.7", "b=::1", "c:[::2]", "d:10.0.0.8"] });
    assert.deepEqual(
      [...hosts.matchAll(/extra_hosts\[(\d)\] \(line \d+\): would be \S+, which is "(\S+)"/g)].map(
        ([, at, ip]) => [at, ip],
      ),
      [
        ["1", "::1"],
        ["2", "::2"],
      ],
    );
    assert.match(await saysOf({ cpus: "many" }), /would be container\.cpus, which is "many", but must be/);
    assert.match(
      await saysOf({ devices: ["vendor.example/device=gpu"] }),
      /devices\[0\] \(line \d+\): would be container\.devices\[0\], which/,
    );
    const gpus = [{ capabilities: ["gpu"] }, { capabilities: ["tpu"] }];
    assert.match(
      await saysOf({ gpus }),
      /gpus \(line \d+\): are several devices, or no GPUs\. Instead: set container\.gpus/,
    );
  });

  it("several containers, by either key", async () => {
    assert.equal((await argsFor({ scale: 3 })).replicas, 3);
    assert.equal((await argsFor({ deploy: { replicas: "2" } })).replicas, 2);
    assert.equal((await argsFor({ deploy: { replicas: 1 } })).replicas, undefined);
    assert.match(await saysOf({ scale: 3 }), /each color has as many, and both colors run/);
    assert.match(await saysOf({ scale: 40 }), /would be replicas, which is 40, but must be/);
  });

  it("restart: `no` without quotes, and what Docker does not know", async () => {
    for (const [given, restart] of [
      ["no", "no"],
      ["on-failure:3", "on-failure"],
      ["unless-stopped", "unless-stopped"],
    ])
      assert.equal((await argsFor({ restart: given })).restart, restart);
    const unquoted = write("r/compose.yml", "services: { web: { image: 'a:1', restart: no } }");
    assert.equal(
      argsOf(await run(registerImport, "import", unquoted, "web", "--pulumi-project", "shop")).restart,
      "no",
    );
  });

  it("labels, as a list and as a map; Docker Compose's own would make the colors its containers", async () => {
    assert.deepEqual((await argsFor({ labels: ["a=b", "c", "d=e=f"] })).labels, { a: "b", c: "", d: "e=f" });
    const ran = await imported({
      labels: { a: 1, "com.docker.compose.project": "p", "bluegreen.role": "x" },
    });
    assert.deepEqual(argsOf(ran).labels, { a: "1" });
    assert.match(ran.err, /com\.docker\.compose\.project is Docker Compose's\s+own/);
    assert.match(ran.err.replace(/\s+/g, " "), /a label that the component does not set itself/);
  });

  it("commands: words as Docker Compose has them", async () => {
    const cases: [unknown, string[] | undefined][] = [
      ['a \'b c\' "d\\"e" f\\ g', ["a", "b c", 'd"e', "f g"]],
      [
        ["a", "b c"],
        ["a", "b c"],
      ],
      [null, undefined],
      ["a && b", ["a"]],
      [[], undefined],
      ["a 'b", undefined],
    ];
    for (const [command, words] of cases)
      assert.deepEqual((await argsFor({ command })).command, words, JSON.stringify(command));
    const both = await argsFor({ entrypoint: ["a", "b"], command: "c d" });
    assert.deepEqual([both.container, both.command], [{ entrypoints: ["a", "b"] }, ["c", "d"]]);
    const web = { image: "a:1", entrypoint: "a b", command: "c", environment: { Q: "redis://redis:6379/1" } };
    const services = { web, redis: { image: "redis:8" } };
    assert.ok(
      (await saysOf({}, { rest: { services } })).includes(
        String.raw`With this container.entrypoints, and no command, it is set: ["sh","-c","export Q=\"$REDIS_URL/1\"; exec a b c"]`,
      ),
    );
    assert.match(await saysOf({ command: "a && b" }), /Docker Compose drops "&& b"/);
    assert.match(await saysOf({ command: [] }), /is empty, and the image's own can't be taken away/);
  });

  it("a service of the same image that works for it becomes its worker, with what it has otherwise", async () => {
    const image = "shop:1.0.0";
    const jobs = {
      image,
      command: "bundle exec sidekiq -q mailers",
      environment: { A: "1", B: "3", QUEUE_PASSWORD: "hunter2", TZ: "Asia/Tokyo", HOME_OF: "search" },
      volumes: ["jobs:/jobs"],
      deploy: { replicas: 2, resources: { limits: { memory: "1g", cpus: "1.5" } } },
      stop_grace_period: "1m",
      restart: "always",
      healthcheck: { test: ["CMD", "true"] },
    };
    const web = { environment: { A: "1", B: "2" }, mem_limit: "256m" };
    const rest = { services: { delayed_jobs: jobs, search: { image: "search:1" } } };
    const { workers, network } = await argsFor(web, { rest });
    assert.deepEqual(workers, {
      "delayed-jobs": {
        command: ["bundle", "exec", "sidekiq", "-q", "mailers"],
        cpus: 1.5,
        env: { B: "3", HOME_OF: "search" },
        memoryMb: 1024,
        stopGraceSeconds: 60,
      },
    });
    assert.deepEqual(network, { name: "p_default" }, "it has to reach what it needs");
    const says = await saysOf(web, { rest });
    assert.match(says, /services\.delayed_jobs \(line \d+\): differs from web in volumes/);
    assert.match(says, /services\.delayed_jobs\.deploy \(line \d+\): runs 2 times, and a worker is one/);
    assert.match(says, /services\.delayed_jobs\.environment\.TZ .*is set by the component itself/);
    assert.match(
      says,
      /pulumi config set --secret --path 'workers\["?delayed-jobs"?\]\.env\.QUEUE_PASSWORD'/,
    );
    assert.doesNotMatch(says, /hunter2/);
    // What names a Redis that is replaced is built in its command, too.
    const redis = { image: "redis:8" };
    const queue = {
      jobs: { image, command: "rq worker", environment: { Q: "redis://redis:6379/1" } },
      redis,
    };
    const flags = ["--redis", "own"];
    assert.match(
      await saysOf({ depends_on: ["redis"] }, { rest: { services: queue }, flags }),
      /services\.jobs\.environment .*"export Q=\\"\$REDIS_URL\/1\\"; exec rq worker"/,
    );
    // Without a limit of its own it had none. Of one build it is the same image, whatever that is called.
    const free = { build: ".", image: "shop-jobs", command: "rq worker" };
    const { workers: two } = await argsFor({ ...web, build: "." }, { rest: { services: { free } } });
    assert.deepEqual(two?.free, { command: ["rq", "worker"], memoryMb: 0 });
  });

  it("what is of the same image and can't be a worker, or is none, stays where it is, and that is said", async () => {
    const image = "shop:1.0.0";
    write(".env", "DB_PASSWORD=hunter2\n");
    const cases: [object, RegExp][] = [
      [
        { image: "shop:0.9", command: "celery worker" },
        /it has another version of the image: set it by hand/,
      ],
      [{ image }, /it has no command of its own/],
      [{ image, command: null }, /it has no command of its own/],
      [{ image, command: "work", entrypoint: ["tini"] }, /it has another entrypoint/],
      [{ image, command: "work amqp://a:hunter2@queue" }, /its command has a secret in it/],
      [
        { image, command: "gunicorn --worker-class gevent", ports: ["81:80"] },
        /it has the same image: it stays/,
      ],
      [{ image, command: "rake db:migrate" }, /it runs once before the service/],
      [{ image: "other/shop:1.0.0", command: "celery worker" }, /jobs: it stays in the compose project/],
      // That file is not read, and it is not what is imported.
      [
        { extends: { file: "x.yml", service: "y" }, command: "celery worker" },
        /jobs: it stays in the compose/,
      ],
    ];
    for (const [jobs, text] of cases) {
      const more = { rest: { services: { jobs } } };
      assert.match(await saysOf({}, more), text);
      assert.equal((await argsFor({}, more)).workers, undefined);
    }
  });

  it("all networks on which what it needs is are joined; Docker publishes no port on an internal one", async () => {
    const needs = { depends_on: ["db", "search"] };
    const networks = { front: {}, back: { internal: true }, far: { external: true, name: "lan" }, idle: {} };
    const services = (db: string[], search: string[]) => ({
      networks,
      services: {
        db: { image: "postgres:16", networks: db },
        search: { image: "search:1", networks: search },
      },
    });
    const both = { ...needs, networks: ["back", "front", "far", "idle"] };
    const args = await argsFor(both, { rest: services(["back"], ["front"]) });
    assert.deepEqual(args.network, { name: "p_front" });
    assert.deepEqual(args.container?.networks, ["p_back", "lan"]);
    const says = await saysOf({ ...needs, networks: ["back"] }, { rest: services(["back"], ["front"]) });
    assert.match(says, /search: on no network of this service\. Instead: add back to the networks of search/);
  });

  it("secrets are found by their names and by what they are", async () => {
    const environment = {
      DB_PASSWORD: "x",
      API_KEY: "x",
      CACHE_URL: "redis://:pw@elsewhere/0",
      PEM: "-----BEGIN KEY-----",
      TOKEN_FILE: "/run/secrets/token",
      PASSWORD_RESET: "true",
      KEYBOARD: "de",
      TOKENS: "many",
    };
    const { env } = await argsFor({ environment });
    assert.deepEqual(Object.keys(env ?? {}), ["TOKEN_FILE", "PASSWORD_RESET", "KEYBOARD", "TOKENS"]);
  });

  it("secrets are printed nowhere else either", async () => {
    write("s/.env", "DB_PASSWORD=hunter2\nPLAIN=hunter3\n");
    const text = (more: string) =>
      run(
        registerImport,
        "import",
        write("s/compose.yml", `services: { web: { image: "a:1", ${more} } }`),
        "web",
        ...["--pulumi-project", "shop"],
      );
    for (const more of [
      'healthcheck: { test: "mysqladmin ping -p${DB_PASSWORD}" }',
      'healthcheck: { test: "curl localhost:3000/h?secret=${DB_PASSWORD}" }',
      'healthcheck: { test: "curl -u a:${DB_PASSWORD} localhost:3000/secret" }',
      'healthcheck: { test: ["CMD", "check", "amqp://a:hunter2@queue"] }',
      'command: "app --password ${DB_PASSWORD}"',
      'entrypoint: ["app", "postgres://shop:hunter2@db/shop"]',
      "logging: { driver: splunk, options: { splunk-token: hunter2 } }",
    ]) {
      const { code, out, err } = await text(more);
      assert.equal(code, 0, err);
      assert.match(out + err, /secret/, more);
      assert.doesNotMatch(out + err, /hunter2/, more);
    }
    // What names the component's Redis is moved into the command, which is shown.
    const moved = await text(
      'command: "app ${DB_PASSWORD}", environment: { Q: "redis://redis:6379/1" } }, redis: { image: "redis:8"',
    );
    assert.match(moved.err.replace(/\s+/g, " "), /export Q=.*; exec WHAT IS STARTED NOW/);
    assert.doesNotMatch(moved.out + moved.err, /hunter2/);
    const dropped = await text('command: "app; other ${DB_PASSWORD}"');
    assert.doesNotMatch(dropped.out + dropped.err, /hunter2/);
    assert.match((await text('command: "app ${PLAIN} $${DB_PASSWORD}"')).out, /hunter3[^]*\$\{DB_PASSWORD\}/);
  });

  it("variables with names that the component does not take are left out, in words", async () => {
    const ran = await imported({ environment: { "xpack.security.enabled": "false", A: "1", COLOR: "red" } });
    assert.deepEqual(argsOf(ran).env, { A: "1" });
    assert.match(
      ran.err.replace(/\s+/g, " "),
      /env\["xpack\.security\.enabled"\], which must be the name of a variable|the name of a variable/,
    );
    assert.match(ran.err, /COLOR is set by the component/);
  });

  it("text that YAML would take for something else comes through as it is", async () => {
    const environment = {
      A: "no",
      B: "1.10",
      C: "0o17",
      D: "22:22",
      E: "1_000",
      F: "~",
      G: "",
      H: "# x",
      I: "a\nb",
      N: "n",
      Y: "yes",
    };
    assert.deepEqual((await argsFor({ environment })).env, environment);
    const { out } = await imported({ environment });
    // To readers of older YAML these are true, false and numbers.
    for (const line of ['A: "no"', '"N": "n"', '"Y": "yes"', 'D: "22:22"', 'E: "1_000"'])
      assert.ok(out.includes(line), line);
  });
});
