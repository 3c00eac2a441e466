import { z } from "zod";
import { listeningOf, urls, type Listening } from "../host/address";
import { readChild } from "../settings/color";
import { Failure } from "./failure";
import type { Service, Urls } from "./report";

const Resource = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  parent: z.string().optional(),
  /** An update has made another in its place and has not deleted this one yet. */
  delete: z.boolean().default(false),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
type Resource = z.infer<typeof Resource>;
const Pending = z.object({
  type: z.string(),
  resource: z.object({ urn: z.string(), parent: z.string().optional() }),
});
const Exported = z.object({
  deployment: z.object({
    resources: z.array(Resource).default([]),
    pending_operations: z.array(Pending).default([]),
  }),
});

const Provider = z.object({ host: z.string(), sshOpts: z.string().optional() });
const Container = z.object({ name: z.string() });
const Edge = z.object({
  ports: z.array(z.object({ internal: z.number(), external: z.number(), ip: z.string() })).default([]),
});
const IdentityCommand = z.object({ environment: z.object({ IDENTITY: z.string() }) });
const Printed = z.object({ stdout: z.string() });
const HostCommand = z.object({ stdin: z.string() });
const Component = z.object({
  tls: z.object({ names: z.array(z.string()).default([]) }).default({ names: [] }),
  hosts: z.array(z.string()).default([]),
  redirects: z.record(z.string(), z.string()).default({}),
  path: z.string().default("/"),
  ingress: z.unknown().optional(),
});

/**
 * Every BlueGreenService in what `pulumi stack export` prints. What the stack says is served is what the last switch that
 * passed was told: the outputs of the component are empty after an update that failed.
 */
export function readServices(exported: unknown): Service[] {
  const { resources, pending_operations: pending } = Exported.parse(exported).deployment;
  return resources
    .filter(({ type }) => type === "bluegreen:index:BlueGreenService")
    .map((service) => readService(service, resources, pending));
}

