import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Sshd } from "../../offline/plugins/tests/sshd";
import { namesOf } from "../../components/settings";
import { docker, dockerLines, inspect, type Inspected } from "./docker";
import { get, type Answer } from "./http";
import { freePorts } from "./ports";
import { Running, type Ended } from "./running";

/** Whether every stack is tested with an ssh:// host. */
export const OVER_SSH = process.env.BLUEGREEN_TEST_SSH === "true";

const ROOT = path.resolve(__dirname, "../..");

export type ConfigValue = string | number | boolean | ConfigValue[] | { [key: string]: ConfigValue };
export interface Config {
  [key: string]: ConfigValue;
}

/** All stacks share it: an empty one doubles the time of a stack's first command. Not the checkout's, where each stack's program would stay. */
const COMPILE_CACHE = mkdtempSync(path.join(tmpdir(), "bluegreen-cache-"));
process.on("exit", () => rmSync(COMPILE_CACHE, { recursive: true, force: true, maxRetries: 3 }));

/** What a test begins with. Short times, so that the tests are quick; the gate's is one that a busy machine keeps too. */
const QUICK = {
  health: { intervalSeconds: 0.2, timeoutSeconds: 2, gateTimeoutSeconds: 12 },
  drainSeconds: 2,
  stopGraceSeconds: 2,
  // Many tests are about it.
  redis: { enabled: true },
} satisfies Config;

export type Role = "edge" | "proxy" | "blue" | "green" | "redis" | "acme" | "worker";

/** What a Pulumi command printed and did. */
export interface Run {
  /** Standard output and standard error as they came. */
  output: string;
  /** What was done to each resource that did not stay the same, by its name without "service-". */
  changes: { [resource: string]: string };
}

/**
 * A stack of a Pulumi project of its own in a temporary folder: this repository's program, driven as a user does, with
 * `pulumi config` and `pulumi up`, on the real engine and the real Docker. Names, ports and the backend are its own, so
 * that tests neither meet each other nor what else runs here.
 */
export class TestStack {
  /** Of now; see rename. */
  name: string;
  private readonly overSsh: boolean;
  /** All that is its own on this machine; for most stacks the project's folder itself. */
  root = "";
  project = `bgtest-${randomBytes(4).toString("hex")}`;
  /** What Docker knows it by, whatever it is called later. */
  readonly label: string;
  folder = "";
  port = 0;
  previewPort = 0;
  /** What Pulumi finds in its environment beside the usual. */
  readonly extraEnv: NodeJS.ProcessEnv = {};
  private server: Sshd | undefined;

  /** `overSsh`: its host is an SSH server of its own, which has this machine's Docker. For Pulumi there is no Docker here. */
  constructor(
    private readonly initial: Config = {},
    { name = "it", overSsh = OVER_SSH }: { name?: string; overSsh?: boolean } = {},
  ) {
    this.name = name;
    this.overSsh = overSsh;
    this.label = `bluegreen.stack=${this.project}/${this.name}`;
  }

  async create(): Promise<void> {
    this.root = mkdtempSync(path.join(tmpdir(), "bluegreen-it-"));
    this.folder = await this.putProgram();
    mkdirSync(this.path("state"));
    await this.pulumi("stack", "init", this.name);
    [this.port, this.previewPort] = await freePorts(2);
    await this.set(this.basics());
    const { DOCKER_HOST } = process.env;
    if (DOCKER_HOST && !this.overSsh) await this.set({ host: { address: DOCKER_HOST } });
    if (Object.keys(this.initial).length > 0) await this.set(this.initial);
    if (this.overSsh) await this.goOverSsh();
  }

  /** Puts the program into the root, and gives the project's folder. */
  protected putProgram(): string | Promise<string> {
    for (const part of ["components", "index.ts", "package.json", "tsconfig.json"]) {
      cpSync(path.join(ROOT, part), path.join(this.root, part), { recursive: true });
    }
    symlinkSync(path.join(ROOT, "node_modules"), path.join(this.root, "node_modules"));
    const projectFile = readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8");
    writeFileSync(
      path.join(this.root, "Pulumi.yaml"),
      projectFile.replace(/^name: .*$/m, `name: ${this.project}`),
    );
    return this.root;
  }

  /** What is set before what the test itself sets. */
  protected basics(): Config {
    return { ...QUICK, proxy: { port: this.port, previewPort: this.previewPort } };
  }

