import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the Docker client and gives what it prints, without the last newline. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.replace(/\n$/, "");
}

/** The same as a list of lines; none for no output. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  const text = await docker(...args);
  return text === "" ? [] : text.split("\n");
}

/** What of `docker inspect` the tests look at. */
export interface Inspected {
  Id: string;
  Name: string;
  Path: string;
  Args: string[];
  State: { Status: string; Running: boolean; StartedAt: string; Pid: number };
  Config: { Image: string; Cmd: string[] | null; Env: string[]; Labels: { [name: string]: string } };
  HostConfig: {
    PortBindings: { [port: string]: { HostIp: string; HostPort: string }[] } | null;
    NetworkMode: string;
    Memory: number;
  };
  NetworkSettings: { Networks: { [name: string]: { IPAddress: string; GlobalIPv6Address: string } } };
}

export async function inspect(container: string): Promise<Inspected> {
  const [found] = JSON.parse(await docker("container", "inspect", container)) as Inspected[];
  return found;
}

/** Its address in the one network that it is in. */
export function addressOf(container: string): Promise<string> {
  return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container);
}
