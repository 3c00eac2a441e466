import * as pulumi from "@pulumi/pulumi";
import type { Former, Release } from "./plan";
import { COLORS } from "./settings";

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

/** What the switch says of a release in its triggers, and what the next update's plan reads back from there. */
export const switchTriggers = (release: ReleaseInputs): pulumi.Input<string>[] => {
  const liveImage = pulumi
    .all([release.activeColor, release.blueImage, release.greenImage])
    .apply(([live, blue, green]) => (live === "blue" ? blue : green));
  return [release.activeColor, liveImage, release.proxyImage, release.binding];
};

/** The same of the idle gate. */
export const idleGateTriggers = ({ blueImage, greenImage }: ReleaseInputs): pulumi.Input<string>[] => [
  blueImage,
  greenImage,
];

/**
 * What the last switch that passed left, from the stack's own state: nothing contacts the Docker host. Undefined before
 * the first one. A switch that failed is not in the state, so this is never what only was tried.
 */
export async function formerRelease(service: pulumi.ComponentResource): Promise<Former | undefined> {
  const urn = await new Promise<string>((resolve) => service.urn.apply(resolve));
  const [parent, name] = [urn.slice(0, urn.lastIndexOf("::")), urn.slice(urn.lastIndexOf("::") + 2)];
  const outputs = await readState();
  const triggersOf = (command: string) =>
    ["command:local:Command", "command:remote:Command"]
      .map((type) => outputs[`${parent}$${type}::${name}-${command}`]?.outputs?.triggers)
      .find((triggers) => triggers !== undefined);
  const switched = triggersOf("switch");
  if (switched === undefined) return undefined;
  const [activeColor, liveImage, proxyImage, binding] = switched;
  // Of the idle color nothing has passed yet where its first gate has failed.
  const [blueImage = "", greenImage = ""] = triggersOf("idle-gate") ?? [];
  const passed = { blue: blueImage, green: greenImage, [activeColor]: liveImage };
  const failed = COLORS.flatMap((color) => {
    const made = outputs[`${parent}$docker:index/container:Container::${name}-${color}`]?.outputs?.image;
    return made === undefined || made === passed[color] ? [] : [[color, made]];
  });
  return {
    activeColor,
    blueImage: passed.blue,
    greenImage: passed.green,
    proxyImage,
    binding,
    failed: Object.fromEntries(failed) as Former["failed"],
  };
}

interface Outputs {
  [urn: string]: { outputs?: { triggers?: string[]; image?: string } };
}

/**
 * While an update runs, its engine writes the state again and again, and a file backend does not write it in one step: a
 * read that meets a half-written file fails and is done again.
 */
async function readState(): Promise<Outputs> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
        stackName: pulumi.getStack(),
      });
      return (answer as { outputs?: Outputs }).outputs ?? {};
    } catch (error) {
      if (attempt === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
