import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { registerImport } from "../../../components/cli/commands/import";
import { run } from "./cli";
import { argsOf } from "./stackFile";

const SAMPLES = path.join(__dirname, "samples");
const sample = (file: string, service: string, ...flags: string[]) =>
  run(registerImport, "import", path.join(SAMPLES, file), service, "--pulumi-project", "shop", ...flags);

describe("bluegreen import: files as there are many", () => {
  it("django with a worker: the Redis that both use stays where it is", async () => {
    const ran = await sample("django/docker-compose.yml", "web");
    assert.deepEqual(argsOf(ran), {
      activeColor: "blue",
      blue: { image: "registry.example.com/shop:1.4.2" },
      green: { image: "registry.example.com/shop:1.4.2" },
      containerPort: 8000,
      command: ["gunicorn", "shop.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3"],
      env: {
        DJANGO_SETTINGS_MODULE: "shop.settings.production",
        ALLOWED_HOSTS: "shop.example.com,localhost",
        EMAIL_PORT: "587",
        DEBUG: "0",
        REDIS_URL: "redis://redis:6379/0",
        CELERY_BROKER_URL: "redis://redis:6379/1",
      },
      volumes: [
        { volumeName: "shop_static", containerPath: "/app/static" },
        { volumeName: "shop-media", containerPath: "/app/media" },
      ],
      restart: "unless-stopped",
      timeZone: "Europe/Vienna",
      health: { path: "/healthz/", timeoutSeconds: 10, gateTimeoutSeconds: 130 },
      network: { name: "shop_default" },
      workers: { worker: { command: ["celery", "-A", "shop", "worker", "-l", "info"], env: { DEBUG: "1" } } },
    });
    assert.match(ran.err, /pulumi config set --secret --path env\.SECRET_KEY\n/);
    assert.match(ran.err, /services\.web\.build \(line 6\)/);
    assert.match(ran.err, /redis stays in the compose project, since worker uses it too/);
    assert.match(ran.err, /services\.nginx: the component's nginx takes its place/);
    assert.match(
      ran.err,
      /services\.db: it stays in the compose project, and the colors reach it by its name/,
    );
    assert.match(
      ran.err.replace(/\s+/g, " "),
      /services\.worker: it becomes workers\.worker, .*Stop it in the compose project before 'pulumi up'/,
    );
    assert.doesNotMatch(ran.out + ran.err, /hunter2|not-a-variable/, "a secret is printed");
  });

  it("django with a Redis of its own: what names the other one is left out, and the command that helps is there", async () => {
    const ran = await sample("django/docker-compose.yml", "web", "--redis", "own");
    const { redis, env } = argsOf(ran);
    assert.deepEqual(redis, { enabled: true, image: "redis:7.2-alpine" });
    assert.equal(env?.REDIS_URL, undefined);
    assert.equal(env?.CELERY_BROKER_URL, undefined);
    const words = ran.err.replace(/\s+/g, " ");
    assert.match(words, /CELERY_BROKER_URL names redis/);
    assert.ok(
      words.includes('export CELERY_BROKER_URL=\\"$REDIS_URL/1\\"; exec gunicorn shop.wsgi:application'),
    );
    assert.match(words, /the volume shop_redis comes along only by docs\/compose\.md/);
  });

  it("node with hardening: rights, limits, log and Redis", async () => {
    const ran = await sample("node/compose.yaml", "app");
    assert.deepEqual(argsOf(ran), {
      activeColor: "blue",
      blue: { image: "ghcr.io/example/notes:2.11.0" },
      green: { image: "ghcr.io/example/notes:2.11.0" },
      containerPort: 3000,
      env: { NODE_ENV: "production", LOG_LEVEL: "info", FEATURE_X: "true" },
      volumes: [
        {
          hostPath: path.join(SAMPLES, "node/secrets/mail.txt"),
          containerPath: "/run/secrets/mail_password",
          readOnly: true,
        },
      ],
      memoryMb: 512,
      container: {
        capabilities: { drops: ["ALL"] },
        cpus: 0.5,
        dns: ["1.1.1.1"],
        hosts: [{ host: "host.docker.internal", ip: "host-gateway" }],
        init: true,
        readOnly: true,
        securityOpts: ["no-new-privileges", "seccomp=unconfined"],
        tmpfs: { "/tmp": "size=64m,mode=1777", "/run": "" },
        ulimits: [
          { name: "nproc", soft: 65535, hard: 65535 },
          { name: "nofile", soft: 20000, hard: 40000 },
        ],
        user: "1000:1000",
      },
      logs: { maxSizeMb: 20, maxFiles: 5 },
      restart: "on-failure",
      labels: { "com.example.team": "notes" },
      stopGraceSeconds: 90,
      health: { path: "/api/health", timeoutSeconds: 3 },
      redis: { enabled: true, image: "redis:8.0.6", memoryMb: 256 },
      proxy: { port: 8080, bindAddress: "127.0.0.1" },
    });
    for (const key of ["develop", "ports[1]", 'labels["traefik.enable"]'])
      assert.ok(ran.err.includes(`services.app.${key} (line `), key);
    assert.match(ran.err, /pulumi config set --secret --path redis\.password\n/);
    assert.doesNotMatch(ran.out + ran.err, /s3cret|p w/);
  });

  it("mastodon-like: of two networks the one on which what it needs is, beside nginx's own", async () => {
    const ran = await sample("mastodon/docker-compose.yml", "web");
    const args = argsOf(ran);
    assert.equal(args.network, undefined, "Docker publishes no port on an internal one");
    assert.deepEqual(args.container, { networks: ["mastodon_internal_network"] });
    assert.deepEqual(args.health, { path: "/health", bodyText: "OK" });
    assert.deepEqual(args.proxy, { port: 3000, bindAddress: "127.0.0.1" });
    assert.equal(args.env?.DB_HOST, "db");
    assert.equal(args.env?.OTP_SECRET, undefined);
    assert.match(
      ran.err.replace(/\s+/g, " "),
      /the colors join mastodon_internal_network, on which db, redis can be reached by name\. It has to be there/,
    );
  });

  it("ghost-like: no health check is said, an external volume keeps its name", async () => {
    const ran = await sample("ghost/docker-compose.yml", "ghost");
    const args = argsOf(ran);
    assert.deepEqual(args.volumes, [{ volumeName: "ghost_ghost", containerPath: "/var/lib/ghost/content" }]);
    assert.deepEqual([args.containerPort, args.proxy], [2368, { port: 8080 }]);
    assert.match(ran.err, /there is no health check/);
    const { volumes } = argsOf(await sample("ghost/docker-compose.yml", "db", "--container-port", "3306"));
    assert.deepEqual(volumes, [{ volumeName: "blog-db", containerPath: "/var/lib/mysql" }]);
  });

  it("rails with anchors, merge keys and x- fields", async () => {
    const ran = await sample("rails/docker-compose.yml", "app");
    const args = argsOf(ran);
    assert.deepEqual(args.command, ["./bin/rails", "server", "-b", "0.0.0.0"]);
    assert.deepEqual(args.env, {
      LANG: "C.UTF-8",
      RAILS_ENV: "production",
      RAILS_LOG_TO_STDOUT: "1",
      WEB_CONCURRENCY: "2",
    });
    assert.deepEqual(args.container, {
      capabilities: { adds: ["CAP_NET_RAW"], drops: ["CAP_MKNOD"] },
      cpus: 1.5,
      entrypoints: ["./bin/docker-entrypoint"],
      networks: ["web"],
      workingDir: "/rails",
    });
    assert.deepEqual([args.memoryMb, args.restart, args.containerPort], [1024, "on-failure", 3000]);
    assert.deepEqual(args.health, { path: "/up", hostHeader: "app.example.com", gateTimeoutSeconds: 90 });
    assert.deepEqual(args.network, { name: "rails_backend" });
    assert.deepEqual(args.labels, { "org.example.owner": "web team" });
    // The line of an anchor's part is the one that it stands in.
    assert.match(ran.err, /services\.app\.restart \(line 12\): tries 5 times/);
    assert.deepEqual(args.workers, { jobs: { command: ["./bin/jobs", "worker"] } });
    assert.match(ran.err, /services\.migrate: it runs once before the service/);
    assert.match(ran.err, /services\.watchtower: nothing takes its place/);
  });

  it("extends: what a service adds to another of the file", async () => {
    const args = argsOf(await sample("rails/docker-compose.yml", "jobs"));
    assert.deepEqual(args.command, ["./bin/jobs", "worker"]);
    assert.deepEqual(args.container?.entrypoints, ["./bin/docker-entrypoint"]);
    assert.equal(args.env?.WEB_CONCURRENCY, "2");
  });

  it("a program compiles, and asks for its secrets", async function () {
    this.timeout(60_000);
    const { code, out, err } = await sample("node/compose.yaml", "app", "--format", "typescript");
    assert.equal(code, 0, err);
    assert.match(out, /SESSION_SECRET: config\.requireSecret\("SESSION_SECRET"\)/);
    assert.match(out, /password: config\.requireSecret\("redis-password"\)/);
    assert.match(err, /pulumi config set --secret redis-password\n/);
    const root = path.resolve(__dirname, "../../..");
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-program-"));
    try {
      symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
      writeFileSync(
        path.join(folder, "index.ts"),
        out.replace('"bluegreen"', JSON.stringify(path.join(root, "components/index"))),
      );
      const tsc = path.join(root, "node_modules/typescript/bin/tsc");
      const options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--target",
        "es2023",
        "--module",
        "nodenext",
      ];
      execFileSync(process.execPath, [tsc, ...options, "--types", "node", "--esModuleInterop", "index.ts"], {
        cwd: folder,
        stdio: "pipe",
      });
    } catch (error) {
      assert.fail(String((error as { stdout?: Buffer }).stdout ?? error));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("what is left out stands in the stack file as a comment, too", async () => {
    const { out, err } = await sample("node/compose.yaml", "app");
    const told = [...err.matchAll(/^ {2}(services\S+ \(line \d+\)): /gm)].map(([, where]) => where);
    assert.ok(told.length > 5);
    for (const where of told) assert.ok(out.includes(`#   ${where}: `), where);
  });
});
