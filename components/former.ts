import * as pulumi from "@pulumi/pulumi";
import type { Former, Release } from "./plan";
import { COLORS } from "./settings";

/** What the switch says of a release in its triggers, and what the next update's plan reads back from there. */
export const releaseTriggers = (release: {
  [K in keyof Release]: pulumi.Input<string>;
}): pulumi.Input<string>[] => [
  release.activeColor,
  release.blueImage,
  release.greenImage,
  release.proxyImage,
  release.binding,
];

/**
 * What the last switch that passed left, from the stack's own state: nothing contacts the Docker host. Undefined before
 * the first one. A switch that failed is not in the state, so this is never what only was tried.
 */
export async function formerRelease(service: pulumi.ComponentResource): Promise<Former | undefined> {
  const urn = await new Promise<string>((resolve) => service.urn.apply(resolve));
  const [parent, name] = [urn.slice(0, urn.lastIndexOf("::")), urn.slice(urn.lastIndexOf("::") + 2)];
  const outputs = await readState();
  for (const type of ["command:local:Command", "command:remote:Command"]) {
    const triggers = outputs[`${parent}$${type}::${name}-switch`]?.outputs?.triggers;
    if (triggers === undefined) continue;
    const [activeColor, blueImage, greenImage, proxyImage, binding] = triggers;
    const switched = { blue: blueImage, green: greenImage };
    const failed = COLORS.flatMap((color) => {
      const made = outputs[`${parent}$docker:index/container:Container::${name}-${color}`]?.outputs?.image;
      return made === undefined || made === switched[color] ? [] : [[color, made]];
    });
    return {
      activeColor,
      blueImage,
      greenImage,
      proxyImage,
      binding,
      failed: Object.fromEntries(failed) as Former["failed"],
    };
  }
  return undefined;
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
