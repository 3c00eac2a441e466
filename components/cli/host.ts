import { z } from "zod";
import { listeningOf, urls } from "../host/address";
import { COLORS, isColor } from "../settings/color";
import { shellFile } from "../shell";
import { dockerOn, type Engine } from "./docker";
import { must } from "./observe";
import { namesServed, type Served } from "./served";
import type { Urls } from "./report";

/** What `bluegreen status --host --json` prints for each ingress. */
export interface HostIngress {
  ingress: string;
  servedThrough: "nginx" | "edge" | "nobody";
  services: HostService[];
}
export interface HostService {
  service: string;
  /** PROJECT/STACK/COMPONENT of its first update, which `bluegreen forget` takes. */
  path?: string;
  urls: Urls;
  live?: HostSide;
  idle?: HostSide;
  /** Whether a switch of it is running. */
  switching: boolean;
}
export interface HostSide extends Served {
  image?: string;
  /** As `docker ps` says it: `Up 3 hours (healthy)`. */
  state: string;
}

const Inspected = z.tuple([z.object({ HostConfig: z.object({ PortBindings: z.unknown() }) })]);

interface Container {
  name: string;
  image: string;
  state: string;
  status: string;
  ingress: string;
  id: string;
  role: string;
}

/** Every ingress of a host with its services, as Docker and nginx know them: no stack is asked. */
export async function ingressesOf(engine: Engine): Promise<HostIngress[]> {
  // A shell on the host reads the words: no spaces, no quotes.
  const format = "{{.Names}},{{.Image}},{{.State}},{{.Status}},{{.Labels}}";
  const filter = ["--filter", "label=bluegreen.role", "--format", format];
  const listed = await must(engine, ["ps", "--all", ...filter]);
  const containers = listed.split("\n").filter(Boolean).map(readContainer);
  // An edge that version 0.1.0 made does not say whose ingress it is of.
  for (const one of containers)
    one.ingress ||= containers.find(({ id, ingress }) => id === one.id && ingress !== "")?.ingress ?? "";
  const names = [...new Set(containers.map(({ ingress }) => ingress))].filter(Boolean).sort();
  return Promise.all(names.map((name) => ingressOf(engine, name, containers)));
}

function readContainer(line: string): Container {
  const [name, image, state, status, ...labels] = line.split(",");
  const label = (wanted: string) =>
    labels.find((one) => one.startsWith(`bluegreen.${wanted}=`))?.slice(`bluegreen.${wanted}=`.length) ?? "";
  return { name, image, state, status, ingress: label("ingress"), id: label("id"), role: label("role") };
}

async function ingressOf(engine: Engine, ingress: string, containers: Container[]): Promise<HostIngress> {
  const own = containers.filter((one) => one.ingress === ingress);
  const running = own.filter(({ state }) => state === "running");
  const asked = await Promise.all(
    running
      .filter(({ role }) => role === "proxy" || role === "edge")
      .map(async ({ name, role }) => {
        const input = shellFile("in-nginx/piped/services.sh");
        const { ok, stdout } = await dockerOn(engine, ["exec", "-i", name, "sh", "-s"], { input });
        return { role, lines: ok ? stdout.split("\n") : [] };
      }),
  );
  const serving = asked.find(({ lines }) => lines.includes("listens"));
  const edge = own.find(({ role }) => role === "edge");
  const listening = edge && (await listeningAt(engine, edge.name));
  const told = readServices((serving ?? asked[0])?.lines ?? []);
  return {
    ingress,
    servedThrough: serving === undefined ? "nobody" : serving.role === "edge" ? "edge" : "nginx",
    services: told.map(({ claims, names, live, idle, ...service }) => {
      const claimed = claims.map(([host]) => host);
      // Beside all names, only what is redirected has one of its own.
      const hosts = claimed.includes("*") ? [] : claimed;
      const addressed = {
        host: { address: engine.host },
        tls: { names },
        hosts,
        redirects: {},
        path: claims[0]?.[1] ?? "/",
      };
      // One that was given no name has the ports for itself.
      const isAlone = told.length === 1 && hosts.length === 0;
      const found =
        listening &&
        urls({ ...addressed, ingress: isAlone ? undefined : ingress }, service.service, listening);
      return {
        ...service,
        urls: found ? { live: found.url, preview: found.previewUrl } : {},
        live: sideOf(live, own),
        idle: sideOf(idle, own),
      };
    }),
  };
}

async function listeningAt(engine: Engine, edge: string) {
  const [{ HostConfig }] = Inspected.parse(JSON.parse(await must(engine, ["inspect", edge])));
  return listeningOf(HostConfig.PortBindings);
}

interface Told {
  service: string;
  path?: string;
  claims: [host: string, path: string][];
  names: string[];
  live?: Served;
  idle?: Served;
  switching: boolean;
}

/** The lines that components/shell/in-nginx/piped/services.sh prints. */
export function readServices(lines: string[]): Told[] {
  const services: Told[] = [];
  for (const line of lines) {
    const [word, ...rest] = line.split(" ");
    if (word === "service") services.push({ service: rest[0], claims: [], names: [], switching: false });
    const service = services.at(-1);
    if (service === undefined) continue;
    if (word === "path") service.path = rest.join(" ");
    if (word === "claim") service.claims.push([rest[0], rest[1]]);
    if (word === "tls") service.names = rest.slice(1);
    if (word === "switching") service.switching = true;
    const [color, container] = rest;
    if ((word === "live" || word === "idle") && isColor(color) && container)
      service[word] = { color, container, replicas: 1 };
    if (word === "replicas")
      for (const side of [service.live, service.idle])
        if (side?.container === rest[0]) side.replicas = Number(rest[1]);
  }
  return services;
}

function sideOf(served: Served | undefined, containers: Container[]): HostSide | undefined {
  if (served === undefined) return undefined;
  const found = containers.find(
    ({ name, role }) => name === served.container && COLORS.some((color) => color === role),
  );
  const states = namesServed(served).map(
    (wanted) => containers.find(({ name }) => name === wanted)?.status ?? "not there",
  );
  return { ...served, image: found?.image, state: [...new Set(states)].join(" / ") };
}

/** A short block for people. */
export function hostInWords({ ingress, servedThrough, services }: HostIngress): string {
  const through = { nginx: "nginx", edge: "the edge, which stands in for nginx", nobody: "nobody" }[
    servedThrough
  ];
  const blocks = services.map(({ service, path, urls, live, idle, switching }) => {
    const side = (name: string, one: HostSide | undefined) =>
      `    ${`${name}:`.padEnd(9)}${one ? `${one.color} ${one.image ?? ""} (${one.container}${one.replicas > 1 ? `, ${one.replicas} containers` : ""}), ${one.state}` : "none"}`;
    return [
      `  ${service}${path ? ` (${path})` : ""}${switching ? ", a switch is running" : ""}`,
      `    ${"url:".padEnd(9)}${urls.live ?? "none"}`,
      `    ${"preview:".padEnd(9)}${urls.preview ?? "none"}`,
      side("live", live),
      side("idle", idle),
    ].join("\n");
  });
  return [
    `ingress ${ingress}: served by ${through}`,
    ...(blocks.length > 0 ? blocks : ["  no service"]),
  ].join("\n");
}
