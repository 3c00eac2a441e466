import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { registerImport } from "../../components/cli/commands/import";
import { useImages } from "../support/images";
import { useStack } from "../support/stack";
import { run } from "../unit/cli/cli";

interface StackFile {
  config: { [key: string]: unknown };
}
interface Limits {
  Memory: number;
  ReadonlyRootfs: boolean;
  Tmpfs: object;
  CapDrop: string[];
  LogConfig: { Config: object };
}
interface Answered {
  env: { [name: string]: string };
  headers: { [name: string]: string };
}

describe("N13 a service of a compose file", function () {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({});
  const write = (file: string, text: string) => {
    const whole = path.join(stack.folder, file);
    mkdirSync(path.dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  };
  const stackFile = () => path.join(stack.folder, `Pulumi.${stack.name}.yaml`);
  const imported = async (...flags: string[]) => {
    const file = path.join(stack.folder, "old/docker-compose.yml");
    const ran = await run(
      registerImport,
      "import",
      file,
      "service",
      "--pulumi-project",
      stack.project,
      ...flags,
    );
    assert.equal(ran.code, 0, ran.err);
    return ran;
  };

  before("the compose file, with what it names beside it", () => {
    write("old/.env", `TAG=${images.one.split(":")[1]}\nTOKEN=planted-1\n`);
    write("old/web.env", "FROM_FILE='a $b'\nAPI_TOKEN=${TOKEN}\n");
    write("old/greeting.txt", "hello\n");
    write(
      "old/docker-compose.yml",
      `name: old
x-log: &log { driver: json-file, options: { max-size: 1m, max-file: "2" } }
services:
  service:
    image: ${images.one.split(":")[0]}:\${TAG}
    init: true
    ports: ["127.0.0.1:${stack.port}:3000"]
    env_file: web.env
    environment:
      REDIS_URL: redis://cache:6379/0
      GREETING: "\${WORD:-no}"
    volumes:
      - ./greeting.txt:/greeting.txt:ro
    tmpfs: /scratch:size=1m
    read_only: true
    ulimits: { nofile: { soft: 2000, hard: 4000 } }
    mem_limit: 128m
    cap_drop: [ALL]
    stop_grace_period: 2s
    labels: { com.example.team: web }
    logging: *log
    restart: unless-stopped
    healthcheck:
      test: ["CMD-SHELL", "curl -fs http://localhost:3000/health | grep -q UP"]
      interval: 10s
      timeout: 2s
    depends_on: [cache]
  cache:
    image: redis:8.0.6
`,
    );
  });

  it("is imported, deployed by `pulumi up`, and answers", async () => {
    const { out, err } = await imported();
    assert.doesNotMatch(out + err, /planted-1/);
    const former = parse(readFileSync(stackFile(), "utf8")) as StackFile;
    const hostKey = `${stack.project}:host`;
    const { config } = parse(out) as StackFile;
    // What the tests' own machine needs, and the secret as standard error says it.
    if (former.config[hostKey] !== undefined) config[hostKey] = former.config[hostKey];
    writeFileSync(stackFile(), stringify({ ...former, config }));
    await stack.set({ proxy: { previewPort: stack.previewPort }, drainSeconds: 2 });
    assert.match(err, /pulumi config set --secret --path env\.API_TOKEN\n/);
    await stack.setSecret("env.API_TOKEN", "planted-1");
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });

    const { env } = JSON.parse((await stack.live()).body) as Answered;
    assert.deepEqual(
      [env.FROM_FILE, env.API_TOKEN, env.GREETING, env.PORT],
      ["a $b", "planted-1", "no", "3000"],
    );
    assert.equal(env.REDIS_URL, `redis://${(await stack.outputs()).redisHost}:6379`);
    const { HostConfig, Config } = await stack.container("blue");
    const limits = HostConfig as unknown as Limits;
    assert.deepEqual(
      {
        memory: limits.Memory,
        readOnly: limits.ReadonlyRootfs,
        tmpfs: limits.Tmpfs,
        drops: limits.CapDrop,
        team: Config.Labels["com.example.team"],
        log: limits.LogConfig.Config,
      },
      {
        memory: 128 * 1024 ** 2,
        readOnly: true,
        tmpfs: { "/scratch": "size=1m" },
        drops: ["ALL"],
        team: "web",
        log: { "max-file": "2", "max-size": "1m" },
      },
    );
    await stack.expectNoChange();
  });

  it("is the same service as a program in TypeScript", async () => {
    const { out, err } = await imported("--format", "typescript");
    const program = out
      .replace('from "bluegreen"', 'from "./components/index"')
      .replace(/port: \d+/, (port) => `${port}, previewPort: ${stack.previewPort}`)
      .replace(/^ {2}activeColor/m, "  drainSeconds: 2,\n  host: readConfig().host,\n  activeColor")
      .replace("{ BlueGreenService }", "{ BlueGreenService, readConfig }");
    write("index.ts", program);
    assert.match(err, /pulumi config set --secret API_TOKEN\n/);
    await stack.setSecret("API_TOKEN", "planted-1");
    const { changes, output } = await stack.preview();
    // The component's own record has fewer defaults in it: those of Pulumi.yaml are for readConfig().
    assert.deepEqual(changes, { service: "update" });
    assert.match(output, /blue stays live .*no new image and no switch/);
    await stack.unset("API_TOKEN");
  });

  it("takes its next version as a release, which is a flip", async () => {
    const { out } = await imported("--image", images.two);
    assert.equal(
      (parse(out) as { config: { [key: string]: { image?: string } } }).config[`${stack.project}:green`]
        .image,
      images.two,
    );
    write("index.ts", readFileSync(path.resolve(__dirname, "../../index.ts"), "utf8"));
    await stack.set({ green: { image: images.two } });
    await stack.up();
    await stack.set({ activeColor: "green" });
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });
});
