import { hasTls, isRedirected, type Settings } from "../settings";

type Host = Settings["host"];

/** The engine that a local command talks to: the same as the resources', whatever context the Docker client has. */
export const dockerHost = (host: Host) => ({ DOCKER_HOST: host.address });

/** The name under which a published port is reached from where Pulumi runs. */
export function urlHost(host: Pick<Host, "address">, bindAddress: string): string {
  if (bindAddress !== "0.0.0.0") return bindAddress;
  return host.address.startsWith("unix:") ? "localhost" : new URL(host.address).hostname;
}

/** An address and a port of the host. */
interface Published {
  address: string;
  port: number;
}
/** Where an ingress is reached. */
export interface Listening {
  plain: Published;
  secure?: Published;
  preview: Published;
}

/** The own ingress of a service. */
export const ownListening = ({ proxy, tlsPort }: Pick<Settings, "proxy" | "tlsPort">): Listening => ({
  plain: { address: proxy.bindAddress, port: proxy.port },
  secure: tlsPort === undefined ? undefined : { address: proxy.bindAddress, port: tlsPort },
  preview: { address: proxy.previewBindAddress, port: proxy.previewPort },
});

/** What of a service's settings says where it answers. */
interface Addressed {
  host: Pick<Host, "address">;
  tls: Pick<Settings["tls"], "names">;
  hosts: string[];
  redirects: Settings["redirects"];
  path: string;
  ingress?: unknown;
}

/** Where the live and the idle color of a service answer. */
export function urls(
  { host, tls, hosts, redirects, path, ingress }: Addressed,
  service: string,
  { plain, secure, preview }: Listening,
) {
  const at = ({ address, port }: Published, name = urlHost(host, address)) => `http://${name}:${port}`;
  const [secureName = tls.names[0]] = tls.names.filter((name) => !isRedirected(name, { hosts, redirects }));
  const secureUrl = (port = 443) => `https://${secureName}${port === 443 ? "" : `:${port}`}`;
  const isAlone = ingress === undefined && hosts.length === 0;
  const [name] = hosts.filter((name) => !name.startsWith("*"));
  const end = path === "/" ? "" : path;
  return {
    url: `${hasTls(tls) ? secureUrl(secure?.port) : at(plain, name)}${end}`,
    previewUrl: `${at(preview, isAlone ? undefined : `${service}.localhost`)}${end}`,
  };
}

/** What `docker inspect` shows as the edge's PortBindings. */
export function listeningOf(bindings: unknown): Listening {
  const ports = bindings as { [port: string]: { HostIp: string; HostPort: string }[] | null };
  const published = (port: number): Published | undefined => {
    const [found] = ports[`${port}/tcp`] ?? [];
    return found && { address: found.HostIp || "0.0.0.0", port: Number(found.HostPort) };
  };
  const nowhere = { address: "0.0.0.0", port: 0 };
  return {
    plain: published(80) ?? nowhere,
    secure: published(443),
    preview: published(8081) ?? nowhere,
  };
}
