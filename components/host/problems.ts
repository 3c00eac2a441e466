import { collide, heldPorts, type Facts, type HostContainer } from "./facts";
import { networkOf, stateVolumeOf } from "../identity";
import type { Known, KnownResource } from "./known";
import type { PublishedPort } from "../ingress/ports";
import { COLORS, hasTls, namesOf, type Color, type Settings } from "../settings";
import { ADDRESSES, claimsOf, type Claim } from "../nginx/claims";

/** Why an update can't be made on this host as it is. */
export interface Problem {
  what: string;
  /** What is still true for the users, where it is not that what is live keeps serving. */
  users?: string;
  next: string;
}

/** What a service claims on its ingress. */
export interface Place {
  /** Whether others have made the ingress. */
  isShared: boolean;
  claims: Claim[];
  needsTls: boolean;
  /** Networks that its colors join besides the ingress's. */
  networks: string[];
  /** How many containers each color has. */
  replicas: Record<Color, number>;
}
export const placeOf = ({
  ingress,
  tls,
  ...settings
}: Pick<Settings, "ingress" | "hosts" | "redirects" | "path" | "ports" | "tls" | "colors">): Place => ({
  isShared: ingress !== undefined,
  claims: claimsOf(settings),
  needsTls: hasTls(tls),
  networks: [...new Set(Object.values(settings.colors).flatMap(({ container }) => container.networks))],
  replicas: { blue: settings.colors.blue.replicas, green: settings.colors.green.replicas },
});

/** What an update needs of the host. */
export interface Wanted {
  /** The component's name of today. */
  name: string;
  /** Its identity: what its labels say, and what the names begin with that are not made by Pulumi. */
  stack: string;
  service: string;
  id: string;
  fullName: string;
  /** The name of the ingress: of the service's own, of one that is made, or of one that others have made. */
  ingress: string;
  /** Of a service. */
  place: Place | undefined;
  host: string;
  ports: PublishedPort[];
  /** The name of an existing network. */
  network: string | undefined;
  migrateConnections: boolean;
  /** Undefined: as the host has it. */
  ipv6: boolean | undefined;
}

/** Compares what the host has with what the state has, and with what is wanted. */
export function findProblems(facts: Facts, known: Known, wanted: Wanted): Problem[] {
  return [
    ...otherOwner(facts, known, wanted),
    ...otherIngress(facts, known, wanted),
    ...missingThings(facts, known, wanted),
    ...missingIngress(facts, wanted),
    ...missingNetwork(facts, wanted),
    ...takenPlace(facts, wanted),
    ...takenNames(facts, known, wanted),
    ...takenPorts(facts, known, wanted),
    ...oldKernel(facts, known, wanted),
    ...noIPv6(facts, wanted),
  ];
}

/** One text of them all. */
export function inWords({ name, host }: Wanted, { live }: Known, problems: Problem[]): string {
  const usual = live === undefined ? "no color is live yet" : "what is live there keeps serving";
  const users = problems.find((problem) => problem.users)?.users ?? usual;
  const lines = problems.map(({ what, next }) => `${what}\nWhat to do next: ${next}`);
  const [first] = lines;
  const list =
    lines.length === 1
      ? `${name}: ${first}`
      : [
          `${name}: ${lines.length} things on the Docker host ${host} are in the way:`,
          ...lines.map((text, i) => `${i + 1}. ${text.replaceAll("\n", "\n   ")}`),
        ].join("\n");
  return `${list}\nNothing was changed${users.startsWith("but") ? "," : ":"} ${users}.`;
}

// --- who else has these names

/**
 * Two services whose names are the same, as two clones of a repository have them, or the same one after its state was lost.
 * What a destroyed stack has kept (the data of Redis) is no container, and so no conflict.
 */
function otherOwner({ containers }: Facts, known: Known, wanted: Wanted): Problem[] {
  const own = new Set(known.containers.map(({ id }) => id));
  const others = containers.filter(
    (container) =>
      container.name === `${wanted.fullName}-redis` ||
      (container["bluegreen.stack"] === wanted.stack && container["bluegreen.service"] === wanted.service),
  );
  const foreign = others.filter(
    (container) => !own.has(container.id) && container["bluegreen.id"] !== wanted.id,
  );
  if (foreign.length === 0) return [];
  const names = foreign.map(({ name }) => name).join(" ");
  const remove = `if nothing uses them any more (their stack's state was lost), remove them: 'docker rm -f ${names}'. Redis' data stays on its volume. If another stack uses them`;
  return [
    {
      what: `the Docker host ${wanted.host} has containers of another stack or program with the same names (project, stack and component ${wanted.stack}/${wanted.service}): ${names}`,
      next:
        own.size > 0
          ? `${remove}, destroy that one ('pulumi destroy' where it is at home), and give it another name.`
          : `${remove}, give this stack another name: 'pulumi destroy' (nothing of it is there yet), 'pulumi stack rename NAME', 'pulumi up'.`,
    },
  ];
}

