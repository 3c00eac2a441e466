/**
 * The rules of a resource's properties as a table, and what follows from it: checking inputs, filling in
 * defaults, and telling what changed. They are those of the official plugin, which bridges a Terraform
 * provider: an unset property equals its zero value, and an unset `computed` one keeps what it has.
 */
import { createHash } from "node:crypto";
import type { Checked, Diff, Existing, Failure, Naming } from "../rpc/plugin.ts";
import { canonical, hasUnknown, isObject, type Props, same, UNKNOWN } from "../rpc/values.ts";

export interface Field {
  /** `set`: a list whose order doesn't count. */
  type: "string" | "int" | "bool" | "map" | "object" | "list" | "set";
  /** The properties of the objects in a list or set; without them its elements are strings. */
  of?: Fields;
  required?: true;
  /** A change replaces the resource; `count`: only one of how many there are. */
  replaces?: true | "count";
  /** What Docker makes of an unset property is no change. */
  computed?: true;
  /** The same: an empty value is no change either. */
  emptyIsUnset?: true;
  default?: string | number | boolean;
  allowed?: RegExp;
  /** The official plugin has and saves it; the stand-in takes no value for it. */
  refused?: true;
}
export type Fields = Record<string, Field>;

export interface Table {
  fields: Fields;
  autoName?: true;
  deleteBeforeReplace?: true;
}

const DEFAULTS = "__defaults";

export function check(
  table: Table,
  type: string,
  news: Props,
  olds: Props | undefined,
  naming: Naming & { name: string },
): Checked {
  const failures: Failure[] = [];
  const inputs = withDefaults(table.fields, news, "", type, failures);
  if (table.autoName && inputs.name === undefined) {
    const name = autoName(olds, naming, failures);
    inputs.name = name;
    inputs[DEFAULTS] = [...(inputs[DEFAULTS] as string[]), "name"].sort();
  }
  return { inputs, failures };
}

function autoName(
  olds: Props | undefined,
  { name, seed, mode, proposed }: Naming & { name: string },
  failures: Failure[],
): string {
  if (olds && namedByDefault(olds)) return olds.name as string;
  if (mode === "disable") {
    failures.push({
      property: "name",
      reason: "automatic naming is disabled but no explicit name was provided",
    });
  }
  if (mode !== undefined) return proposed ?? name;
  return `${name}-${createHash("sha256").update(seed).digest("hex").slice(0, 7)}`;
}

function namedByDefault(inputs: Props): boolean {
  const defaults = inputs[DEFAULTS];
  return typeof inputs.name === "string" && Array.isArray(defaults) && defaults.includes("name");
}

function withDefaults(fields: Fields, news: Props, at: string, type: string, failures: Failure[]): Props {
  const inputs: Props = {};
  for (const [name, value] of Object.entries(news)) {
    if (name === DEFAULTS) continue;
    const property = at + name;
    const field = fields[name];
    if (field && !field.refused) {
      inputs[name] = checked(field, value, property, type, failures);
    } else {
      const supported = Object.keys(fields).filter((known) => !fields[known]?.refused);
      failures.push({
        property,
        reason: `this is the offline stand-in of the docker plugin, which supports only these properties ${at ? `of ${at.slice(0, -1)}` : `of ${type}`}: ${supported.sort().join(", ")}`,
      });
    }
  }
  const defaults: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (inputs[name] !== undefined) continue;
    if (field.required) failures.push({ property: at + name, reason: "is required, but was not set" });
    if (isZero(field.default)) continue;
    inputs[name] = field.default;
    defaults.push(name);
  }
  inputs[DEFAULTS] = defaults.sort();
  return inputs;
}

function checked(field: Field, value: unknown, property: string, type: string, failures: Failure[]): unknown {
  if (value === UNKNOWN) return value;
  const fail = (expected: string): unknown => {
    failures.push({ property, reason: `must be ${expected}, but is ${JSON.stringify(value)}` });
    return value;
  };
  switch (field.type) {
    case "string":
      if (isObject(value) || Array.isArray(value)) return fail("a string");
      if (field.allowed && !field.allowed.test(String(value)))
        return fail(`something that matches ${field.allowed.source}`);
      return String(value);
    case "int": {
      const number = Number(value);
      return Number.isInteger(number) && value !== "" ? number : fail("a whole number");
    }
    case "bool":
      if (value === "true" || value === "false") return value === "true";
      return typeof value === "boolean" ? value : fail("true or false");
    case "map":
      if (!isObject(value)) return fail("a map");
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, String(v)]));
    case "object":
      return isObject(value)
        ? withDefaults(field.of ?? {}, value, `${property}.`, type, failures)
        : fail("an object");
    default: {
      if (!Array.isArray(value)) return fail("a list");
      const of = field.of;
      return value.map((element: unknown, i) => {
        const path = `${property}[${i}]`;
        if (!of) return checked({ type: "string" }, element, path, type, failures);
        return checked({ type: "object", of }, element, path, type, failures);
      });
    }
  }
}

