import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, inspect } from "./docker";

/** Ends the main process of a container as a crash does. `docker kill` would not: Docker takes it for a stop by hand. */
export async function crash(container: string): Promise<void> {
  const { Pid } = (await inspect(container)).State;
  const kill = ["sh", "-c", `kill -9 ${Pid}`];
  await docker("run", "--rm", "--pid", "host", "nginx:1.30.6", ...kill);
}

/** An own Docker needs namespaces, and so root on Linux. */
const canHaveOwnDocker = process.platform === "linux" && process.getuid?.() === 0;

/** A `describe` whose tests, hooks and stacks have a Docker engine of their own, with these images, that can be killed. */
export function describeOnOwnDocker<Images extends string[]>(
  title: string,
  useImages: () => Images,
  tests: (engine: OwnDocker, images: Images) => void,
): void {
  const describeIt = canHaveOwnDocker ? describe : describe.skip;
  describeIt(`${title}, on a Docker engine of its own (needs root on Linux)`, () => {
    const images = useImages();
    const engine = new OwnDocker();
    const usual = process.env.DOCKER_HOST;
    before("an engine that can be killed", async () => {
      await engine.create(["nginx:1.30.6", "redis:8.0.6", ...images]);
      process.env.DOCKER_HOST = engine.address;
    });
    after(async () => {
      if (usual === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = usual;
      await engine.remove();
    });
    // One of its own, so that its stack is gone before the engine is.
    describe("", () => tests(engine, images));
  });
}

/**
 * A Docker engine of our own, so that it can be killed: its processes, mounts and network are in namespaces of their own,
 * which end with the process that holds them, and that one ends with this one. What then is left is a folder.
 */
export class OwnDocker {
  readonly name = `bluegreen-docker-${randomBytes(4).toString("hex")}`;
  readonly folder = path.join(tmpdir(), this.name);
  readonly address = `unix://${this.folder}/docker.sock`;
  private holder: ChildProcess | undefined;
  private daemon: ChildProcess | undefined;

  /** Starts it with these images of the usual one. */
  async create(images: string[]): Promise<void> {
    mkdirSync(this.folder);
    // The machine's own settings are for its own engine.
    writeFileSync(this.path("daemon.json"), "{}");
    const saved = this.path("images.tar");
    await docker("save", "--output", saved, ...images);
    await this.powerOn();
    await docker("--host", this.address, "load", "--quiet", "--input", saved);
    rmSync(saved);
  }

  async remove(): Promise<void> {
    await this.powerOff();
    const groups = ["/sys/fs/cgroup", "-depth", "-type", "d", "-path", `*/${this.name}*`];
    spawnSync("find", [...groups, "-delete"], { stdio: "inherit" });
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The machine goes on: as after a boot there are no processes, no network, and nothing in /run. */
  async powerOn(): Promise<void> {
    const setUp = "mount -t tmpfs tmpfs /run && ip link set lo up && echo ready";
    // Process 1 has to reap what others leave, which ignoring SIGCHLD does, and to end with its standard input.
    this.holder = spawn(
      "unshare",
      ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"].concat([
        "sh",
        "-c",
        `${setUp} && exec env --ignore-signal=CHLD cat`,
      ]),
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const ended = once(this.holder, "close").then(() => Promise.reject(new Error("no namespaces to be had")));
    ended.catch(() => {});
    if (this.holder.stdout) await Promise.race([once(this.holder.stdout, "data"), ended]);
    await this.startDaemon();
  }

  /** Everything ends at once, and nothing of it can say good-bye. */
  async powerOff(): Promise<void> {
    await endOf(this.holder, () => this.holder?.stdin?.end());
    await endOf(this.daemon, () => this.daemon?.kill("SIGKILL"));
  }

  /** Kills daemon, containerd, shims and the processes of all containers, all with SIGKILL. */
  async killEverything(): Promise<void> {
    const [file, ...args] = this.within("--pid", "--mount");
    const killer = spawn(file, [...args, "sh", "-c", "kill -9 -1"], { stdio: "inherit" });
    await endOf(killer, () => {});
    await endOf(this.daemon, () => {});
  }

  /** Ends the daemon alone: told to (SIGTERM) it stops all containers first, killed (SIGKILL) it leaves them running. */
  async endDaemon(signal: "TERM" | "KILL"): Promise<void> {
    const [file, ...args] = this.within("--pid", "--mount");
    spawn(file, [...args, "sh", "-c", `kill -${signal} "$(cat /run/docker.pid)"`], { stdio: "inherit" });
    await endOf(this.daemon, () => {});
  }

  async startDaemon(): Promise<void> {
    const [file, ...args] = this.within("--pid", "--mount");
    const flags = [
      `--config-file=${this.path("daemon.json")}`,
      `--data-root=${this.path("data")}`,
      `--host=${this.address}`,
      `--cgroup-parent=/${this.name}`,
      "--exec-opt=native.cgroupdriver=cgroupfs",
    ];
    this.daemon = spawn(file, [...args, "dockerd", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(this.path("daemon.log"), { flags: "a" });
    this.daemon.stdout?.pipe(log);
    this.daemon.stderr?.pipe(log);
    const deadline = performance.now() + 30_000;
    while (!(await this.answers())) {
      if (performance.now() > deadline || this.daemon.exitCode !== null) {
        throw new Error(
          `dockerd did not start:\n${readFileSync(this.path("daemon.log"), "utf8").slice(-3000)}`,
        );
      }
      await sleep(100);
    }
  }

  private async answers(): Promise<boolean> {
    if (!existsSync(this.path("docker.sock"))) return false;
    return docker("--host", this.address, "version").then(
      () => true,
      () => false,
    );
  }

  /** The start of a command that is to see this engine's network, and so its published ports. */
  within(...more: string[]): string[] {
    return ["nsenter", "--target", String(this.firstProcess()), "--net", ...more, "--"];
  }

  private firstProcess(): number {
    const parent = this.holder?.pid;
    return Number(readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim());
  }

  private path(file: string): string {
    return path.join(this.folder, file);
  }
}

async function endOf(child: ChildProcess | undefined, end: () => void): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  end();
  await exit;
}
