import { COLORS, other, type Color } from "./settings";

/** What a release is about, as far as it is known while a program runs. */
export interface Release {
  activeColor: string;
  blueImage: string;
  greenImage: string;
  proxyImage: string;
  /** Ports, network and host, in words: what only downtime can change. */
  binding: string;
}

/** What the last switch left, and of an update that failed since then the images that it has made containers of. */
export interface Former extends Release {
  failed: Partial<Record<Color, string>>;
  /** The volume with the data of its Redis, if it had one. */
  redisData?: string;
}

/** What the plan says about the gate and the time after the switch. */
export interface PlanSettings {
  health: { path: string; passes: number; gateTimeoutSeconds: number };
  watch: { seconds: number };
  idle: string;
  drainSeconds: number;
  redis: { enabled: boolean };
  allowDowntime: boolean;
}

/** The plan of an update in the words of a deployment. `former` is what the last switch left, if there was one. */
export function planInWords(former: Former | undefined, next: Release, settings: PlanSettings): string[] {
  const live = next.activeColor as Color;
  const { path, passes, gateTimeoutSeconds } = settings.health;
  const gate = `the gate asks for ${passes} good answer(s) in a row on ${path} within ${gateTimeoutSeconds} s`;
  const drain = `a drain of up to ${settings.drainSeconds} s`;
  const { seconds } = settings.watch;
  const watch = seconds > 0 ? `; ${live} is watched for ${seconds} s, and flipped back if it fails` : "";
  const idle = `${other(live)} is gated after that: if it fails, the update fails, and ${live} stays live`;
  if (former === undefined) {
    return [`first release: ${live} goes live with ${imageOf(next, live)}; ${gate}`, idle];
  }

  const lines: string[] = [];
  if (former.binding !== next.binding) {
    lines.push(`downtime: ${former.binding} -> ${next.binding}; ${downtime(settings.allowDowntime)}`);
  }
  if (former.redisData !== undefined && !settings.redis.enabled) {
    lines.push(
      `Redis: is removed, since redis.enabled is not true; its data stays in the volume ${former.redisData}, unless redis.deleteData was set`,
    );
  }
  const switches = former.activeColor !== live;
  const isNew = (color: Color) => imageOf(former, color) !== imageOf(next, color);
  const changed = COLORS.filter((color) => isNew(color) || former.failed[color] !== undefined);
  for (const color of changed) {
    const role = `${switches ? "becomes " : ""}${color === live ? "live" : "idle"}`;
    const from = isNew(color) ? imageOf(former, color) : `${former.failed[color]}, which failed,`;
    lines.push(`${color} (${role}): image ${from} -> ${imageOf(next, color)}`);
  }
  if (former.proxyImage !== next.proxyImage) {
    lines.push(`nginx: ${former.proxyImage} -> ${next.proxyImage}; the new one takes over the open ports`);
  }

  if (switches) {
    const after = settings.idle === "stopped" ? `is stopped after ${drain}` : "keeps running";
    lines.push(
      `switch: ${former.activeColor} -> ${live} (${imageOf(next, live)}); ${gate}${watch}; ${former.activeColor} ${after}`,
    );
  } else if (changed.includes(live)) {
    lines.push(
      `the new ${live} is started beside the live one; ${gate}${watch}; the old one ends after ${drain}`,
    );
  } else if (changed.includes(other(live))) {
    return [...lines, `${live} stays live and is not touched; ${gate}`];
  } else {
    lines.push(`${live} stays live with ${imageOf(next, live)}: no new image and no switch`);
  }
  if (changed.includes(other(live))) lines.push(idle);
  return lines;
}

const imageOf = (release: Release, color: Color): string => release[`${color}Image`];

const downtime = (allowed: boolean): string =>
  allowed ? "the service is offline for some seconds" : "REFUSED by the update unless allowDowntime is true";
