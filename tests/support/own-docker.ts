import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "./docker";

/** An own Docker needs namespaces, and so root on Linux. */
export const canHaveOwnDocker = process.platform === "linux" && process.getuid?.() === 0;

/** What a new installation of Docker 29 has by default: few files for a container, and containerd's image store. */
function likeDocker29() {
  const limits = readFileSync("/proc/self/limits", "utf8");
  // The upper limit can't be more than this process itself may have.
  const ours = Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1]);
  return {
    "default-ulimits": { nofile: { Name: "nofile", Soft: 1024, Hard: Math.min(524_288, ours) } },
    features: { "containerd-snapshotter": true },
  };
}

/**
 * A Docker engine of our own, so that it can be killed, or be another one than this machine has: its processes, mounts and
 * network are in namespaces of their own, which end with the process that holds them, and that one ends with this one.
 * What then is left is a folder.
 */
export class OwnDocker {
  readonly name = `bluegreen-docker-${randomBytes(4).toString("hex")}`;
  readonly folder = path.join(tmpdir(), this.name);
  readonly address = `unix://${this.folder}/docker.sock`;
  private holder: ChildProcess | undefined;
  private daemon: ChildProcess | undefined;

  /** `root`: the root file system of another engine than this machine's, see tests/engine/rootfs.sh. */
  constructor(readonly root = process.env.BLUEGREEN_TEST_ENGINE) {}

  /** Starts it with these images of the usual one. */
  async create(images: string[]): Promise<void> {
    mkdirSync(this.folder);
    // The machine's own settings are for its own engine.
    writeFileSync(this.path("daemon.json"), JSON.stringify(this.root ? likeDocker29() : {}));
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
    const root = this.root ? goInto(this.root, this.folder) : [];
    const setUp = ["ip link set lo up", ...root, "mount -t tmpfs tmpfs /run", "echo ready"].join(" && ");
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
    this.signalDaemon(signal);
    await endOf(this.daemon, () => {});
  }

  /** As if it hung: whatever waits for it waits until it is resumed. */
  haltDaemon = () => this.signalDaemon("STOP");
  /** nsenter halts with what it has started, and resumes both. */
  resumeDaemon = () => this.daemon?.kill("SIGCONT");

  private signalDaemon(signal: string): void {
    const [file, ...args] = this.within("--pid", "--mount");
    const { status } = spawnSync(file, [...args, "sh", "-c", `kill -${signal} "$(cat /run/docker.pid)"`], {
      stdio: "inherit",
    });
    if (status !== 0) throw new Error(`no SIG${signal} for the daemon`);
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

/**
 * The commands that make a root file system the root of this mount namespace, writable in memory and with a folder of the
 * machine's where it was. Not by chroot: in one, an engine can't load an image ("remount /, invalid argument").
 */
function goInto(root: string, folder: string): string[] {
  return [
    "mount -t tmpfs tmpfs /run",
    "cd /run",
    "mkdir changes work root",
    `mount -t overlay -o "lowerdir=${root},upperdir=changes,workdir=work" overlay root`,
    ...["sys", "dev"].map((name) => `mount --rbind /${name} root/${name}`),
    "mount -t proc proc root/proc",
    `mkdir -p "root${folder}"`,
    `mount --bind "${folder}" "root${folder}"`,
    "cd root",
    "pivot_root . mnt",
    "umount --lazy /mnt",
  ];
}

async function endOf(child: ChildProcess | undefined, end: () => void): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  end();
  await exit;
}
