// Starts the app as a process, Redis as a container, and a relay between the two that can fail on demand.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const appFolder = join(dirname(fileURLToPath(import.meta.url)), "..");

export const REDIS_IMAGE = process.env.TEST_REDIS_IMAGE ?? "redis:8.0.6";
export const NODE_IMAGE = process.env.TEST_NODE_IMAGE ?? "node:24.21.0-slim";
export const REDIS_PASSWORD = 'it\'s a $ecret "word"';

export type Env = Record<string, string>;
export type App = Awaited<ReturnType<typeof startApp>>;

const running = new Set<() => Promise<unknown>>();

/** Call it after each test: whatever a test started goes, also when the test failed half-way. */
export async function stopAll(): Promise<void> {
  const stops = [...running];
  running.clear();
  await Promise.all(stops.map((stop) => stop()));
}

export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("docker", args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout.trim();
}

/** Waits for something that comes about by itself; what is still wrong at the end is in the error. */
export async function eventually(check: () => Promise<void> | void, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(50);
    }
  }
}

export async function startApp(env: Env = {}) {
  const child = spawn(process.execPath, ["server.js"], {
    cwd: appFolder,
    env: { PATH: process.env.PATH, COLOR: "blue", VERSION: "1.2.3", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  running.add(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));

  await eventually(() => {
    if (!/listening on port \d+/.test(output) && child.exitCode === null)
      throw new Error(`not started:\n${output}`);
  });
  const port = Number(/listening on port (\d+)/.exec(output)?.[1] ?? NaN);

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    exitCode: async () => (await exited)[0],
  };
}

export async function startRedis() {
  const id = await docker(
    ...[
      "run",
      "--detach",
      "--rm",
      "--label",
      "bluegreen-demo-test",
      "--publish",
      "127.0.0.1::6379",
      REDIS_IMAGE,
    ],
    ...["redis-server", "--save", "", "--protected-mode", "no", "--requirepass", REDIS_PASSWORD],
  );
  const cli = (...args: string[]) =>
    docker("exec", "--env", `REDISCLI_AUTH=${REDIS_PASSWORD}`, id, "redis-cli", ...args);
  await eventually(async () => {
    if ((await cli("PING")) !== "PONG") throw new Error("Redis does not answer");
  });
  const port = Number((await docker("port", id, "6379/tcp")).split("\n")[0].split(":").pop());
  return { id, port, cli, stop: () => docker("rm", "--force", "--volumes", id) };
}

/**
 * `open` passes everything on and `down` drops all and refuses. `hanging` accepts and says nothing more; connections that
 * met it never speak again, like those to a host that vanished.
 */
export type Mode = "open" | "hanging" | "down";

export async function startRelay(targetPort: number) {
  let mode: Mode = "open";
  const sockets = new Set<Socket>();
  const lost = new WeakSet<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    if (mode === "down") {
      client.destroy();
      return;
    }
    if (mode === "hanging") lost.add(client);
    const target = connect(targetPort, "127.0.0.1");
    track(target);
    client.on("data", (chunk) => lost.has(client) || target.write(chunk));
    target.on("data", (chunk) => lost.has(client) || client.write(chunk));
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const dropAll = () => sockets.forEach((socket) => socket.destroy());
  running.add(async () => {
    dropAll();
    await new Promise((done) => server.close(done));
  });
  return {
    port: (server.address() as AddressInfo).port,
    set(next: Mode) {
      mode = next;
      if (next === "down") dropAll();
      if (next === "hanging") sockets.forEach((socket) => lost.add(socket));
    },
  };
}
