import type { Command } from "commander";
import { z } from "zod";
import { confirm } from "../confirm";
import { dockerOn, type Engine } from "../docker";
import { Failure, say } from "../failure";
import { assignments, shellFiles } from "../../shell";
import { labelFilter, must } from "../observe";
import { PULUMI, servicesOf, stackCommand, type WhichStack } from "../stack";

interface Options extends WhichStack {
  host: string;
  data?: boolean;
  yes?: boolean;
}

export function registerForget(program: Command): void {
  stackCommand(
    program,
    "forget",
    "removes from a host what a service has there whose stack is lost; asks before it does",
  )
    .argument("<name>", "PROJECT/STACK/COMPONENT of its first update, as its containers' labels say")
    .option(
      "--host <address>",
      "the engine, as host.address",
      process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock",
    )
    .option("--data", "the data of its Redis, too")
    .option("-y, --yes", "without asking")
    .action(forget);
}

async function forget(name: string, { host, data, yes, ...which }: Options): Promise<void> {
  if (name.split("/").length !== 3)
    throw new Failure(`${name}: must be PROJECT/STACK/COMPONENT. Nothing was changed.`);
  await refuseIfKnown(name, which);
  const engine = { host, sshOptions: [] };
  const things = await thingsOf(name, engine);
  const [removed, kept] = [
    things.filter(({ isData }) => data || !isData),
    things.filter(({ isData }) => !data && isData),
  ];
  const isRemoved = (nginx: string) => removed.some((thing) => thing.name === nginx);
  const places = (await placesOf(name, engine)).filter(({ nginx }) => !isRemoved(nginx));
  if (removed.length + places.length === 0)
    throw new Failure(
      `Docker at ${host} has nothing${kept.length > 0 ? " but data" : ""} of ${name}. Nothing was changed.`,
    );
  const list = [
    ...places.map(({ service, nginx }) => `  service ${service} on the ingress of ${nginx}\n`),
    ...removed.map(({ kind, name }) => `  ${kind} ${name}\n`),
  ].join("");
  if (!yes)
    await confirm(
      `What ${name} serves ends, and this is removed from ${host}:\n${list}Go on?`,
      `forget ${name}`,
    );
  // No request goes to a container that is gone.
  for (const place of places) await leave(engine, place);
  for (const thing of removed) await remove(engine, thing);
  for (const thing of kept) say(`Kept the data: ${thing.kind} ${thing.name}. To remove it too: --data`);
}

/** What a stack knows, Pulumi removes. */
async function refuseIfKnown(name: string, which: WhichStack): Promise<void> {
  const services = await servicesOf(which).catch(() => []);
  if (services.some(({ identity }) => identity.path === name))
    throw new Failure(`The stack here knows ${name}: \`${PULUMI} destroy\` removes it. Nothing was changed.`);
}

/** What is kept of a service on an ingress that others have made. */
interface Place {
  nginx: string;
  service: string;
  id: string;
}

async function placesOf(name: string, engine: Engine): Promise<Place[]> {
  const filter = ["--filter", "label=bluegreen.role=proxy", "--filter", "status=running"];
  const nginxes = await must(engine, ["ps", "--format", "{{.Names}}", ...filter]);
  const places: Place[] = [];
  for (const nginx of nginxes.split("\n").filter(Boolean)) {
    const { stdout } = await dockerOn(engine, ["exec", nginx, "grep", "-rlxF", name, PLACES]);
    for (const file of stdout.split("\n").filter((file) => file.endsWith("/id"))) {
      const [id] = (await must(engine, ["exec", nginx, "cat", file])).split("\n");
      places.push({ nginx, service: file.slice(PLACES.length + 1, -"/id".length), id });
    }
  }
  return places;
}
const PLACES = "/bluegreen/state/services";

async function leave(engine: Engine, { nginx, service, id }: Place): Promise<void> {
  say(`service ${service} leaves the ingress of ${nginx}`);
  const script = shellFiles("in-nginx/piped/common.sh", "in-nginx/piped/leave.sh");
  const input = `${assignments({ SERVICE: service, SERVICE_ID: id })}${script}`;
  const { ok, stderr } = await dockerOn(engine, ["exec", "-i", nginx, "sh", "-s"], { input });
  if (!ok) throw new Failure(`It could not: ${stderr.trim()}. Nothing was removed; run this again.`);
}

interface Thing {
  kind: "container" | "network" | "volume";
  name: string;
  isData: boolean;
}

/** In the order in which they can go. */
async function thingsOf(service: string, engine: Engine): Promise<Thing[]> {
  const found: Thing[] = [];
  for (const kind of ["container", "network", "volume"] as const) {
    const list = kind === "container" ? ["ls", "--all"] : ["ls"];
    const ids = await must(engine, [kind, ...list, "--quiet", ...labelFilter(service)]);
    for (const id of ids.split("\n").filter(Boolean)) found.push(await thing(engine, kind, id));
  }
  return found;
}

const Labelled = z.object({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
});

async function thing(engine: Engine, kind: Thing["kind"], id: string): Promise<Thing> {
  const [inspected] = z.array(Labelled).parse(JSON.parse(await must(engine, [kind, "inspect", id])));
  const isData = kind === "volume" && inspected.Labels?.["bluegreen.role"] === "redis-data";
  return { kind, name: inspected.Name.replace(/^\//, ""), isData };
}

async function remove(engine: Engine, { kind, name }: Thing): Promise<void> {
  say(`docker ${kind} rm ${name}`);
  const force = kind === "container" ? ["--force"] : [];
  const { ok, stderr } = await dockerOn(engine, [kind, "rm", ...force, name]);
  if (!ok)
    throw new Failure(
      `It could not be removed: ${stderr.trim()}. What was removed before stays removed; run this again.`,
    );
}
