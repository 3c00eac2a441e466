import { other, type Color } from "../settings/color";
import type { Entry, Switch } from "./report";

/** Whether a switch has left what it was to leave. */
export const hasPassed = ({ outcome = "" }: Entry) =>
  /^(done|interrupted: \w+ was live already)/.test(outcome);

/**
 * The journal, each entry with what only the ones before it tell: the image that its color had, if that was another, and whether
 * the site is the same as before. One that failed has left nothing.
 */
export function inContext(journal: Entry[]): Switch[] {
  const images: { [color: string]: string | undefined } = {};
  let config: string | undefined;
  return journal.map((entry) => {
    const color = colorOf(entry);
    const image = color && entry[color];
    const told = {
      ...(color && images[color] !== undefined && images[color] !== image && { was: images[color] }),
      ...(config !== undefined && entry.config === config && { again: true }),
    };
    if (color && hasPassed(entry)) {
      images[color] = image;
      config = entry.config;
    }
    return { ...entry, ...told };
  });
}

/** The color that a switch or an idle gate was about. */
export const colorOf = ({ kind, to }: Entry): Color | undefined => (kind === "idle" && to ? other(to) : to);

/** What a switch or an idle gate did, or tried to do. */
export function switchInWords(entry: Switch): string {
  const { kind, from, to, was, again } = entry;
  const color = colorOf(entry);
  const now = color && entry[color];
  const image = was ? `${was} -> ${now}` : now;
  switch (kind) {
    case "release":
      if (from === "") return `first release: ${color} ${image}`;
      return from === to
        ? `release: live ${color} ${image}`
        : `release and flip ${from} -> ${color}: ${image}`;
    case "recreate":
      return `one at a time: ${from && from !== to ? `${from} -> ` : ""}${color} ${image}`;
    case "reopened":
      return `${color} ${image} started again`;
    case "flip":
      return `flip ${from} -> ${color}: ${image}`;
    case "idle":
      return was || !again
        ? `release: idle ${color} ${image}`
        : `idle ${color} ${image} gated again, as in a heal`;
    case "nginx":
      return `new nginx: ${entry.image}`;
    case "settings":
      return `${again ? "nothing new, as in a heal" : "other settings"}, ${color} ${image} stays live`;
    default:
      return from === to ? `${color} ${image} stays live` : `${from || "none"} -> ${color} ${image}`;
  }
}

/** A color with an image that was live. */
interface FormerLive {
  color: Color;
  image: string;
  /** When the next one became live. */
  until: string;
}

/** What was live before that which is live now, as far back as the journal goes. */
export function formerLive(journal: Entry[]): FormerLive | undefined {
  let former: FormerLive | undefined;
  let now: Omit<FormerLive, "until"> | undefined;
  for (const entry of journal) {
    const { kind, to, at = "" } = entry;
    const image = to && entry[to];
    if (kind === "idle" || !hasPassed(entry) || to === undefined || image === undefined) continue;
    if (now && (now.color !== to || now.image !== image)) former = { ...now, until: at };
    now = { color: to, image };
  }
  return former;
}
