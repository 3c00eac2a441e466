import { hasTls, type Settings } from "./settings";

type Host = Settings["host"];

/** The engine that a local command talks to: the same as the resources', whatever context the Docker client has. */
export const dockerHost = (host: Host) => ({ DOCKER_HOST: host.address });

/** The name under which a published port is reached from where Pulumi runs. */
export function urlHost(host: Host, bindAddress: string): string {
  if (bindAddress !== "0.0.0.0") return bindAddress;
  return host.address.startsWith("unix:") ? "localhost" : new URL(host.address).hostname;
}

/** Where the live and the idle color answer. */
export function urls({
  host,
  proxy,
  tls,
}: Pick<Settings, "host" | "proxy"> & { tls: Pick<Settings["tls"], "names" | "port"> }) {
  const plainUrl = `http://${urlHost(host, proxy.bindAddress)}:${proxy.port}`;
  const secureUrl = `https://${tls.names[0]}${tls.port === 443 ? "" : `:${tls.port}`}`;
  return {
    url: hasTls(tls) ? secureUrl : plainUrl,
    previewUrl: `http://${urlHost(host, proxy.previewBindAddress)}:${proxy.previewPort}`,
  };
}
