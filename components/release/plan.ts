import { COLORS, other, readChild, type Color, type ColorSettings, type Health } from "../settings";
import { asked, type Asked } from "./health";

/** What a release is about, as far as it is known while a program runs. */
export interface Release {
  activeColor: string;
  blueImage: string;
  greenImage: string;
  proxyImage: string;
  /** Ports, network and host, a line "SETTING VALUE" each: what only downtime can change. */
  binding: string;
}

/** What the last take-over left of an ingress. */
export type FormerIngress = Pick<Former, "proxyImage" | "binding" | "children">;

/** What the last switch left. */
export interface Former extends Release {
  /** Of an update that failed since then, the images that it has made containers of. */
  failed: Partial<Record<Color, string>>;
  /**
   * The children of the component, by their names without the component's own, each with what tells whether it is still the
   * same one, if anything does.
   */
  children: { [child: string]: string | undefined };
  /** How long the last switch took the service off, in seconds, where it did. */
  downtime?: string;
}

/** What this update does to the children of the component. */
export interface Decided {
  declared: ReadonlySet<string>;
  /** Those that are made, for the first time or in place of an older one. */
  made: ReadonlySet<string>;
  /** Whether all has been decided. */
  all: boolean;
}

/** What the plan says about the gate and the time after the switch. */
export interface PlanSettings {
  health: Asked["health"] & Pick<Health, "passes" | "gateTimeoutSeconds">;
  watch: { seconds: number };
  strategy: string;
  idle: string;
  drainSeconds: number;
  allowDowntime: boolean;
  sendImages: boolean;
  colors: Record<Color, Pick<ColorSettings, "workers" | "replicas">>;
}

/**
 * The plan of an update in the words of a deployment. `former` is what the last switch left, if there was one. As long as not
 * all has been decided, it has only what is certain.
 */
export function planInWords(
  former: Former | undefined,
  next: Release,
  settings: PlanSettings,
  decided: Decided,
): string[] {
  if (former === undefined) {
    const live = next.activeColor as Color;
    return [
      `first release: ${live} goes live with ${imageOf(next, live)}; ${gateInWords(settings)}`,
      idleInWords(live, settings),
      ...COLORS.filter((color) => settings.colors[color].replicas > 1).map(
        (color) => `${color}: ${settings.colors[color].replicas} containers, each of them gated`,
      ),
      ...Object.keys(settings.colors[live].workers).map(
        (worker) => `workers: ${worker} starts in ${live} after the switch`,
      ),
      ...sendingInWords(COLORS, next, settings),
    ];
  }
  const lines = [
    ...portsInWords(former, next, settings, decided),
    ...COLORS.flatMap((color) => [
      ...colorInWords(color, former, next, decided),
      ...replicasInWords(color, former, next, settings),
    ]),
    ...redisInWords(former, decided),
    ...workersInWords(former, next, settings, decided),
  ];
  const renewed = COLORS.filter((color) => hasNewImage(color, former, next));
  return [
    ...lines,
    ...closing(former, next, settings, decided, lines.length === 0),
    ...sendingInWords(renewed, next, settings),
  ];
}

/** The plan of an update of an ingress that services share. */
export function ingressPlanInWords(
  former: FormerIngress | undefined,
  next: Pick<Release, "proxyImage" | "binding">,
  settings: Pick<PlanSettings, "allowDowntime">,
  decided: Decided,
): string[] {
  if (former === undefined) return [`ingress: made, with ${next.proxyImage}`];
  const lines = portsInWords(former, next, settings, decided);
  return lines.length > 0 || !decided.all ? lines : ["ingress: stays as it is"];
}

/** Only an update finds out what the host has. */
function sendingInWords(
  colors: readonly Color[],
  next: Release,
  { sendImages }: Pick<PlanSettings, "sendImages">,
): string[] {
  const images = new Set(colors.map((color) => imageOf(next, color)).filter((image) => !image.includes("@")));
  return sendImages
    ? [...images].map((image) => `image ${image} is sent from this machine, unless the host has it`)
    : [];
}

