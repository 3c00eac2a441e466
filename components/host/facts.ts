/** A container of the host, whoever made it. */
export interface HostContainer {
  id: string;
  name: string;
  /** As `docker ps` shows them: `0.0.0.0:80->80/tcp`. Empty for one that does not run. */
  ports: string;
  /** Some labels of it, empty where it has none. */
  "bluegreen.id": string;
  "bluegreen.stack": string;
  "bluegreen.service": string;
  "bluegreen.role": string;
  "bluegreen.ingress": string;
  "com.docker.compose.project": string;
}

/** What a service has on an ingress; without a claim, that it is there. */
export interface ServicePlace {
  service: string;
  id: string;
  /** `HOST PATH`, as in its site. */
  claim?: string;
}

/** What a Docker host has. */
export interface Facts {
  engine: { version: string; kernel: string; ipv6: boolean; podman: boolean };
  containers: HostContainer[];
  networks: { id: string; name: string }[];
  volumes: { name: string }[];
  /** On the ingress that was asked for, if it is there. */
  places: ServicePlace[];
}

/** Reads what on-host/facts.sh prints. */
export function readFacts(printed: string): Facts {
  const all: { [kind: string]: unknown[] } = {
    engine: [],
    container: [],
    network: [],
    volume: [],
    place: [],
  };
  for (const line of printed.split("\n")) {
    const [, kind, json] = /^(\w+) (\{.*\})$/.exec(line) ?? [];
    if (kind !== undefined) all[kind].push(JSON.parse(json));
  }
  const [engine] = all.engine as [Facts["engine"]];
  return {
    engine,
    containers: all.container as HostContainer[],
    networks: all.network as Facts["networks"],
    volumes: all.volume as Facts["volumes"],
    places: all.place as ServicePlace[],
  };
}

/** An address and a port of the host that something is bound to. */
export interface Bound {
  address: string;
  port: number;
}

/** The TCP ports that a container holds, of `0.0.0.0:80->80/tcp, :::80->80/tcp, 127.0.0.1:90-92->90-92/tcp, 443/tcp`. */
export function heldPorts(ports: string): (Bound & { inside: number })[] {
  return ports.split(", ").flatMap((entry) => {
    const [, address, first, last = first, inside] =
      /^(.*):(\d+)(?:-(\d+))?->(\d+)(?:-\d+)?\/tcp$/.exec(entry) ?? [];
    if (address === undefined) return [];
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, i) => ({
      address: address.replace(/^\[(.*)\]$/, "$1"),
      port: Number(first) + i,
      inside: Number(inside) + i,
    }));
  });
}

/** Whether both can't be bound at once: every address of a family includes each of its addresses. */
export function collide(one: Bound, other: Bound): boolean {
  if (one.port !== other.port) return false;
  const isV6 = (address: string) => address.includes(":");
  if (isV6(one.address) !== isV6(other.address)) return false;
  const all = isV6(one.address) ? "::" : "0.0.0.0";
  return one.address === other.address || one.address === all || other.address === all;
}
