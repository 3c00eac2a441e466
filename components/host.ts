import type { Settings } from "./settings";

type Host = Settings["host"];

export const isRemote = (host: Host): boolean => host.address.startsWith("ssh://");

/** The engine that a local command talks to: the same as the resources', whatever context the Docker client has. */
export const dockerHost = (host: Host) => ({ DOCKER_HOST: host.address });

/** The name under which a published port is reached from where Pulumi runs. */
export function urlHost(host: Host, bindAddress: string): string {
  if (bindAddress !== "0.0.0.0") return bindAddress;
  return host.address.startsWith("unix:") ? "localhost" : new URL(host.address).hostname;
}