/** Edge and nginx: what holds the ports. */
function portsInWords(
  former: FormerIngress,
  next: Pick<Release, "proxyImage" | "binding">,
  settings: Pick<PlanSettings, "allowDowntime">,
  { made }: Decided,
): string[] {
  const lines: string[] = [];
  if (next.binding === "" || former.binding === "") {
    if (next.binding !== former.binding)
      lines.push(
        former.binding === ""
          ? "ingress: the service gets one of its own, with its own ports, and leaves the one that it shared"
          : "ingress: the service moves to one that it shares; its own is deleted, and its ports are closed",
      );
    return lines;
  }
  if (former.binding !== next.binding) {
    const consequence = settings.allowDowntime
      ? "the service is offline for some seconds"
      : "REFUSED by the update unless allowDowntime is true";
    lines.push(`downtime: ${bindingInWords(former, next)}; ${consequence}`);
  } else if (made.has("edge")) {
    lines.push("downtime: the edge is made anew, and nginx with it; the service is offline for some seconds");
  }
  if (former.proxyImage !== next.proxyImage) {
    lines.push(`nginx: ${former.proxyImage} -> ${next.proxyImage}; the new one takes over the open ports`);
  } else if (made.has("proxy") && lines.length === 0) {
    lines.push("nginx: replaced by a new one, which takes over the open ports");
  }
  if (made.has("proxy-state")) {
    lines.push("nginx: its volume is made anew; history and certificates are not taken along");
  }
  return lines;
}

function bindingInWords(former: Pick<Release, "binding">, next: Pick<Release, "binding">): string {
  const read = ({ binding }: Pick<Release, "binding">) =>
    new Map(binding.split("\n").map((line) => /^(\S+) (.*)$/.exec(line)?.slice(1) as [string, string]));
  const [before, after] = [read(former), read(next)];
  // A former version did not have all of them.
  return [...new Map([...before, ...after]).keys()]
    .filter((setting) => before.get(setting) !== after.get(setting))
    .map((setting) => `${setting} ${before.get(setting) ?? "none"} -> ${after.get(setting) ?? "none"}`)
    .join(", ");
}

function colorInWords(color: Color, former: Former, next: Release, { made }: Decided): string[] {
  const role = color === next.activeColor ? "live" : "idle";
  const who = `${color} (${former.activeColor === next.activeColor ? "" : "becomes "}${role})`;
  if (!hasNewImage(color, former, next)) {
    return made.has(color) ? [`${who}: a new container of the same image, with other settings`] : [];
  }
  const [before, image] = [imageOf(former, color), imageOf(next, color)];
  // Of an idle color that has not passed its first gate there is none.
  const { [color]: failed } = former.failed;
  const from = before !== image && before !== "" ? before : failed ? `${failed}, which failed,` : "none";
  return [`${who}: image ${from} -> ${image}`];
}

function replicasInWords(
  color: Color,
  former: Former,
  { activeColor }: Release,
  { colors, drainSeconds }: PlanSettings,
): string[] {
  const after = colors[color].replicas;
  const all = Object.keys(former.children).map(readChild);
  const before = all.filter((one) => one.color === color && one.worker === undefined).length;
  if (before === after || before === 0) return [];
  const how =
    after > before
      ? "each new one is gated before it gets a request"
      : color === activeColor
        ? `what is too many ends after a drain of up to ${drainSeconds} s`
        : "what is too many ends";
  return [`${color}: ${before} -> ${after} containers; ${how}`];
}

function redisInWords(former: Former, { declared, made, all }: Decided): string[] {
  const there = (child: string) => child in former.children;
  const lines: string[] = [];
  if (made.has("redis")) {
    const how = there("redis") ? "replaced; it is away for some seconds, its data stays" : "made";
    lines.push(`redis: ${how}`);
  }
  if (made.has("redis-data") && there("redis-data")) {
    lines.push("redis: its volume is made anew; data that the host no longer has is lost");
  }
  if (all && there("redis") && !declared.has("redis")) {
    lines.push(
      "redis: removed, since redis.enabled is not true; its volume stays, unless redis.deleteData was set before",
    );
  }
  return lines;
}

