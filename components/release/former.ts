import * as pulumi from "@pulumi/pulumi";
import { known, markOf } from "./decisions";
import { inFull } from "../host/registry";
import type { Identity } from "../identity";
import type { Former, FormerIngress, Release } from "./plan";
import { COLORS } from "../settings";

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

interface OwnedRecord {
  version: 1;
  /** Path and id of the identity of the component. By that it is found again under whatever name. */
  owner: string;
}
/** What a switch that has passed says of itself, among its triggers: the next update reads it from the state. */
interface SwitchRecord extends OwnedRecord {
  live: string;
  liveImage: string;
  /** Of version 0.1.0, whose switch was the take-over, too. */
  nginx?: string;
  binding?: string;
}
/** The same of a take-over. */
interface IngressRecord extends OwnedRecord {
  nginx: string;
  binding: string;
}
/** The same of an idle gate. */
interface IdleGateRecord {
  version: 1;
  blue: string;
  green: string;
}
type Given<T> = { [K in keyof T]: pulumi.Input<T[K]> };

const record = <T>(values: Given<T>): pulumi.Output<string> =>
  pulumi.output(values as Given<object>).apply((values) => JSON.stringify(values));

export function switchRecord(release: ReleaseInputs, identity: Identity): pulumi.Output<string> {
  const liveImage = pulumi
    .all([release.activeColor, release.blueImage, release.greenImage])
    .apply(([live, blue, green]) => (live === "blue" ? blue : green));
  return record<SwitchRecord>({
    version: 1,
    owner: mark(identity),
    live: release.activeColor,
    liveImage,
  });
}

export const ingressRecord = (made: Given<Pick<IngressRecord, "nginx" | "binding">>, identity: Identity) =>
  record<IngressRecord>({ version: 1, owner: mark(identity), ...made });

export const idleGateRecord = ({ blueImage, greenImage }: ReleaseInputs): pulumi.Output<string> =>
  record<IdleGateRecord>({ version: 1, blue: blueImage, green: greenImage });

const mark = ({ path, id }: Identity): pulumi.Output<string> => pulumi.interpolate`${path} ${id}`;

/** The record among the triggers of a command. */
function readRecord<T extends { version: 1 }>(triggers: string[] | undefined): T | undefined {
  return (
    triggers
      ?.filter((trigger) => trigger.startsWith("{"))
      // Version 0.1.0 called the owner "service".
      .map((trigger) => JSON.parse(trigger) as T & { service?: string })
      .map((found): T => ({ owner: found.service, ...found }))
      .find(({ version }) => version === 1)
  );
}

/**
 * What the last switch that passed left, from the stack's own state: nothing contacts the Docker host. Undefined before
 * the first one. A switch that failed is not in the state, so this is never what only was tried.
 */
export async function formerRelease(
  service: pulumi.ComponentResource,
  identity: Identity,
  state: Promise<State>,
): Promise<Former | undefined> {
  const outputs = await state;
  const found = await findCommand<SwitchRecord>("switch", outputs, service, identity);
  if (found === undefined) return undefined;
  const [switchUrn, switched] = found;
  const idleGate = readRecord<IdleGateRecord>(
    outputs[switchUrn.replace(/switch$/, "idle-gate")]?.outputs?.triggers,
  );
  const ingress = readRecord<IngressRecord>(
    outputs[switchUrn.replace(/switch$/, "take-over")]?.outputs?.triggers,
  );
  const release = releaseOf(switched, idleGate, ingress ?? switched);
  const passed = { blue: release.blueImage, green: release.greenImage };
  const failed = COLORS.flatMap((color) => {
    const made = outputs[sibling(switchUrn, "docker:index/container:Container", color)]?.outputs?.image;
    return made === undefined || inFull(made) === inFull(passed[color]) ? [] : [[color, made]];
  });
  return {
    ...release,
    failed: Object.fromEntries(failed) as Former["failed"],
    children: childrenBeside(switchUrn, outputs),
    // As note_downtime in recreate.sh says it.
    downtime: /^==> downtime: ([\d.]+) s,/m.exec(outputs[switchUrn]?.outputs?.stdout ?? "")?.[1],
  };
}