  /** Another checkout of the same project, whose backend is this one's or a copy of that. Only its folder is to be removed. */
  async clone(backend: "shared" | "copied"): Promise<TestStack> {
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-it-"));
    cpSync(this.folder, folder, { recursive: true });
    const clone = Object.assign(new TestStack(), this, {
      root: folder,
      folder,
      extraEnv: { ...this.extraEnv },
    });
    if (backend === "shared") clone.extraEnv.PULUMI_BACKEND_URL = this.env.PULUMI_BACKEND_URL;
    await clone.pulumi("stack", "select", this.name);
    return clone;
  }

  private async goOverSsh(): Promise<void> {
    const { DOCKER_HOST } = process.env;
    this.server = await Sshd.start({ env: DOCKER_HOST === undefined ? {} : { DOCKER_HOST } });
    const { address, hostKey } = this.server;
    await this.set({ host: { address, hostKey, privateKeyFile: this.server.file("user") } });
    this.extraEnv.DOCKER_HOST = "unix:///nowhere";
    this.extraEnv.SSH_AUTH_SOCK = undefined;
  }

  get sshd(): Sshd {
    if (this.server === undefined) throw new Error("this stack's host is not reached over SSH");
    return this.server;
  }

  /** An address like that of its host, at which nobody answers. */
  get nowhere(): string {
    return this.overSsh ? "ssh://root@127.0.0.1:1" : "tcp://127.0.0.1:1";
  }

  /** Removes all of it, also after a failed test; a destroy that fails is still told. */
  async remove(): Promise<void> {
    if (this.folder === "") return;
    try {
      if (existsSync(this.path(`Pulumi.${this.name}.yaml`))) await this.destroy();
    } finally {
      await this.server?.stop();
      await this.removeLeftovers();
      rmSync(this.root, { recursive: true, force: true });
    }
  }

  private async removeLeftovers(): Promise<void> {
    const { containers, volumes, networks } = await this.leftovers();
    if (containers.length > 0) await docker("rm", "--force", "--volumes", ...containers);
    if (volumes.length > 0) await docker("volume", "rm", ...volumes);
    if (networks.length > 0) await docker("network", "rm", ...networks);
  }

  /** What Docker has of this stack, by label. */
  async leftovers() {
    const filter = ["--filter", `label=${this.label}`];
    return {
      containers: await dockerLines("ps", "--all", "--format", "{{.Names}}", ...filter),
      volumes: await dockerLines("volume", "ls", "--quiet", ...filter),
      networks: await dockerLines("network", "ls", "--format", "{{.Name}}", ...filter),
    };
  }

  // --- configuration

  /** `pulumi config set --path` for each value; objects are merged into what is set. */
  async set(config: Config): Promise<void> {
    const values = flatten(config).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await this.pulumi("config", "set-all", "--path", ...values);
  }

  async setSecret(key: string, value: string): Promise<void> {
    const { code, output } = await this.command(["config", "set", "--path", "--secret", key], value).ended;
    if (code !== 0) throw new Error(`pulumi config set ${key} failed with exit code ${code}:\n${output}`);
  }

  async unset(...keys: string[]): Promise<void> {
    await this.pulumi("config", "rm-all", "--path", ...keys);
  }

  /** The function that it gives puts back the configuration of now. */
  keepConfig(): () => void {
    const file = this.path(`Pulumi.${this.name}.yaml`);
    const kept = readFileSync(file, "utf8");
    return () => writeFileSync(file, kept);
  }

  // --- other names

  async rename(name: string): Promise<void> {
    await this.pulumi("stack", "rename", name);
    this.name = name;
  }

  /** As docs/backends.md says it. */
  async renameProject(project: string): Promise<void> {
    await this.pulumi("stack", "rename", `organization/${project}/${this.name}`);
    for (const file of ["Pulumi.yaml", `Pulumi.${this.name}.yaml`]) {
      const text = readFileSync(this.path(file), "utf8");
      writeFileSync(this.path(file), text.replaceAll(this.project, project));
    }
    this.project = project;
    await this.pulumi("stack", "select", this.name);
  }

  /** The component of the program gets another name, and an alias for the one that it had. */
  renameComponent(to: string): void {
    const text = readFileSync(this.path("index.ts"), "utf8");
    const renamed = text.replace(
      /new BlueGreenService\("(.*)", readConfig\(\).*\)/,
      `new BlueGreenService("${to}", readConfig(), { aliases: [{ name: "$1" }] })`,
    );
    writeFileSync(this.path("index.ts"), renamed);
  }

  // --- commands

  up(...flags: string[]): Promise<Run> {
    return this.expectSuccess("up", "--yes", "--skip-preview", ...flags);
  }

