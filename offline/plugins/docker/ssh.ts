import { spawn } from "node:child_process";
import http from "node:http";
import { Duplex } from "node:stream";

/**
 * An agent whose connections run `docker system dial-stdio` on the host through the `ssh` program, as the
 * Docker CLI and the official plugin do: so the user's own ssh configuration and `sshOpts` hold.
 */
export function sshAgent(url: string, sshOpts: string[]): http.Agent {
  const agent = new http.Agent({ keepAlive: true });
  agent.createConnection = () => dial(sshArgs(url, sshOpts), url);
  return agent;
}

export function sshArgs(url: string, sshOpts: string[]): string[] {
  const { username, hostname, port, pathname } = new URL(url);
  const flags = [...sshOpts];
  if (!flags.join("").includes("ConnectTimeout")) flags.push("-o ConnectTimeout=30");
  if (!flags.includes("-T")) flags.push("-T");
  const socket = pathname.length > 1 ? [`--host=unix://${quote(pathname)}`] : [];
  return [
    ...(username ? ["-l", decodeURIComponent(username)] : []),
    ...(port ? ["-p", port] : []),
    ...flags,
    "--",
    hostname.replace(/^\[|\]$/g, ""),
    ["docker", ...socket, "system", "dial-stdio"].join(" "),
  ];
}

/** ssh hands its command to a shell on the other side. */
function quote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function dial(args: string[], url: string): Duplex {
  const ssh = spawn("ssh", args, { stdio: "pipe" });
  let complaint = "";
  ssh.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2000)));

  const connection = new Duplex({
    read: () => void ssh.stdout.resume(),
    // Why a write failed is told, in better words, when ssh ends.
    write: (chunk, _, done) => void ssh.stdin.write(chunk, () => done()),
    final: (done) => void ssh.stdin.end(() => done()),
    destroy: (error, done) => {
      ssh.kill();
      done(error);
    },
  });
  ssh.stdin.on("error", () => undefined);
  ssh.stdout.on("data", (chunk: Buffer) => {
    if (!connection.push(chunk)) ssh.stdout.pause();
  });
  ssh.on("error", (error) => connection.destroy(new Error(`could not run ssh: ${error.message}`)));
  // Only now, not at the end of its output, is it known whether it failed.
  ssh.on("close", (code) => {
    if (code === 0) connection.push(null);
    else connection.destroy(new Error(`ssh to ${url} ended with status ${code}: ${complaint.trim()}`));
  });
  return Object.assign(connection, socketManners(ssh));
}

/** What Node's http agent asks of a connection that it keeps, beside its being a stream. */
function socketManners(ssh: { ref(): void; unref(): void }) {
  return {
    setKeepAlive: () => undefined,
    setNoDelay: () => undefined,
    setTimeout: () => undefined,
    ref: () => ssh.ref(),
    unref: () => ssh.unref(),
  };
}
