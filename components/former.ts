import * as pulumi from "@pulumi/pulumi";
import { known, markOf } from "./decisions";
import type { Identity } from "./identity";
import type { Former, Release } from "./plan";
import { COLORS } from "./settings";

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

/** What the switch says of a release in its triggers, and what the next update's plan reads back from there. */
export const switchTriggers = (release: ReleaseInputs, identity: Identity): pulumi.Input<string>[] => {
  const liveImage = pulumi
    .all([release.activeColor, release.blueImage, release.greenImage])
    .apply(([live, blue, green]) => (live === "blue" ? blue : green));
  // By the mark it is found again under whatever name.
  return [release.activeColor, liveImage, release.proxyImage, release.binding, mark(identity)];
};

/** The same of the idle gate. */
export const idleGateTriggers = ({ blueImage, greenImage }: ReleaseInputs): pulumi.Input<string>[] => [
  blueImage,
  greenImage,
];

const mark = ({ path, id }: Identity): pulumi.Output<string> => pulumi.interpolate`${path} ${id}`;
const MARK = /^[^/]+\/[^/]+\/.+ [0-9a-f]{16}$/;

/**
 * What the last switch that passed left, from the stack's own state: nothing contacts the Docker host. Undefined before
 * the first one. A switch that failed is not in the state, so this is never what only was tried.
 */
export async function formerRelease(
  service: pulumi.ComponentResource,
  identity: Identity,
  state: Promise<State>,
): Promise<Former | undefined> {
  const [urn, own, outputs] = await Promise.all([known(service.urn), known(mark(identity)), state]);
  const [switchUrn, triggers] = findSwitch(outputs, urn ?? "", own) ?? [];
  if (switchUrn === undefined || triggers === undefined) return undefined;

  const idleGate = outputs[switchUrn.replace(/switch$/, "idle-gate")]?.outputs?.triggers;
  const release = readTriggers(triggers, idleGate);
  const passed = { blue: release.blueImage, green: release.greenImage };
  const failed = COLORS.flatMap((color) => {
    const made = outputs[sibling(switchUrn, "docker:index/container:Container", color)]?.outputs?.image;
    return made === undefined || made === passed[color] ? [] : [[color, made]];
  });
  return {
    ...release,
    failed: Object.fromEntries(failed) as Former["failed"],
    children: childrenBeside(switchUrn, outputs),
  };
}

function readTriggers(triggers: string[], idleGate: string[] = []): Release {
  if (!triggers.some((trigger) => MARK.test(trigger))) {
    // From before there were identities, when one command had both colors.
    const [activeColor, blueImage, greenImage, proxyImage, binding] = triggers;
    return { activeColor, blueImage, greenImage, proxyImage, binding };
  }
  const [activeColor, liveImage, proxyImage, binding] = triggers;
  // Of the idle color nothing has passed yet where its first gate has failed.
  const [blueImage = "", greenImage = ""] = idleGate;
  const images = { blue: blueImage, green: greenImage, [activeColor]: liveImage };
  return { activeColor, blueImage: images.blue, greenImage: images.green, proxyImage, binding };
}

/** The switch of this identity; of a state in which none says whose it is, the one of this URN. */
function findSwitch(outputs: State, urn: string, own: string | undefined): [string, string[]] | undefined {
  const switches = Object.entries(outputs).flatMap(([urn, { outputs }]): [string, string[]][] =>
    /\$command:(local|remote):Command::.*-switch$/.test(urn) && outputs?.triggers !== undefined
      ? [[urn, outputs.triggers]]
      : [],
  );
  return (
    switches.find(([, triggers]) => own !== undefined && triggers.includes(own)) ??
    switches.find(([switchUrn]) => {
      const [parent, name] = split(urn);
      return ["local", "remote"].some(
        (where) => switchUrn === `${parent}$command:${where}:Command::${name}-switch`,
      );
    })
  );
}

/** Another child of the component whose switch this is. */
function sibling(switchUrn: string, type: string, suffix: string): string {
  const [chain, name] = split(switchUrn);
  return `${chain.slice(0, chain.lastIndexOf("$"))}$${type}::${name.replace(/switch$/, suffix)}`;
}

/** The children of that component, by their names without the component's own. */
function childrenBeside(switchUrn: string, state: State): Former["children"] {
  const [chain, name] = split(switchUrn);
  const [parent, component] = [chain.slice(0, chain.lastIndexOf("$")), name.replace(/-switch$/, "")];
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
 * The names that a service carries which was made before there were identities, from its labels: the stack may have another
 * name by now. Undefined for every other one.
 */
export async function labelledNames(
  service: pulumi.ComponentResource,
  state: State,
): Promise<string | undefined> {
  const [parent, name] = split((await known(service.urn)) ?? "::");
  const { labels = [] } = state[`${parent}$docker:index/container:Container::${name}-edge`]?.outputs ?? {};
  const [stack, component] = ["bluegreen.stack", "bluegreen.service"].map(
    (wanted) => labels.find(({ label }) => label === wanted)?.value,
  );
  return stack === undefined || component === undefined ? undefined : `${stack}/${component}`;
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