  /** An update that has to fail, and that leaves no color running but those that nginx serves. */
  async upFails(...flags: string[]): Promise<Run> {
    const run = await this.expectFailure("up", "--yes", "--skip-preview", ...flags);
    await this.expectAccountedFor(run);
    return run;
  }

  /** An update whose connection to the host is cut: nobody is left there to stop what it has started. The next one does. */
  upIsCutOff(): Promise<Run> {
    return this.expectFailure("up", "--yes", "--skip-preview");
  }

  /** Of all that a failed update has made or kept: what runs is served, and what the switch left is named by it. */
  private async expectAccountedFor({ output }: Run): Promise<void> {
    const colors = [...(await this.containers("blue")), ...(await this.containers("green"))];
    const site = colors.length > 0 ? await siteOf(colors[0]) : "";
    const replicas = (first: string) =>
      Number(new RegExp(`^# replicas: ${first} (\\d+)$`, "m").exec(site)?.[1] ?? 1);
    const served = [...site.matchAll(/^# (?:live|idle): \w+ (\S+)$/gm)].flatMap(([, first]) =>
      namesOf(first, replicas(first)),
    );
    for (const { Name, State } of colors) {
      const name = Name.slice(1);
      if (State.Running && !served.includes(name))
        throw new Error(`${name} runs and is not served:\n${output}`);
      if (output.includes("What there is now:") && !output.includes(`: ${name} (`))
        throw new Error(`${name} is there, and the update did not say so:\n${output}`);
    }
  }

  preview(...flags: string[]): Promise<Run> {
    return this.expectSuccess("preview", ...flags);
  }

  refresh(...flags: string[]): Promise<Run> {
    return this.expectSuccess("refresh", "--yes", "--skip-preview", ...flags);
  }

  destroy(...flags: string[]): Promise<Run> {
    return this.expectSuccess("destroy", "--yes", "--skip-preview", ...flags);
  }

  /** A second update and a refresh that both find nothing to do: the CLI itself fails when there is something. */
  async expectNoChange(): Promise<void> {
    await this.up("--expect-no-changes");
    await this.refresh("--expect-no-changes");
  }

  /** `bluegreen status` finds no difference; what it prints. */
  async inOrder(): Promise<string> {
    const { code, output } = await this.bluegreen("status");
    if (code !== 0) throw new Error(`bluegreen status ended with ${code}:\n${output}`);
    return output;
  }

  /** The state as `pulumi stack export` writes it. */
  async export(): Promise<string> {
    return (await this.pulumi("stack", "export")).output;
  }

  async outputs(): Promise<{ [name: string]: string }> {
    return JSON.parse((await this.pulumi("stack", "output", "--json")).output) as { [name: string]: string };
  }

  private async expectSuccess(...args: string[]): Promise<Run> {
    const { code, ...run } = await this.operate(args);
    if (code !== 0) throw new Error(`pulumi ${args[0]} failed with exit code ${code}:\n${run.output}`);
    return run;
  }

  private async expectFailure(...args: string[]): Promise<Run> {
    const { code, ...run } = await this.operate(args);
    if (code === 0) throw new Error(`pulumi ${args[0]} should have failed, but passed:\n${run.output}`);
    return run;
  }

  private async operate(args: string[]) {
    const log = this.path("events.json");
    rmSync(log, { force: true });
    const result = await this.run(...args, "--event-log", log);
    return { ...result, changes: changesIn(existsSync(log) ? readFileSync(log, "utf8") : "") };
  }

  /** Any command of the CLI on this stack, which has to pass. */
  async pulumi(...args: string[]): Promise<{ output: string }> {
    const { code, output } = await this.run(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} failed with exit code ${code}:\n${output}`);
    return { output };
  }

  /** Any command of the CLI on this stack, however it ends. */
  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  /** The same, to be killed or told something meanwhile. */
  start(...args: string[]): Running {
    return this.command(args);
  }

  private command(args: string[], input?: string): Running {
    return new Running("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.env,
      input,
    });
  }

  /** `npx bluegreen …` in this stack's folder, however it ends. */
  bluegreen(...args: string[]): Promise<Ended> {
    const file = path.join(ROOT, "scripts/launcher/bluegreen");
    return new Running(file, args, { cwd: this.folder, env: this.env }).ended;
  }

  /** Of every command. */
  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PULUMI_BACKEND_URL: fileBackend(this.path("state")),
      PULUMI_CONFIG_PASSPHRASE: "test",
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      // Makes the CLI know --event-log.
      PULUMI_DEBUG_COMMANDS: "true",
      // The program is one for all tests, and its types are checked once: by "lint". For each run that takes as long as all else.
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      // Pulumi takes a stack trace for each promise, and looks up each of its lines in the source: with the usual ten, a fifth of a run's time.
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --stack-trace-limit=1`,
      ...this.extraEnv,
    };
  }

