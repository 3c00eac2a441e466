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

/** The upper limit of this process, `open files` or `processes`: nothing that it starts can have more. */
const most = (what: string) =>
  Number(
    new RegExp(`^Max ${what} +\\w+ +(\\d+)`, "m").exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ??
      1_048_576,
  );

/** How an engine is started. */
interface Engine {
  /** What is in its folder before, as lines. */
  files: { [name: string]: string[] };
  command: string[];
  /** What its control groups have in their path. */
  groups: string;
  /** What an image is called that was pulled, where one that is loaded has another name. */
  pulled?: (image: string) => string;
}

/** `isNew`: as a new installation of Docker 29 is by default: few files for a container, and containerd's image store. */
function dockerd({ name, folder, address }: OwnDocker, isNew: boolean): Engine {
  const nofile = { Name: "nofile", Soft: 1024, Hard: Math.min(524_288, most("open files")) };
  const likeDocker29 = {
    "default-ulimits": { nofile },
    features: { "containerd-snapshotter": true },
  };
  return {
    // The machine's own settings are for its own engine.
    files: { "daemon.json": [JSON.stringify(isNew ? likeDocker29 : {})] },
    command: [
      "dockerd",
      `--config-file=${folder}/daemon.json`,
      `--data-root=${folder}/data`,
      `--host=${address}`,
      `--cgroup-parent=/${name}`,
      "--exec-opt=native.cgroupdriver=cgroupfs",
    ],
    groups: name,
  };
}

/** Podman, with the service that speaks Docker's API. What it lacks of a new installation: there is no systemd here. */
function podman({ folder, address }: OwnDocker): Engine {
  return {
    files: {
      "containers.conf": [
        "[engine]",
        'cgroup_manager = "cgroupfs"',
        'events_logger = "file"',
        'runtime = "here"',
        `[engine.runtimes]\nhere = ["${folder}/runc"]`,
      ],
      // Not crun, which does not know the control groups of every machine. A container with a limit of its own gets the others as
      // high as they go, which is more than a machine may have that is a container itself.
      runc: [
        "#!/bin/sh",
        "for word; do",
        "  case ${before:-} in --bundle) file=$word/config.json ;; --process) file=$word ;; esac",
        "  before=$word",
        "done",
        '[ -z "${file:-}" ] || sed -i \\',
        ...Object.entries({ NOFILE: most("open files"), NPROC: most("processes") }).map(
          ([name, limit]) =>
            `  -e 's/\\("RLIMIT_${name}","hard":\\)1048576,"soft":1048576/\\1${limit},"soft":${limit}/' \\`,
        ),
        '  "$file"',
        'exec runc "$@"',
      ],
    },
    command: [
      ...["env", `CONTAINERS_CONF=${folder}/containers.conf`, "PODMAN_IGNORE_CGROUPSV1_WARNING=true"],
      ...["podman", `--root=${folder}/data`, "system", "service", "--time=0", address],
    ],
    groups: "libpod_parent",
    pulled: (image) => `docker.io/library/${image}`,
  };
}

/**
 * An engine of our own, so that it can be killed, or be another one than this machine has: its processes, mounts and
 * network are in namespaces of their own, which end with the process that holds them, and that one ends with this one.
 * What then is left is a folder.
 */
export class OwnDocker {
  readonly name = `bluegreen-docker-${randomBytes(4).toString("hex")}`;
  readonly folder = path.join(tmpdir(), this.name);
  readonly address = `unix://${this.folder}/docker.sock`;
  private holder: ChildProcess | undefined;
  private daemon: ChildProcess | undefined;
  private readonly engine: Engine;

  /** `root`: the root file system of another engine than this machine's, see tests/engine/rootfs.sh. */
  constructor(readonly root = process.env.BLUEGREEN_TEST_ENGINE) {
    const isPodman = root !== undefined && existsSync(path.join(root, "usr/bin/podman"));
    this.engine = isPodman ? podman(this) : dockerd(this, root !== undefined);
  }

  /** Starts it with these images of the usual one. */
  async create(images: string[]): Promise<void> {
    mkdirSync(this.folder);
    for (const [name, lines] of Object.entries(this.engine.files))
      writeFileSync(this.path(name), `${lines.join("\n")}\n`, { mode: 0o755 });
    const saved = this.path("images.tar");
    await docker("save", "--output", saved, ...images);
    await this.powerOn();
    await docker("--host", this.address, "load", "--quiet", "--input", saved);
    rmSync(saved);
    for (const image of this.engine.pulled ? images : [])
      await docker("--host", this.address, "tag", image, this.engine.pulled?.(image) ?? image);
  }

  async remove(): Promise<void> {
    await this.powerOff();
    const groups = ["/sys/fs/cgroup", "-depth", "-type", "d", "-path", `*/${this.engine.groups}*`];
    // Podman's have one path for all its engines: those that are in use are another's.
    spawnSync("find", [...groups, "-delete"]);
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
    // One that is halted does not notice its end, and then the namespace has none.
    this.resumeDaemon();
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
    this.daemon = spawn(file, [...args, ...this.engine.command], { stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(this.path("daemon.log"), { flags: "a" });
    this.daemon.stdout?.pipe(log);
    this.daemon.stderr?.pipe(log);
    const deadline = performance.now() + 30_000;
    while (!(await this.answers())) {
      if (performance.now() > deadline || this.daemon.exitCode !== null) {
        throw new Error(
          `the engine did not start:\n${readFileSync(this.path("daemon.log"), "utf8").slice(-3000)}`,
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