/** Network and volume of an ingress have its name, so there can be one of a name. */
function otherIngress(facts: Facts, known: Known, { ingress, place, host, id }: Wanted): Problem[] {
  if (place?.isShared) return [];
  const edge = edgeOf(facts, ingress);
  if (edge !== undefined && edge["bluegreen.id"] !== id)
    return [
      {
        what: `the Docker host ${host} has an ingress ${ingress} already: ${inFull(edge)}`,
        next: `give this one another name. If the stack of the other one is lost, remove it: 'npx bluegreen forget ${edge["bluegreen.stack"]}/${edge["bluegreen.service"]}'.`,
      },
    ];
  const isUnknown = ({ name }: { name: string }, all: KnownResource[]) =>
    !all.some((one) => one.name === name);
  const left = [
    ...facts.networks
      .filter((one) => one.name === networkOf(ingress) && isUnknown(one, known.networks))
      .map(({ name }) => `network ${name}`),
    ...facts.volumes
      .filter((one) => one.name === stateVolumeOf(ingress) && isUnknown(one, known.volumes))
      .map(({ name }) => `volume ${name}`),
  ];
  if (left.length === 0) return [];
  return [
    {
      what: `the Docker host ${host} has what a lost stack has left of an ingress of the same name: ${left.join(", ")}`,
      next: `remove it: ${left.map((thing) => `'docker ${thing.replace(" ", " rm ")}'`).join(", ")}.`,
    },
  ];
}

// --- what the state has and the host has not

/** What the state has and the host has not. */
export function missing(facts: Facts, { networks, volumes, containers }: Known): KnownResource[] {
  const ids = new Set([...facts.containers, ...facts.networks].map(({ id }) => id));
  const names = new Set(facts.volumes.map(({ name }) => name));
  return [
    ...networks.filter(({ id }) => !ids.has(id)),
    ...volumes.filter(({ name }) => !names.has(name)),
    ...containers.filter(({ id }) => !ids.has(id)),
  ];
}

function missingThings(facts: Facts, known: Known, { host }: Wanted): Problem[] {
  const gone = missing(facts, known);
  if (gone.length === 0) return [];

  const has = (role: string) => known.containers.some((one) => one.role === role && !gone.includes(one));
  const users =
    known.live === undefined || (has("edge") && has(known.live))
      ? undefined
      : "but users get no answer, since what served them is gone";
  const list = gone.map((thing) => `\n  ${kindOf(thing, known)} ${thing.name}`).join("");
  if (known.host !== undefined && known.host !== host) {
    return [
      {
        what: `host.address is ${host}, but the stack was made on ${known.host}, and this host lacks:${list}`,
        users: "what is live on the former host keeps serving",
        next: `set host.address back to ${known.host}. To move: run 'pulumi destroy' with the former address, then set the new one and run 'pulumi up'. If the former host is gone for good: 'pulumi state delete --all' makes the stack forget it, then run 'pulumi up'.`,
      },
    ];
  }
  const all = known.containers.length + known.networks.length + known.volumes.length;
  const lost = gone.length === all ? "has lost all that this stack made there" : "lacks";
  return [
    {
      what: `the Docker host ${host} ${lost}:${list}\nSomebody removed it (docker rm, a prune), or the host was set up anew.${lostData(gone)}`,
      users,
      next: "run 'pulumi up --refresh': it finds out what is gone and makes it anew. 'npx bluegreen heal' does the same.",
    },
  ];
}

function kindOf(thing: KnownResource, known: Known): string {
  if (known.networks.includes(thing)) return "network";
  if (known.volumes.includes(thing)) return "volume";
  return `container ${NAMES[thing.role] ?? thing.role}:`;
}
const NAMES: { [role: string]: string } = { proxy: "nginx", redis: "Redis", acme: "ACME client" };

const lostData = (gone: KnownResource[]) =>
  gone.some(({ role }) => role === "redis-data")
    ? " The data of Redis was on that volume: only a backup brings it back."
    : "";

// --- what is wanted and can't be had

function missingNetwork(facts: Facts, { network, host, place, ingress }: Wanted): Problem[] {
  const { networks } = facts;
  const isThere = (wanted: string) => networks.some(({ name }) => name === wanted);
  if (place?.isShared && network === undefined) {
    if (edgeOf(facts, ingress) === undefined || isThere(networkOf(ingress))) return [];
    return [
      {
        what: `ingress: ${ingress} is not on a network of its own.`,
        next: "set network.name as the service has it whose ingress it is.",
      },
    ];
  }
  const named = [
    ...(network === undefined ? [] : [{ setting: "network.name", name: network }]),
    ...(place?.networks ?? []).map((name) => ({ setting: "container.networks", name })),
  ];
  return named
    .filter(({ name }) => !isThere(name))
    .map(({ setting, name }) => ({
      what: `${setting}: there is no network ${name} on the Docker host ${host}.`,
      next: `make it ('docker network create ${name}'), or name another${setting === "network.name" ? "; without network.name the service makes its own" : ""}.`,
    }));
}

const edgeOf = ({ containers }: Facts, ingress: string) =>
  containers.find((one) => one["bluegreen.ingress"] === ingress && one["bluegreen.role"] === "edge");