function readService(
  { urn, inputs }: Resource,
  resources: Resource[],
  pending: z.infer<typeof Pending>[],
): Service {
  const [, , stack, , project] = urn.split(":");
  const name = nameOf(urn);
  const children = resources.filter(({ parent }) => parent === urn);
  const child = (suffix: string) =>
    children.find((resource) => nameOf(resource.urn) === `${name}-${suffix}` && !resource.delete);
  const provider = Provider.safeParse(child("docker")?.inputs).data;
  // Without a provider nothing has been made yet.
  const host = provider?.host ?? "";
  const identity = readIdentity(child("identity")) ?? { path: `${project}/${stack}/${name}` };
  return {
    name,
    stack: `${project}/${stack}`,
    identity,
    host,
    sshOptions:
      provider?.sshOpts === undefined ? [] : z.array(z.string()).parse(JSON.parse(provider.sshOpts)),
    urls: urlsOf(inputs, host, identity.path, child("edge"), child("leave")),
    containers: children
      .filter(({ type }) => type === "docker:index/container:Container")
      .map((resource) => ({
        id: resource.id ?? "",
        name: Container.parse(resource.outputs).name,
        replaced: resource.delete,
        ...readRole(nameOf(resource.urn).slice(name.length + 1)),
      })),
    pending: pending
      .filter(({ resource }) => resource.parent === urn)
      .map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`),
    switch: readSwitch(child),
    workers: readWorkers(child("workers")),
  };
}

function readRole(child: string): { role: string; worker?: string } {
  const { color, worker } = readChild(child);
  return { role: worker === undefined ? (color ?? child) : child, worker };
}

/** What the last move that passed was told. */
function readWorkers(command: Resource | undefined): Service["workers"] {
  const lines = command ? readCommand(command).values.WORKERS.split("\n").filter(Boolean) : [];
  return lines.map((line) => {
    const [name, container] = line.split(" ");
    return { name, container };
  });
}

const nameOf = (urn: string) => urn.slice(urn.lastIndexOf("::") + 2);

/**
 * From the ports of the edge, or from what the service was told of those of a shared ingress: the outputs of the component are
 * empty after an update that failed.
 */
function urlsOf(
  inputs: unknown,
  host: string,
  path: string,
  edge: Resource | undefined,
  leave: Resource | undefined,
): Urls {
  const listening = edge
    ? listeningOfEdge(edge)
    : leave && listeningOf(JSON.parse(Printed.parse(leave.outputs).stdout));
  const component = Component.safeParse(inputs).data;
  if (listening === undefined || component === undefined || host === "") return {};
  const service = path.slice(path.lastIndexOf("/") + 1);
  // As in the stack's configuration, an empty one is none.
  const ingress = component.ingress === "" ? undefined : component.ingress;
  const { url, previewUrl } = urls({ ...component, ingress, host: { address: host } }, service, listening);
  return { live: url, preview: previewUrl };
}

function listeningOfEdge({ outputs }: Resource): Listening | undefined {
  const ports = Edge.safeParse(outputs).data?.ports ?? [];
  const published = (inside: number) => {
    const found = ports.find(({ internal }) => internal === inside);
    return found && { address: found.ip, port: found.external };
  };
  const [plain, secure, preview] = [80, 443, 8081].map(published);
  return plain && preview && { plain, secure, preview };
}

/** What the service was called when it was made, which is what Docker knows it by (components/identity.ts). */
function readIdentity(command: Resource | undefined): Service["identity"] | undefined {
  if (command === undefined) return undefined;
  const { IDENTITY } = IdentityCommand.parse(command.inputs).environment;
  return { path: IDENTITY, id: Printed.parse(command.outputs).stdout };
}

/** All that a switch takes, in its order: `heal` runs them again. */
const COMMANDS = ["take-over", "health-headers", "switch", "idle-gate", "workers"];

/** What the last switch and the last idle gate that passed were told. BLUE and GREEN are what the stack wants of each. */
function readSwitch(child: (suffix: string) => Resource | undefined): Service["switch"] {
  const [takeOver, switched, idleGate] = ["take-over", "switch", "idle-gate"].map(child);
  if (switched === undefined) return undefined;
  const { settingsFunction, values } = readCommand(switched);
  const { LIVE_COLOR, LIVE, LIVE_REPLICAS } = values;
  const both = Object.entries(idleGate ? readCommand(idleGate).values : {}).filter(([variable]) =>
    /^(BLUE|GREEN)(_PORT|_REPLICAS)?$/.test(variable),
  );
  return {
    urns: COMMANDS.flatMap((command) => child(command)?.urn ?? []),
    settingsFunction,
    values: {
      ...values,
      ...Object.fromEntries(both),
      // On an ingress that others have made, no stack but theirs knows its nginx.
      ...(takeOver && { NGINX: readCommand(takeOver).values.NGINX }),
      [LIVE_COLOR.toUpperCase()]: LIVE,
      [`${LIVE_COLOR.toUpperCase()}_REPLICAS`]: LIVE_REPLICAS ?? "1",
    },
  };
}

function readCommand({ inputs }: Resource) {
  const stdin = HostCommand.safeParse(inputs).data?.stdin ?? "";
  const settings = /^settings\(\) \{\n {2}cat <<'(\w+)'\n([^]*?)\1\n\}\n/.exec(stdin);
  if (!settings)
    throw new Failure(
      "The stack keeps the input of the switch as a secret, so what it wrote can't be read. Nothing was changed.",
    );
  const [settingsFunction, , assigned] = settings;
  return { settingsFunction, values: readAssignments(assigned) };
}

/** The values of what components/shell/index.ts writes as assignments. */
function readAssignments(text: string): { [name: string]: string } {
  const found = text.matchAll(/^(\w+)='((?:[^']|'\\'')*)'$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name, value.replaceAll(`'\\''`, "'")]));
}
