import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Options {
  /** What commands find in their environment: another Docker host, for instance. */
  env?: Record<string, string>;
  /** Files of host keys that it has beside its own. */
  hostKeys?: string[];
}

/** A real sshd on a free loopback port, with throw-away keys. */
export class Sshd {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), "standin-sshd-"));
  readonly user = os.userInfo().username;
  port = 0;
  #process!: ChildProcess;

  static async start(options: Options = {}): Promise<Sshd> {
    const sshd = new Sshd();
    await sshd.#start(options);
    return sshd;
  }

  async #start(options: Options): Promise<void> {
    for (const name of ["host", "user", "other"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.file(name)]);
    }
    copyFileSync(this.file("user.pub"), this.file("authorized"));
    this.port = await freePort();
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    await this.resume(options);
  }

  /** Listens, again after a pause, on the same port with the same keys. */
  async resume(options: Options = {}): Promise<void> {
    const program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find(existsSync);
    if (!program) throw new Error("these tests need a real sshd: apt-get install openssh-server");
    writeFileSync(this.file("config"), this.#config(options));
    this.#process = spawn(program, ["-D", "-f", this.file("config"), "-E", this.file("log")], {
      stdio: "ignore",
    });
    await this.#answers();
  }

  #config({ env = {}, hostKeys = [] }: Options): string {
    return [
      `Port ${this.port}`,
      "ListenAddress 127.0.0.1",
      ...["host", ...hostKeys].map((name) => `HostKey ${this.file(name)}`),
      `AuthorizedKeysFile ${this.file("authorized")}`,
      `PidFile ${this.file("pid")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin yes",
      "AcceptEnv ALLOWED_*",
      "AllowTcpForwarding yes",
      "LogLevel VERBOSE",
      ...Object.entries(env).map(([name, value]) => `SetEnv ${name}=${value}`),
      "",
    ].join("\n");
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const socket = net.connect(this.port, "127.0.0.1");
      const open = await Promise.race([
        once(socket, "connect").then(() => true),
        once(socket, "error").then(() => false),
      ]).catch(() => false);
      socket.destroy();
      if (open) return;
      await sleep(25);
    }
    throw new Error(`sshd does not answer on port ${this.port}`);
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  /** How `ssh` is told where it is. */
  get address(): string {
    return `ssh://${this.user}@127.0.0.1:${this.port}`;
  }

  /** The key by which it is known, as a known_hosts file has it after the name. */
  get hostKey(): string {
    return this.read("host.pub").split(" ", 2).join(" ");
  }

  /** How many connections it was asked for. */
  get connections(): number {
    return this.read("log").match(/^Connection from /gm)?.length ?? 0;
  }

  /** Ends every connection at once, as when the network or the machine between is gone. */
  cutOff(): void {
    const { pid } = this.#process;
    const sessions = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    for (const session of sessions) process.kill(Number(session), "SIGKILL");
  }

  /** What a command's connection needs. */
  connection() {
    return {
      host: "127.0.0.1",
      port: this.port,
      user: this.user,
      privateKey: this.read("user"),
      hostKey: this.read("host.pub"),
    };
  }

  /** New connections are refused. */
  async pause(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill();
    await once(this.#process, "exit");
  }

  async stop(): Promise<void> {
    await this.pause();
    rmSync(this.folder, { recursive: true });
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
