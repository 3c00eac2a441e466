import { createHash } from "node:crypto";
import { fillSite } from "../nginx/fillSite";
import { namesOf, other, type Color } from "../settings/color";
import type { Entry } from "./report";

// The site that is served, and the one that the stack says is.

export interface Served {
  color: Color;
  /** The first, by whose name the color goes. */
  container: string;
  /** How many there are. */
  replicas: number;
}
export const namesServed = ({ container, replicas }: Pick<Served, "container" | "replicas">) =>
  namesOf(container, replicas);
export interface Site {
  text: string;
  hash: string;
  live?: Served;
  idle?: Served;
  /** Which was live, while none is: one container is replaced by another. */
  closed?: Served;
}
/** What the last switch was told. */
export type Told = { [name: string]: string };

/** Two lines of a site say whom it serves. */
export function readSite(text: string): Site {
  const served = (role: string) => {
    const found = new RegExp(`^# ${role}: (blue|green) (\\S+)$`, "m").exec(text);
    if (found === null) return undefined;
    const [, color, container] = found;
    return { color: color as Color, container, replicas: replicas[container] ?? 1 };
  };
  const replicas = Object.fromEntries(
    [...text.matchAll(/^# replicas: (\S+) (\d+)$/gm)].map(([, first, count]) => [first, Number(count)]),
  );
  return { text, hash: hashOf(text), live: served("live"), idle: served("idle"), closed: served("closed") };
}

/** The site that the stack says is served: filled in as fill_site in components/shell/in-nginx/piped/steps.sh does. */
export function wantedSite(told: Told) {
  const idle = servedIdleOf(told);
  const idleColor = other(told.LIVE_COLOR as Color);
  const text = fillSite(
    { site: told.SITE_TEMPLATE, preview: told.PREVIEW_TEMPLATE, noPreview: told.NO_PREVIEW },
    told.SERVICE,
    {
      color: told.LIVE_COLOR,
      container: told.LIVE,
      port: told.LIVE_PORT,
      replicas: toldReplicas(told, told.LIVE_COLOR as Color),
    },
    idle === undefined
      ? undefined
      : {
          color: idleColor,
          container: idle,
          port: told[`${idleColor.toUpperCase()}_PORT`],
          replicas: toldReplicas(told, idleColor),
        },
  );
  return { text, hash: hashOf(text) };
}

/** How many containers the stack says that a color has. */
export const toldReplicas = (told: Told, color: Color): number =>
  Number(told[`${color.toUpperCase()}_REPLICAS`] ?? 1);
/** Their names; none where it has not passed its gate yet. */
export const toldNames = (told: Told, color: Color): string[] => {
  const first = told[color.toUpperCase()];
  return first === undefined ? [] : namesOf(first, toldReplicas(told, color));
};

/** One at a time, none is served beside the live one. */
export const isOneAtATime = (told: Told | undefined): boolean => told?.STRATEGY === "recreate";
export const servedIdleOf = (told: Told): string | undefined =>
  isOneAtATime(told) ? undefined : idleOf(told);

/** None has passed the idle gate yet where it is not there. */
export const idleOf = (told: Told): string | undefined => told[other(told.LIVE_COLOR as Color).toUpperCase()];

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

export const writtenBy = (journal: Entry[], hash: string) =>
  journal.findLast(({ config, outcome }) => config === hash && !outcome?.startsWith("failed"));

/** Number of the line, and both. */
export function firstDifference(one: string, other: string): [number, string, string] {
  const [ours, theirs] = [one.split("\n"), other.split("\n")];
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  const i = at === -1 ? ours.length : at;
  return [i + 1, ours[i]?.trim() ?? "", theirs[i]?.trim() ?? ""];
}
