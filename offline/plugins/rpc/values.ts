/** A property bag as the engine sends it. */
export type Props = Record<string, unknown>;

/** The engine's placeholder for a value that is known only after a resource was created. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: unknown): value is Props {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** A value with the mark of a secret, for the engine to keep. */
export const marked = (value: unknown): Props => ({ [SIGNATURE]: SECRET, value });

/** A value without the marks of secrets: the engine keeps track of a resource's, but a provider's own settings come with them. */
export function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isObject(value)) return value;
  if (value[SIGNATURE] === SECRET) return unwrapped(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}

/** Equality by content; the order of keys doesn't count, `undefined` and `null` are the same as absent. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (!isObject(v)) return v;
    const set = Object.entries(v).filter(([, x]) => x !== undefined && x !== null);
    return Object.fromEntries(set.sort(([x], [y]) => (x < y ? -1 : 1)));
  });
}