/** A service names an ingress that others have made. */
function missingIngress(facts: Facts, { ingress, place, host }: Wanted): Problem[] {
  if (!place?.isShared) return [];
  const edge = edgeOf(facts, ingress);
  if (edge === undefined) {
    const names = facts.containers
      .filter((one) => one["bluegreen.role"] === "edge" && one["bluegreen.ingress"] !== "")
      .map((one) => one["bluegreen.ingress"]);
    return [
      {
        what: `ingress: there is no ingress ${ingress} on the Docker host ${host}${names.length > 0 ? `. It has: ${names.join(", ")}` : ""}.`,
        next: "run 'pulumi up' in the stack that makes it, or name another. Without 'ingress' the service makes its own.",
      },
    ];
  }
  if (place.needsTls && !heldPorts(edge.ports).some(({ inside }) => inside === 443))
    return [
      {
        what: `tls.names: the ingress ${ingress} publishes no port for HTTPS.`,
        next: "it is that of a service without TLS: give that one TLS, or use an Ingress.",
      },
    ];
  return [];
}

/** Another service has the name, or a host name with the path. */
function takenPlace({ places }: Facts, { place, id, service, ingress }: Wanted): Problem[] {
  if (place === undefined) return [];
  const others = places.filter((other) => other.id !== id);
  const namesake = others.find((other) => other.service === service);
  if (namesake !== undefined)
    return [
      {
        what: `another stack has a service ${service} on the ingress ${ingress}.`,
        next: "give this component another name. If the stack of the other one is lost, remove it: 'npx bluegreen forget'.",
      },
    ];
  return place.claims.flatMap(({ setting, host, path }) =>
    others
      .filter(({ claim }) => claim === `${host} ${path}`)
      .map((other) => ({
        what: `${setting}: the service ${other.service} has ${host === "*" ? `all names that no other has, with ${path},` : `${host}${path}`} on the ingress ${ingress}.`,
        next: `change ${ADDRESSES} of this service, or of that one first.`,
      })),
  );
}

/** The names of a color's further containers are made of the first one's, so what a killed update has left is in the way of the next. */
function takenNames({ containers }: Facts, known: Known, { place, host }: Wanted): Problem[] {
  const own = new Set(known.containers.map(({ id }) => id));
  return COLORS.flatMap((color) => {
    const first = known.containers.filter(({ role }) => role === color);
    const names = first.flatMap(({ name }) => namesOf(name, place?.replicas[color] ?? 1));
    return containers
      .filter(({ id, name }) => names.includes(name) && !own.has(id))
      .map(({ name }) => ({
        what: `the Docker host ${host} has a container ${name}, which this stack does not know: ${color} needs that name.`,
        next: `if no other checkout uses it, a killed update left it: 'docker rm -f ${name}'.`,
      }));
  });
}

function takenPorts({ containers }: Facts, known: Known, wanted: Wanted): Problem[] {
  const own = new Set(known.containers.map(({ id }) => id));
  const others = containers.filter(({ id }) => !own.has(id));
  return wanted.ports.flatMap((port) => {
    const holder = others.find(({ ports }) => heldPorts(ports).some((held) => collide(held, port)));
    if (holder === undefined) return [];
    const isOwn =
      holder["bluegreen.stack"] === wanted.stack && holder["bluegreen.service"] === wanted.service;
    return [
      {
        what: `${port.setting}: port ${port.port} is taken by the container ${inFull(holder)}.`,
        next: isOwn
          ? `this stack does not know that container. If no other checkout uses it, a killed update left it: 'docker rm -f ${holder.name}'.`
          : `choose another ${port.setting}, or stop that container ('docker stop ${holder.name}').`,
      },
    ];
  });
}

/** With who it belongs to. */
function inFull(container: HostContainer): string {
  const stack = container["bluegreen.stack"];
  if (stack) return `${container.name} (stack ${stack}, service ${container["bluegreen.service"]})`;
  const project = container["com.docker.compose.project"];
  return project ? `${container.name} (compose project ${project})` : container.name;
}

function noIPv6({ engine }: Facts, { ipv6, host }: Wanted): Problem[] {
  if (ipv6 !== true || engine.ipv6) return [];
  return [
    {
      what: `proxy.ipv6: the Docker host ${host} has no IPv6.`,
      next: "set proxy.ipv6 to false, or turn IPv6 on there.",
    },
  ];
}

function oldKernel({ engine }: Facts, known: Known, { migrateConnections, host }: Wanted): Problem[] {
  const hasEdge = known.containers.some(({ role }) => role === "edge");
  const [major, minor] = engine.kernel.split(".").map((part) => parseInt(part));
  if (!migrateConnections || hasEdge || !(major < 5 || (major === 5 && minor < 14))) return [];
  return [
    {
      what: `proxy.migrateConnections: it needs Linux 5.14, and the Docker host ${host} has ${engine.kernel}.`,
      next: "set proxy.migrateConnections to false.",
    },
  ];
}
