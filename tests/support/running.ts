import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface Ended {
  code: number | null;
  /** Standard output and standard error as they came. */
  output: string;
}

/** A command that runs, in a process group of its own, so that it can be killed with all that it has started. */
export class Running {
  private readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  output = "";

  constructor(
    file: string,
    args: string[],
    { input = "", ...options }: SpawnOptions & { input?: string } = {},
  ) {
    const child = spawn(file, args, { ...options, stdio: "pipe", detached: true });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.output += chunk));
    }
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, output: this.output }));
    });
    // Who ends before it has read all of its input is told by its exit code.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  }

  get pid(): number {
    assert.ok(this.child.pid);
    return this.child.pid;
  }

  /** Ends it and its process group at once, but not what runs in a container. */
  async kill(): Promise<void> {
    process.kill(-this.pid, "SIGKILL");
    await this.ended;
  }

  /** Pulumi gives its plugins process groups of their own, which would end what they have begun. This ends them, too. */
  async killAll(): Promise<void> {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/));
    const doomed = [String(this.pid)];
    for (const parent of doomed) {
      doomed.push(...processes.filter(([, ppid]) => ppid === parent).map(([pid]) => pid));
    }
    // Some have ended by now.
    spawnSync("kill", ["-KILL", ...doomed]);
    await this.ended;
  }

  /** Waits until it has said something. */
  async says(words: string): Promise<void> {
    await until(
      () => `it says "${words}", not only:\n${this.output}`,
      () =>
        this.output.includes(words) ||
        (this.child.exitCode !== null && Promise.reject(new Error(this.output))),
    );
  }
}

/** Waits for what has to come true. */
export async function until(
  what: () => string,
  holds: () => boolean | Promise<boolean>,
  seconds = 60,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what()}`);
    await sleep(50);
  }
}
