import { capture, show, type Ended } from "./run";
import type { Service } from "./report";

/** The engine of a service. */
export type Engine = Pick<Service, "host" | "sshOptions">;

/** The Docker client for it. Over SSH it is the one on the host, as for the switch. */
export function dockerOn(engine: Engine, args: string[], options?: { input?: string }): Promise<Ended> {
  const [command, ...words] = client(engine, args);
  return capture(command, words, options);
}

/** A shell where that client is. */
export function shellOn({ host, sshOptions }: Engine, input: string): Promise<Ended> {
  return host.startsWith("ssh://")
    ? capture("ssh", [...sshOptions, "-o", "BatchMode=yes", host, "sh", "-s"], { input })
    : capture("sh", ["-s"], { input, env: { DOCKER_HOST: host } });
}

/** The same at this terminal. */
export function showDocker(engine: Engine, args: string[]): Promise<boolean> {
  const [command, ...words] = client(engine, args);
  return show(command, words);
}

/** A shell on the host reads the words: none of them may have a space or a quote. */
function client({ host, sshOptions }: Engine, args: string[]): [string, ...string[]] {
  return host.startsWith("ssh://")
    ? ["ssh", ...sshOptions, "-o", "BatchMode=yes", host, "docker", ...args]
    : ["docker", "--host", host, ...args];
}