export function diff(table: Table, old: Existing, news: Props): Diff {
  const changes: Diff["changes"] = {};
  for (const [name, field] of Object.entries(table.fields)) {
    const before = old.state[name];
    const after = news[name];
    if (!differs(field, before, after)) continue;
    const kind = before === undefined ? "add" : after === undefined ? "delete" : "update";
    changes[name] = { kind, replace: replaces(field, before, after) };
  }
  const replaced = Object.values(changes).some(({ replace }) => replace);
  // Two resources can't have one name at the same time.
  const fixedName = table.autoName === true && !namedByDefault(news) && news.name === old.state.name;
  return {
    changes,
    deleteBeforeReplace: replaced && (table.deleteBeforeReplace === true || fixedName),
    comparesInputs: false,
  };
}

function replaces(field: Field, before: unknown, after: unknown): boolean {
  if (field.replaces !== "count") return field.replaces === true;
  return hasUnknown(after) || countOf(before) !== countOf(after);
}

function countOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

export function changed(table: Table, old: Existing, news: Props): Set<string> {
  return new Set(Object.keys(diff(table, old, news).changes));
}

function differs(field: Field, before: unknown, after: unknown): boolean {
  if (after === undefined && field.computed) return neverRead(field, before);
  if ((after === undefined || after === "") && field.emptyIsUnset) return false;
  if (hasUnknown(after)) return true;
  return canonical(normal(field, before)) !== canonical(normal(field, after, before));
}

/** A container that failed at its start was never read back: the official plugin replaces it for these lists. */
function neverRead(field: Field, before: unknown): boolean {
  return field.type === "list" && before === undefined;
}

/** The form in which two values of a property are compared. `known`: what fills in unset computed parts. */
function normal(field: Field, value: unknown, known?: unknown): unknown {
  if (value === undefined) return zero(field);
  if (field.type === "object") return normalObject(field, value, known);
  if (field.type !== "list" && field.type !== "set") return value;
  if (!Array.isArray(value)) return value;
  const elements = value.map((element: unknown, i) =>
    normalObject(field, element, Array.isArray(known) ? (known[i] as unknown) : undefined),
  );
  return field.type === "set" ? elements.map(canonical).sort() : elements;
}

function normalObject(field: Field, value: unknown, known: unknown): unknown {
  if (!field.of || !isObject(value)) return value;
  const filled: Props = {};
  for (const [name, part] of Object.entries(field.of)) {
    let set: unknown = value[name] ?? part.default;
    if (set === undefined && part.computed && isObject(known)) set = known[name];
    set = normal(part, set);
    if (!isZero(set)) filled[name] = set;
  }
  return filled;
}

function zero(field: Field): unknown {
  const zeros = { string: "", int: 0, bool: false, map: {}, object: {}, list: [], set: [] };
  return field.default ?? zeros[field.type];
}

export function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === "" || value === 0 || value === false;
}

/** Inputs without the notes on where they come from. */
export function plain(news: Props): Props {
  return withoutDefaults(news) as Props;
}

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isObject(value)) return value;
  const rest = Object.entries(value).filter(([key]) => key !== DEFAULTS);
  return Object.fromEntries(rest.map(([key, part]) => [key, withoutDefaults(part)]));
}

/** What the preview of a new resource shows: inputs as given, what only Docker knows as unknown. */
export function previewed(table: Table, outputs: string[], news: Props): Props {
  const state = plain(news);
  const computed = Object.keys(table.fields).filter((name) => table.fields[name]?.computed);
  for (const name of [...computed, ...outputs]) state[name] ??= UNKNOWN;
  return state;
}

/** Without the official plugin's notes on a state, which hold only for the very values that it saved. */
export function values(state: Props): Props {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith("__")));
}

/** The outputs after an update in place, which leaves what was not set. */
export function updated(table: Table, old: Existing, news: Props): Props {
  const state = { ...values(old.state), ...plain(news) };
  for (const name of changed(table, old, news)) if (news[name] === undefined) delete state[name];
  return state;
}

/** The inputs after a refresh: those that were given, with the values that Docker now reports. */
export function refreshed(table: Table, inputs: Props, state: Props): Props {
  return refreshedObject(table.fields, inputs, state);
}

function refreshedObject(fields: Fields, inputs: Props, state: Props): Props {
  const result: Props = {};
  const defaults = new Set(inputs[DEFAULTS] as string[] | undefined);
  for (const [name, value] of Object.entries(inputs)) {
    const field = fields[name];
    const now = state[name];
    if (!field || now === undefined) {
      defaults.delete(name);
      continue;
    }
    result[name] = differs(field, now, value) ? reported(field, value, now) : value;
    if (!same(result[name], value)) defaults.delete(name);
  }
  if (DEFAULTS in inputs) result[DEFAULTS] = [...defaults].sort();
  return result;
}

/** Of what Docker reports the parts that were given. */
function reported(field: Field, given: unknown, now: unknown): unknown {
  const { of } = field;
  if (!of) return now;
  if (isObject(given) && isObject(now)) return refreshedObject(of, given, now);
  if (!Array.isArray(given) || !Array.isArray(now)) return now;
  return given.slice(0, now.length).map((element, i) => reported({ type: "object", of }, element, now[i]));
}
