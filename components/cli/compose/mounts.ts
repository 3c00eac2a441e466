import { homedir } from "node:os";
import path from "node:path";
import { isTree, type Tree } from "./file";
import { asText, flag } from "./values";

/** A mount as Docker Compose understands it. */
export interface Mount {
  type: string;
  source?: string;
  target: string;
  readOnly: boolean;
  /** What it says beside that, in words. */
  options: string[];
  /** In bytes or as text, of a tmpfs. */
  size?: string;
  mode?: string;
}

/** The short form: [SOURCE:]TARGET[:OPTIONS]. Undefined where it is none. */
function shortMount(spec: string): Mount | undefined {
  // A drive of Windows has a colon of its own.
  const parts = spec.match(/(?:^[A-Za-z]:(?=[\\/])|[^:])[^:]*/g) ?? [];
  if (parts.length === 0 || parts.length > 3 || parts.join(":") !== spec) return undefined;
  if (parts.length === 1) return { type: "volume", target: parts[0], readOnly: false, options: [] };
  const [source, target, options = ""] = parts as [string, string, string?];
  const given = options.split(",").filter(Boolean);
  return {
    type: /^([./~]|[A-Za-z]:|\\\\)/.test(source) ? "bind" : "volume",
    source,
    target,
    readOnly: given.includes("ro"),
    options: given.filter((option) => !["ro", "rw"].includes(option)),
  };
}

const OPTIONS = ["bind", "volume", "tmpfs", "image"];

function longMount(mount: Tree): Mount {
  const tmpfs = isTree(mount.tmpfs) ? mount.tmpfs : {};
  const options = OPTIONS.flatMap((group) => {
    const { size: _size, mode: _mode, ...rest } = isTree(mount[group]) ? mount[group] : {};
    return Object.entries(rest).map(([key, value]) => `${group}.${key}: ${JSON.stringify(value)}`);
  });
  return {
    type: asText(mount.type),
    ...(mount.source !== undefined && { source: asText(mount.source) }),
    target: asText(mount.target ?? ""),
    readOnly: flag(mount.read_only ?? false) ?? false,
    // Docker Compose's own default, and the only one that says no more than that.
    options: options.filter((option) => option !== "bind.create_host_path: true"),
    ...(tmpfs.size !== undefined && { size: asText(tmpfs.size) }),
    ...(tmpfs.mode !== undefined && { mode: asText(tmpfs.mode) }),
  };
}

/** Undefined where it is no mount. */
export function mountOf(item: unknown): Mount | undefined {
  const mount = isTree(item) ? longMount(item) : shortMount(String(item));
  if (mount === undefined || !mount.target.startsWith("/")) return undefined;
  const target = path.posix.normalize(mount.target);
  return { ...mount, target: target.length > 1 ? target.replace(/\/$/, "") : target };
}

export const mountTarget = (item: unknown): unknown => mountOf(item)?.target ?? item;

/** Beside the compose file, as Docker Compose takes it. */
export function hostPath(source: string, folder: string): string {
  const home = /^~(?=\/|$)/.test(source) ? homedir() + source.slice(1) : source;
  return path.resolve(folder, home);
}
