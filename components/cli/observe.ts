import { z } from "zod";
import { assignments, printingFunction, shellFiles } from "../shell";
import { dockerOn, shellOn, type Engine } from "./docker";
import { Failure } from "./failure";
import type { Container, Entry, Facts, Observed, Service } from "./report";

/** What really is there: every container with the service's labels, and what the two nginx of its ingress say of themselves. */
export async function observe(service: Service): Promise<Observed> {
  const { path, id } = service.identity;
  const containers = await inspect(service, labelFilter(path), ({ Config }) => isOf(id, Config.Labels));
  const ingress = service.switch?.values.INGRESS;
  const labelled =
    ingress === undefined ? [] : await inspect(service, ["--filter", `label=bluegreen.ingress=${ingress}`]);
  // The edge that version 0.1.0 made, and that no update may replace, does not say whose ingress it is of.
  const nginxes = labelled.some(({ role }) => role === "edge")
    ? labelled
    : [...labelled, ...containers.filter(({ role }) => role === "edge")];
  const facts = (role: string) =>
    Promise.all(
      nginxes
        .filter((container) => container.role === role)
        .map(async ({ name, ...rest }) => ({ name, facts: await factsFrom(service, { name, ...rest }) })),
    );
  const [[edge], proxies] = await Promise.all([facts("edge"), facts("proxy")]);
  // While an update replaces it, there are two.
  const proxy =
    proxies.find(({ name }) => name === service.switch?.values.NGINX) ??
    proxies.find(({ facts }) => facts && "id" in facts && facts.id === facts.owner) ??
    proxies[0];
  return { containers, edge: edge?.facts, proxy: proxy?.facts, nginx: proxy?.name };
}

async function inspect(
  service: Service,
  filter: string[],
  isWanted: (found: z.infer<typeof Inspected>) => boolean = () => true,
): Promise<Container[]> {
  const ids = (await must(service, ["ps", "--all", "--quiet", "--no-trunc", ...filter])).split("\n");
  if (ids[0] === "") return [];
  const found = z.array(Inspected).parse(JSON.parse(await must(service, ["container", "inspect", ...ids])));
  return found.filter(isWanted).map(toContainer);
}

/** For all that a service has, by PROJECT/STACK/COMPONENT of its first update. */
export function labelFilter(path: string): string[] {
  const end = path.lastIndexOf("/");
  const labels = [`bluegreen.stack=${path.slice(0, end)}`, `bluegreen.service=${path.slice(end + 1)}`];
  return labels.flatMap((label) => ["--filter", `label=${label}`]);
}

/** What was made before there were ids has none. */
const isOf = (id: string | undefined, labels: { [label: string]: string }) =>
  [undefined, id].includes(labels["bluegreen.id"]);

const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  RestartCount: z.number(),
  Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()) }),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Error: z.string(),
  }),
});

function toContainer(found: z.infer<typeof Inspected>): Container {
  return {
    id: found.Id,
    name: found.Name.slice(1),
    role: found.Config.Labels["bluegreen.role"],
    image: found.Config.Image,
    status: found.State.Status,
    exitCode: found.State.ExitCode,
    outOfMemory: found.State.OOMKilled,
    restarts: found.RestartCount,
    startedAt: found.State.StartedAt,
    finishedAt: found.State.FinishedAt,
    error: found.State.Error,
  };
}

export async function must(engine: Engine, args: string[]): Promise<string> {
  const { ok, stdout, stderr } = await dockerOn(engine, args);
  if (!ok)
    throw new Failure(
      `No answer from Docker at ${engine.host}, so nothing can be told. Nothing was changed.\n${stderr.trim()}`,
    );
  return stdout.trim();
}

/** Undefined where there is nobody to ask. */
async function factsFrom(service: Service, container: Container | undefined): Promise<Observed["edge"]> {
  if (container?.status !== "running" || !service.switch) return undefined;
  const script = shellFiles("in-both/replicas.sh", "in-nginx/piped/probe.sh", "in-nginx/piped/status.sh");
  const { settingsFunction, values } = service.switch;
  const input = `${settingsFunction}\n${script}`;
  const { ok, stdout, stderr } = await (["command", "image"].includes(values.HEALTH_KIND)
    ? shellOn(service, throughHost(container.name, settingsFunction, input))
    : dockerOn(service, ["exec", "-i", container.name, "sh", "-s"], { input }));
  return ok ? readFacts(stdout) : { error: stderr.trim() };
}

/** The same where Docker has to be asked for the health. */
const throughHost = (nginx: string, settingsFunction: string, script: string) =>
  [
    settingsFunction,
    printingFunction("in_container_script", script),
    assignments({ ASKED: nginx }),
    shellFiles("on-host/hear.sh", "on-host/status.sh"),
  ].join("\n");

/** The lines that components/shell/in-nginx/piped/status.sh prints. */
export function readFacts(text: string): Facts {
  const [journal, nginxes]: [Entry[], Entry[]] = [[], []];
  const facts: { [name: string]: string | undefined } = {};
  for (const line of text.split("\n").filter(Boolean)) {
    const [name] = line.split(" ", 1);
    const value = line.slice(name.length + 1);
    if (name === "journal") journal.push(readEntry(value));
    else if (name === "nginx") nginxes.push(readEntry(value));
    else facts[name] = value;
  }
  const plain = (base64 = "") => Buffer.from(base64, "base64").toString();
  return {
    id: facts.id ?? "",
    owner: facts.owner ?? "",
    listens: facts.listens === "yes",
    lock_held: facts.lock_held === "yes",
    lock_holder: facts.lock_holder ?? "",
    intent: facts.intent ? readEntry(facts.intent) : undefined,
    files: facts.files ?? "",
    running: facts.running ?? "",
    site: plain(facts.site),
    health_code: facts.health_code,
    healthy: facts.healthy === "yes",
    health_answer: plain(facts.health_answer),
    health_from: facts.health_from,
    journal,
    nginxes,
  };
}

function readEntry(line: string): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return { outcome: `can't be read: ${line}` };
  }
}