/** Those of an idle color don't run, so nothing is said of them. */
function workersInWords(
  former: Former,
  next: Release,
  { colors }: Pick<PlanSettings, "colors">,
  { made }: Decided,
): string[] {
  const live = next.activeColor as Color;
  const { workers } = colors[live];
  const there = (worker: string) => `${former.activeColor}-${worker}` in former.children;
  const ended = Object.keys(former.children).flatMap((child) => {
    const { color, worker } = readChild(child);
    return worker === undefined || color !== former.activeColor || Object.hasOwn(workers, worker)
      ? []
      : [`workers: ${worker} ends: ${live} has none`];
  });
  const moved = Object.entries(workers).flatMap(([worker, { exclusive, stopGraceSeconds }]) => {
    if (!there(worker)) return [`workers: ${worker} starts in ${live} after the switch`];
    const order = exclusive
      ? `the former one is stopped first, within ${stopGraceSeconds} s`
      : "the former one is stopped when it has stayed up";
    if (former.activeColor !== live)
      return [`workers: ${worker} moves to ${live} after the switch; ${order}`];
    return made.has(`${live}-${worker}`)
      ? [`workers: ${worker} moves to a new container of ${live} after the switch; ${order}`]
      : [];
  });
  return [...moved, ...ended];
}

/** What comes of the live color. */
function closing(
  former: Former,
  next: Release,
  settings: PlanSettings,
  { made, all }: Decided,
  nothingElse: boolean,
): string[] {
  const live = next.activeColor as Color;
  const gate = gateInWords(settings);
  const drain = `a drain of up to ${settings.drainSeconds} s`;
  const { seconds } = settings.watch;
  const watch = seconds > 0 ? `; ${live} is watched for ${seconds} s, and flipped back if it fails` : "";
  const isNew = (color: Color) => made.has(color) || hasNewImage(color, former, next);
  const idle = isNew(other(live)) ? [idleInWords(live, settings)] : [];
  if (settings.strategy === "recreate" && (former.activeColor !== live || isNew(live)))
    return [...recreationInWords(former, next, settings), ...idle];
  if (former.activeColor !== live) {
    const after = settings.idle === "stopped" ? `is stopped after ${drain}` : "keeps running";
    return [
      `switch: ${former.activeColor} -> ${live} (${imageOf(next, live)}); ${gate}${watch}; ${former.activeColor} ${after}`,
      ...idle,
    ];
  }
  if (isNew(live)) {
    return [
      `the new ${live} is started beside the live one; ${gate}${watch}; the old one ends after ${drain}`,
      ...idle,
    ];
  }
  if (!all) return [];
  const scaled = replicasInWords(live, former, next, settings).length > 0;
  const untouched = scaled ? "" : " and is not touched";
  if (isNew(other(live)))
    return settings.strategy === "recreate"
      ? [`${live} stays live${untouched}`, ...idle]
      : [`${live} stays live${untouched}; ${gate}`];
  const stays = `${live} stays live with ${imageOf(next, live)}`;
  if (!nothingElse) return [`${stays}${untouched}`];
  return made.has("switch")
    ? [`${stays}${untouched}; ${gate}, then nginx reads its configuration anew`]
    : [`${stays}: no new image and no switch`];
}

/** What is live ends first. */
function recreationInWords(former: Former, next: Release, settings: PlanSettings): string[] {
  const [before, live] = [former.activeColor, next.activeColor as Color];
  const [old, successor] = before === live ? [`the old ${live}`, `the new ${live}`] : [before, live];
  const last = former.downtime === undefined ? "" : `; last time ${former.downtime} s`;
  return [
    `switch: one at a time: ${old} is stopped after a drain of up to ${settings.drainSeconds} s, then ${successor} is started (${imageOf(next, live)}); ${gateInWords(settings)}; if it fails, ${old} is started again`,
    `downtime: users get 503 from the drain of ${old} until ${successor} passes its gate${last}`,
  ];
}

const idleInWords = (live: Color, { strategy }: PlanSettings): string =>
  strategy === "recreate"
    ? `${other(live)} is not started: it is gated when it becomes live`
    : `${other(live)} is gated after that: if it fails, the update fails, and ${live} stays live`;

const imageOf = (release: Release, color: Color): string => release[`${color}Image`];

const hasNewImage = (color: Color, former: Former, next: Release): boolean =>
  imageOf(former, color) !== imageOf(next, color) || former.failed[color] !== undefined;

const gateInWords = (settings: PlanSettings): string => {
  const { passes, gateTimeoutSeconds } = settings.health;
  const on = asked(settings).replace(/^GET /, "");
  return `the gate asks for ${passes} good answer(s) in a row on ${on} within ${gateTimeoutSeconds} s`;
};
