import * as pulumi from "@pulumi/pulumi";
import type { CheckedHost } from "./preflight";
import { inFull } from "./registry";
import { known } from "../release/decisions";
import type { State } from "../release/former";
import { hash } from "../shell";

/**
 * Podman speaks Docker's API, but does not tell of a container what it was made with. Docker's provider compares that with what
 * is wanted, and would replace every container at every update:
 *
 * | It was made with | What Podman tells                                                                    |
 * | ---------------- | ------------------------------------------------------------------------------------ |
 * | an image         | its name in full: docker.io/library/nginx:1.30.6                                      |
 * | capabilities     | what is another than its own default, without CAP_                                    |
 * | logOpts, sysctls | nothing                                                                               |
 * | memorySwap: -1   | twice the memory                                                                      |
 * | stopSignal       | its number                                                                            |
 * | tmpfs            | with the options that it adds                                                         |
 * | ulimits          | by the kernel's names (RLIMIT_NOFILE), and those that it adds                         |
 *
 * So there an image is wanted by its name in full, and of the rest a container says in a label what it was made with: as long as
 * that is what is wanted, the provider does not compare it. On Docker nothing of this happens.
 */
export function asPodmanTells(
  host: pulumi.Output<CheckedHost>,
  state: Promise<State>,
): pulumi.ResourceTransform {
  return async ({ type, name, props, opts }) => {
    if (type !== CONTAINER) return undefined;
    const former = formerMark(await state, name);
    // A preview asks no host: what was made on Podman says so.
    const isPodman = (await known(host))?.podman ?? former !== undefined;
    if (!isPodman) return undefined;
    const { image, labels } = props;
    // Only of these: with what is secret of a container, its labels would be a secret too.
    const mark = pulumi.output(TOLD_OTHERWISE.map((name) => props[name] as unknown)).apply(markOf);
    return {
      props: {
        ...props,
        image: pulumi.output(image as pulumi.Input<string>).apply(inFull),
        labels: pulumi
          .all([labels as pulumi.Input<Label[]>, mark])
          .apply(([labels, value]) => [...labels, { label: MARK, value }]),
      },
      opts: { ...opts, ignoreChanges: ignored(opts.ignoreChanges ?? [], former, await known(mark), props) },
    };
  };
}

const CONTAINER = "docker:index/container:Container";
const MARK = "bluegreen.made-with";
const TOLD_OTHERWISE = ["capabilities", "logOpts", "stopSignal", "sysctls", "tmpfs", "ulimits"];

interface Label {
  label: string;
  value: string;
}

/** What this container was made with. */
function formerMark(state: State, name: string): string | undefined {
  const [, former] =
    Object.entries(state).find(([urn, { type }]) => type === CONTAINER && urn.endsWith(`::${name}`)) ?? [];
  return former?.outputs?.labels?.find(({ label }) => label === MARK)?.value;
}

export const markOf = (values: unknown[]): string => hash(JSON.stringify(sorted(values)));

/** In one order, whatever way the values have come. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, sorted(part)]));
}

/**
 * What the provider does not compare. `given`: what it does not on Docker either. What is ignored keeps the value that it has, so
 * when other values are wanted nothing of this is ignored, and the label is none of what is: it alone replaces the container. Where
 * these values are no reason to replace it, the edge without permission for downtime, they are ignored on Docker, too.
 */
export function ignored(
  given: string[],
  former: string | undefined,
  wanted: string | undefined,
  props: { memorySwap?: unknown },
): string[] {
  const unlimited = props.memorySwap === -1 ? ["memorySwap"] : [];
  const isSame = former === undefined || wanted === undefined || former === wanted;
  if (isSame || given.includes("capabilities"))
    return [...new Set([...given, ...TOLD_OTHERWISE, ...unlimited])];
  return [...given.filter((name) => name !== "labels"), ...unlimited];
}
