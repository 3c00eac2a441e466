import type { Checked, Diff, Existing, Failure } from "../rpc/plugin.ts";
import { hasUnknown, isObject, type Props, same, UNKNOWN } from "../rpc/values.ts";

export type Kind = "string" | "boolean" | "number" | "list" | "map" | "any list" | "object";
export type Kinds = Record<string, Kind>;

/** What both commands have in common. */
export const common: Kinds = {
  create: "string",
  update: "string",
  delete: "string",
  triggers: "any list",
  stdin: "string",
  logging: "string",
  environment: "map",
  addPreviousOutputInEnv: "boolean",
};

export function check(type: string, kinds: Kinds, news: Props, at = ""): Checked {
  const failures: Failure[] = [];
  for (const [name, value] of Object.entries(news)) {
    const property = at + name;
    const kind = kinds[name];
    if (kind === undefined) {
      const supported = Object.keys(kinds).sort().join(", ");
      const reason = `this is the offline stand-in of the command plugin, which supports only these properties of ${type}: ${supported}`;
      failures.push({ property, reason });
    } else if (!hasUnknown(value) && !fits(kind, value)) {
      failures.push({
        property,
        reason: `must be a ${kind}, but is a ${Array.isArray(value) ? "list" : typeof value}`,
      });
    }
  }
  const logging = news.logging;
  if (
    typeof logging === "string" &&
    logging !== UNKNOWN &&
    !/^(stdout|stderr|stdoutAndStderr|none)$/.test(logging)
  ) {
    failures.push({ property: "logging", reason: "must be stdout, stderr, stdoutAndStderr or none" });
  }
  return { inputs: news, failures };
}

function fits(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "list":
      return Array.isArray(value) && value.every((element) => typeof element === "string");
    case "any list":
      return Array.isArray(value);
    case "map":
      return isObject(value) && Object.values(value).every((part) => typeof part === "string");
    case "object":
      return isObject(value);
    default:
      return typeof value === kind;
  }
}

/** Changed triggers replace a command; any other changed input updates it. */
export function diff(kinds: Kinds, old: Existing, news: Props): Diff {
  const changes: Diff["changes"] = {};
  for (const name of Object.keys(kinds)) {
    const before = old.inputs[name];
    const after = news[name];
    if (same(before, after) && !hasUnknown(after)) continue;
    const kind = before === undefined ? "add" : after === undefined ? "delete" : "update";
    changes[name] = { kind, replace: name === "triggers" };
  }
  return { changes, deleteBeforeReplace: false, comparesInputs: true };
}

/** The preview of an update: what the command prints is unknown if an input of it changes. */
export function previewed(kinds: Kinds, old: Existing, news: Props): Props {
  const names = Object.keys(kinds);
  const runs = names.some(
    (name) => hasUnknown(news[name]) || (name in old.state && !same(old.state[name], news[name])),
  );
  const { stdout, stderr } = old.state;
  return runs ? { ...news, stdout: UNKNOWN, stderr: UNKNOWN } : { ...news, stdout, stderr };
}