/** What the ingress of this owner was made with by its last take-over. */
export async function formerIngress(
  ingress: pulumi.ComponentResource,
  identity: Identity,
  state: Promise<State>,
): Promise<FormerIngress | undefined> {
  const outputs = await state;
  const found = await findCommand<IngressRecord>("take-over", outputs, ingress, identity);
  if (found === undefined) return undefined;
  const [takeOverUrn, made] = found;
  return {
    proxyImage: made.nginx,
    binding: made.binding,
    children: childrenBeside(takeOverUrn, outputs),
  };
}

function releaseOf(
  { live, liveImage }: SwitchRecord,
  idleGate: IdleGateRecord | undefined,
  ingress: Partial<IngressRecord>,
): Release {
  // Of the idle color nothing has passed yet where its first gate has failed.
  const images = { blue: idleGate?.blue ?? "", green: idleGate?.green ?? "", [live]: liveImage };
  return {
    activeColor: live,
    blueImage: images.blue,
    greenImage: images.green,
    // Of an ingress that others have made, nothing is known here.
    proxyImage: ingress.nginx ?? "",
    binding: ingress.binding ?? "",
  };
}

/** The command of this identity; before that is known, in a first preview, the one of this component's URN. */
async function findCommand<T extends OwnedRecord>(
  suffix: string,
  outputs: State,
  component: pulumi.ComponentResource,
  identity: Identity,
): Promise<[urn: string, record: T] | undefined> {
  const [urn = "", own] = await Promise.all([known(component.urn), known(mark(identity))]);
  const commands = Object.entries(outputs).flatMap(([urn, { outputs }]): [string, T][] => {
    const [chain, name] = split(urn);
    const isCommand = /\$command:(local|remote):Command$/.test(chain) && name.endsWith(`-${suffix}`);
    const found = isCommand ? readRecord<T>(outputs?.triggers) : undefined;
    return found === undefined ? [] : [[urn, found]];
  });
  if (own !== undefined) return commands.find(([, { owner }]) => owner === own);
  const [parent, name] = split(urn);
  return commands.find(([commandUrn]) =>
    ["local", "remote"].some(
      (where) => commandUrn === `${parent}$command:${where}:Command::${name}-${suffix}`,
    ),
  );
}

/** Another child of the component whose switch this is. */
function sibling(switchUrn: string, type: string, suffix: string): string {
  const [chain, name] = split(switchUrn);
  return `${chain.slice(0, chain.lastIndexOf("$"))}$${type}::${name.replace(/switch$/, suffix)}`;
}

/** The children of that component, by their names without the component's own. */
function childrenBeside(commandUrn: string, state: State): Former["children"] {
  const [chain, name] = split(commandUrn);
  const [parent, component] = [
    chain.slice(0, chain.lastIndexOf("$")),
    name.replace(/-(switch|take-over)$/, ""),
  ];
  const children = Object.entries(state).filter(([urn]) => {
    const [chain, name] = split(urn);
    return chain.startsWith(`${parent}$`) && name.startsWith(`${component}-`);
  });
  return Object.fromEntries(
    children.map(([urn, { outputs }]) => [split(urn)[1].slice(component.length + 1), markOf(outputs ?? {})]),
  );
}

const split = (urn: string): [chain: string, name: string] => {
  const end = urn.lastIndexOf("::");
  return [urn.slice(0, end), urn.slice(end + 2)];
};

/** What the stack's state has of its resources. */
export interface State {
  [urn: string]: {
    type?: string;
    outputs?: {
      triggers?: string[];
      stdout?: string;
      image?: string;
      id?: string;
      name?: string;
      labels?: { label: string; value: string }[];
      host?: string;
      written?: string;
    };
  };
}

/**
 * While an update runs, its engine writes the state again and again, and a file backend does not write it in one step: a
 * read that meets a half-written file fails and is done again.
 */
export async function readState(): Promise<State> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
        stackName: pulumi.getStack(),
      });
      return (answer as { outputs?: State }).outputs ?? {};
    } catch (error) {
      if (attempt === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
