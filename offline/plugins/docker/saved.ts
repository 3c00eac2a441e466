/**
 * What the official plugin saves for a property that isn't set: an empty value rather than none, also for those that the
 * stand-in takes no value for. A stack may be continued by the other plugin, and to the official one some of what is missing is
 * a change: for `envs` it would replace the container.
 */
import type { Field, Fields } from "./fields.ts";
import { isObject, type Props } from "../rpc/values.ts";

/** A refresh reads more of them back than a creation. */
export type When = "made" | "read";

export function saved(fields: Fields, state: Props, when: When): Props {
  const result = { ...state };
  for (const [name, field] of Object.entries(fields)) {
    const value = state[name];
    result[name] = value === undefined ? unset(field, when) : withParts(field, value, when);
  }
  return result;
}

function unset({ type, of, computed }: Field, when: When): unknown {
  if (type === "list" && !of) return null;
  if (type === "list" || type === "set") return of || computed || when === "read" ? [] : null;
  if (type === "map" && when === "read") return {};
  return null;
}

function withParts({ type, of }: Field, value: unknown, when: When): unknown {
  if (!of || (type !== "list" && type !== "set") || !Array.isArray(value)) return value;
  return value.map((element: unknown) => (isObject(element) ? part(of, element, when) : element));
}

function part(fields: Fields, element: Props, when: When): Props {
  const result = { ...element };
  for (const [name, field] of Object.entries(fields)) result[name] ??= unsetPart(field, when);
  return result;
}

function unsetPart(field: Field, when: When): unknown {
  switch (field.type) {
    case "string":
      return "";
    case "list":
    case "set":
      return [];
    case "int":
      return when === "read" ? 0 : null;
    case "bool":
      return field.default ?? (when === "read" ? false : null);
    case "map":
      return {};
    case "object":
      return null;
  }
}