  private path(file: string): string {
    return path.join(this.folder, file);
  }

  // --- what it made

  /** The containers of a role, the newest first; there is more than one while a replaced one waits for its deletion. */
  async containers(role: Role): Promise<Inspected[]> {
    const ids = await dockerLines(
      "ps",
      "--all",
      "--quiet",
      "--no-trunc",
      "--filter",
      `label=${this.label}`,
      "--filter",
      `label=bluegreen.role=${role}`,
    );
    return Promise.all(ids.map(inspect));
  }

  /** The one container of a role. */
  async container(role: Role): Promise<Inspected> {
    const found = await this.containers(role);
    if (found.length !== 1) throw new Error(`${found.length} containers with the role ${role}, not one`);
    return found[0];
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get previewUrl(): string {
    return `http://127.0.0.1:${this.previewPort}`;
  }
  /** Who answers on each port: color and version, or the HTTP status of an answer that has none. */
  async serving(): Promise<{ live: string; idle: string }> {
    const [live, idle] = await Promise.all([this.live(), this.idle()]);
    return { live: whoAnswered(live), idle: whoAnswered(idle) };
  }
  /** What the users get. */
  live(path = "/", timeoutMs?: number): Promise<Answer> {
    return get(this.url + path, timeoutMs);
  }
  /** What the idle color answers. */
  idle(path = "/"): Promise<Answer> {
    return get(this.previewUrl + path);
  }
}

/** As docs/backends.md advises. */
export const fileBackend = (folder: string) => `file://${folder}?metadata=skip`;

/** What is served, as the edge knows it of the service that this container belongs to. Empty where no edge runs. */
async function siteOf({ Config: { Labels } }: Inspected): Promise<string> {
  const edgeBy = async (label: string) => {
    const filters = [`label=${label}=${Labels[label]}`, "label=bluegreen.role=edge"];
    return dockerLines("ps", "--quiet", ...filters.flatMap((one) => ["--filter", one]));
  };
  const [edge] = [...(await edgeBy("bluegreen.ingress")), ...(await edgeBy("bluegreen.id"))];
  const place = `/bluegreen/state/services/${Labels["bluegreen.service"]}`;
  return edge ? docker("exec", edge, "sh", "-c", `cat ${place}/site.conf 2>/dev/null || :`) : "";
}

/** A stack for the tests of a `describe`: made before the first, removed after the last, whatever happened between. */
export function useStack(...args: ConstructorParameters<typeof TestStack>): TestStack {
  return use(new TestStack(...args));
}

export function use<Stack extends TestStack>(stack: Stack): Stack {
  before(() => stack.create());
  after(() => stack.remove());
  return stack;
}

export function whoAnswered({ status, body }: Answer): string {
  if (status !== 200) return `HTTP ${status}`;
  const { color, version } = JSON.parse(body) as { color: string; version: string };
  return `${color} ${version}`;
}

/** As paths of `pulumi config set --path`. */
function flatten(value: ConfigValue, prefix = ""): [string, string][] {
  if (typeof value !== "object") return [[prefix, String(value)]];
  if (Array.isArray(value)) return value.flatMap((item, i) => flatten(item, `${prefix}[${i}]`));
  return Object.entries(value).flatMap(([key, item]) => {
    const step = /^\w+$/.test(key) ? key : `[${JSON.stringify(key)}]`;
    return flatten(item, prefix === "" || step.startsWith("[") ? `${prefix}${step}` : `${prefix}.${step}`);
  });
}

interface EngineEvent {
  resourcePreEvent?: { metadata: { op: string; urn: string; type: string } };
}

function changesIn(log: string): Run["changes"] {
  const changes: Run["changes"] = {};
  for (const line of log.split("\n").filter(Boolean)) {
    const step = (JSON.parse(line) as EngineEvent).resourcePreEvent?.metadata;
    if (!step || step.type === "pulumi:pulumi:Stack" || ["same", "refresh", "read"].includes(step.op))
      continue;
    const name = step.urn.slice(step.urn.lastIndexOf("::") + 2).replace(/^service-/, "");
    const op = step.op.replace(/^(create-replacement|delete-replaced)$/, "replace");
    // A new one that is made beside an old one, and the deletion of what an earlier, failed update left.
    if (changes[name] !== "replace") changes[name] = op;
  }
  return changes;
}
