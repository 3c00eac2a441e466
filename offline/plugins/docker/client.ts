import http from "node:http";
import type Docker from "dockerode";
import { sshAgent } from "./ssh.ts";

export interface Registry {
  address: string;
  username: string;
  password: string;
}

export interface Host {
  url: string;
  sshOpts: string[];
  registries: Registry[];
}

export const DEFAULT_HOST = "unix:///var/run/docker.sock";

/** The connection to the Docker host: made at first use, because a preview has to work while an ssh:// host is away. */
export class Client {
  #host: Host = { url: DEFAULT_HOST, sshOpts: [], registries: [] };
  #docker: Promise<Docker> | undefined;

  /** As with the official plugin, any other host has to answer, in a preview too. */
  async configure(host: Host): Promise<void> {
    this.#host = host;
    this.#docker = undefined;
    if (host.url.startsWith("ssh://")) return;
    if (!(await answers(host))) throw new Error("failed to connect to any docker daemon");
  }

  docker(): Promise<Docker> {
    this.#docker ??= connect(this.#host).catch((error: unknown) => {
      this.#docker = undefined;
      throw error;
    });
    return this.#docker;
  }

  authFor(image: string): Registry | undefined {
    const hostname = registryOf(image);
    return this.#host.registries.find(
      ({ address }) => address.replace(/^https?:\/\//, "").split("/")[0] === hostname,
    );
  }
}

async function connect(host: Host): Promise<Docker> {
  const { default: DockerClient } = await import("dockerode");
  const docker = new DockerClient(options(host));
  try {
    await docker.ping();
  } catch (error) {
    throw new Error(
      `failed to create Docker client: Error pinging Docker server, please make sure that ${host.url} is reachable and has a '_ping' endpoint. Error: ${reason(error)}`,
      { cause: error },
    );
  }
  return docker;
}

/** Without dockerode, which each preview would have to load. */
function answers(target: Host): Promise<boolean> {
  const { socketPath, host, port } = options(target);
  return new Promise((resolve) => {
    const ping = { socketPath, host, port, path: "/_ping", timeout: 30_000, agent: false };
    const request = http.get(ping, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

function options({ url, sshOpts }: Host): Docker.DockerOptions {
  if (url.startsWith("unix://")) return { socketPath: url.slice("unix://".length) };
  const { protocol, hostname, port } = new URL(url);
  if (protocol === "ssh:") {
    // Named, or else dockerode would look at DOCKER_HOST. Its types don't know of the agent.
    const anywhere = { protocol: "http" as const, host: "docker.example.com", port: 80 };
    return Object.assign(anywhere, { agent: sshAgent(url, sshOpts) });
  }
  if (protocol === "tcp:" || protocol === "http:")
    return { protocol: "http", host: hostname, port: port || "2375" };
  throw new Error(`Docker host ${url}: the offline stand-in supports only unix://, tcp:// and ssh://.`);
}

/** The part of an image's name before its first slash, where that is a host. */
export function registryOf(image: string): string {
  const first = image.slice(0, Math.max(image.indexOf("/"), 0));
  const isHost = /[.:]/.test(first) || first === "localhost" || image.split("/").length > 2;
  return isHost ? first : "registry-1.docker.io";
}

interface DockerError {
  statusCode?: number;
  json?: { message?: string };
  message: string;
}

function isDockerError(error: unknown): error is DockerError {
  return error instanceof Error;
}

export function isStatus(error: unknown, status: number): boolean {
  return isDockerError(error) && error.statusCode === status;
}

/** What Docker said, in the words its own client uses. */
export function reason(error: unknown): string {
  if (!isDockerError(error)) return String(error);
  // Where an answer was to be a stream, dockerode gives what was said only inside its own message.
  const said = error.json?.message ?? /^\(HTTP code \d+\) .*? - (.*?) ?$/s.exec(error.message)?.[1];
  return said === undefined ? error.message : `Error response from daemon: ${said}`;
}

/** Runs a request; a failure names what was attempted. */
export async function attempt<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw new Error(`${what}: ${reason(error)}`, { cause: error });
  }
}
