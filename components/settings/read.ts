import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { BlueGreenServiceArgs, IngressArgs } from "./args";
import { OF_SERVICES, RULES, type Rule } from "./rules";
import type { Color } from "./color";
import { hasTls, isRedirected } from "./derived";
import { readEnvFile, type EnvFile } from "./envFile";
import { OF_COLORS, schema, settingsOf, withoutDefault, withOwn } from "./schema";
import { pathOf, refusal, type Violation } from "./violations";

/** As a program gives them, but without what is null. */
export type Given = BlueGreenServiceArgs;

type Parsed = z.output<typeof schema>;

/** The arguments with every default filled in. What has no default stays optional. */
export interface Settings extends Omit<Parsed, Color | "health" | "proxy" | OfColors> {
  colors: Record<Color, ColorSettings>;
  health: Health;
  proxy: Proxy;
  /** The port of the host for HTTPS, where one is published. */
  tlsPort: number | undefined;
}
type OfColors = keyof typeof OF_COLORS;
/** Those of a color: its own ones, or else what is set for both. */
export interface ColorSettings
  extends Omit<Parsed[Color], OfColors>, Pick<Parsed, Exclude<OfColors, "workers">> {
  workers: { [name: string]: Worker };
  /** What its envFile has. */
  fromFile: EnvFile;
  /** The names of its own ones. */
  own: string[];
}
/** What it does not set is as its color has it. */
export type Worker = Parsed["workers"][string] & { stopGraceSeconds: number };
/** Those of an ingress: of a service's own one, or of one that services share. */
export type IngressSettings = Pick<
  Settings,
  | "proxy"
  | "tls"
  | "tlsPort"
  | "network"
  | "host"
  | "logs"
  | "registries"
  | "sendImages"
  | "drainSeconds"
  | "allowDowntime"
  | "allowMovingTags"
>;
export type Container = ColorSettings["container"];
export type Health = Parsed["health"] & { hostHeader: string };
export type Proxy = Parsed["proxy"] & { requestBuffering: boolean };
export type Tls = Settings["tls"];

/**
 * The whole of the settings, or one error with everything that is wrong, before any resource is declared. Values that only
 * come to be during the update (outputs of other resources) are not looked at. `more` is what else is wrong.
 */
export function readSettings(
  name: string,
  args: BlueGreenServiceArgs,
  more: (settings: Settings) => Violation[] = () => [],
): Settings {
  return whole(name, parse(args), more);
}

/** The same for an ingress that services share. */
export function readIngressSettings(
  name: string,
  args: IngressArgs,
  more: Violation[] = [],
): IngressSettings {
  const misplaced = [...settingsOf(["service"], args)].map((propertyPath) => ({
    propertyPath,
    reason: "is a service's: set it on the BlueGreenService",
  }));
  const settings = whole(name, parse({ ...LEAST, ...args }, RULES), () => [...more, ...misplaced]);
  return { ...settings, tlsPort: settings.tls.port };
}

function whole(
  name: string,
  { settings, violations }: ReturnType<typeof parse>,
  more: (settings: Settings) => Violation[],
): Settings {
  const all = [...(settings === undefined ? [] : more(settings)), ...violations];
  if (settings === undefined || all.length > 0) throw refusal(name, all);
  return settings;
}

export const findViolations = (args: BlueGreenServiceArgs): Violation[] => parse(args).violations;

function parse(
  args: unknown,
  all: Rule[] = [...RULES, ...OF_SERVICES],
): { settings?: Settings; violations: Violation[] } {
  const given = withoutNull(args ?? {}) as Given;
  const { data, error } = schema.safeParse(given);
  const issues = error?.issues ?? [];
  const wrong = firstOfEach(issues.flatMap(explain));
  const parsed = data ?? schema.safeParse(repaired(given, issues)).data;
  if (parsed === undefined) return { violations: wrong };

  const settings = complete(parsed);
  const isWrong = (path: string) =>
    wrong.some(({ propertyPath }) => isWithin(path, propertyPath) || isWithin(propertyPath, path));
  const rules = all.filter(({ about }) => !about.some(isWrong));
  const broken = rules.flatMap(({ check }) => check(settings, given));
  return {
    settings,
    violations: [...wrong, ...broken.filter((one) => !wrong.some((other) => isSamePlace(one, other)))],
  };
}

/** What else is wrong with a value is of no use before the first is right. */
const firstOfEach = (violations: Violation[]) =>
  violations.filter((one, i) => !violations.slice(0, i).some((other) => isSamePlace(one, other)));
const isSamePlace = (one: Violation, other: Violation) => one.propertyPath === other.propertyPath;

const isWithin = (outer: string, inner: string) =>
  inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);

/** Defaults that are made of other settings. */
export function complete({ blue, green, ...all }: Parsed): Settings {
  const { replicas, containerPort, command, memoryMb, container, envFile, files, workers, ...parsed } = all;
  const both = { replicas, containerPort, command, memoryMb, container, envFile, files, workers };
  const { health, proxy, tls, hosts } = parsed;
  const names = [...tls.names, ...hosts.filter((host) => !host.startsWith("*"))];
  const [host] = names.filter((name) => !isRedirected(name, parsed));
  return {
    ...parsed,
    tlsPort: hasTls(tls) ? tls.port : undefined,
    // Beside the live color nothing runs.
    idle: parsed.strategy === "recreate" ? "stopped" : parsed.idle,
    // In the stack's configuration an empty text or list and 0 stand for what is not set: there every key has a value.
    ingress: parsed.ingress === "" ? undefined : parsed.ingress,
    keepImages: parsed.keepImages === 0 ? undefined : parsed.keepImages,
    colors: { blue: colorOf(both, blue, parsed), green: colorOf(both, green, parsed) },
    health: {
      ...health,
      command: health.command?.length === 0 ? undefined : health.command,
      hostHeader: health.hostHeader ?? host ?? "localhost",
    },
    proxy: { ...proxy, requestBuffering: proxy.requestBuffering ?? proxy.buffering },
  };
}

function colorOf(
  both: Pick<Parsed, OfColors>,
  { image, env, ...given }: Parsed[Color],
  { stopGraceSeconds }: Pick<Parsed, "stopGraceSeconds">,
): ColorSettings {
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { command, memoryMb, envFile, workers, ...rest } = withOwn(OF_COLORS, both, own);
  const limit = (mb: number | undefined) => (mb === 0 ? undefined : mb);
  const worker = ([name, set]: [string, Parsed["workers"][string]]): [string, Worker] => [
    name,
    {
      ...set,
      stopGraceSeconds: set.stopGraceSeconds ?? stopGraceSeconds,
      memoryMb: limit(set.memoryMb ?? memoryMb),
      cpus: set.cpus ?? rest.container.cpus,
    },
  ];
  return {
    ...rest,
    image,
    env,
    workers: Object.fromEntries(Object.entries(workers).map(worker)),
    command: command?.length === 0 ? undefined : command,
    memoryMb: limit(memoryMb),
    envFile: envFile === "" ? undefined : envFile,
    fromFile: readEnvFile(envFile),
    own: Object.keys(own),
  };
}

type Tree = { [key: string]: unknown };

/** Callers without types give null for what they don't set. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (!isPlain(value)) return value;
  const set = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(set.map(([key, inner]) => [key, withoutNull(inner)]));
}
const isPlain = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** A stand-in for what is required. */
const LEAST = { activeColor: "blue", blue: { image: "none:0" }, green: { image: "none:0" } };

/** Without what is wrong; a list with something wrong in it goes as a whole. */
function repaired(given: Given, issues: z.core.$ZodIssue[]): Tree {
  const rest = withoutNull(given) as Tree;
  for (const issue of issues) {
    const keys = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [key]) : [[]];
    for (const key of keys) remove(rest, [...issue.path, ...key]);
  }
  const color = (name: "blue" | "green") => ({ ...LEAST[name], ...(rest[name] as Tree | undefined) });
  return { ...LEAST, ...rest, blue: color("blue"), green: color("green") };
}
function remove(tree: unknown, [step, next, ...rest]: PropertyKey[]): void {
  if (!isPlain(tree) || step === undefined) return;
  if (next === undefined || typeof next === "number") delete tree[String(step)];
  else remove(tree[String(step)], [next, ...rest]);
}

// --- in words

function explain(issue: z.core.$ZodIssue): Violation[] {
  if (issue.code !== "unrecognized_keys")
    return [
      {
        propertyPath: pathOf(issue.path),
        reason: (issue.code === "invalid_key" ? issue.issues[0] : issue).message,
      },
    ];
  const at = objectAt(issue.path);
  const known = Object.keys(at?.shape ?? {});
  const refuses = at && (z.globalRegistry.get(at)?.refuses as { [name: string]: string } | undefined);
  return issue.keys.map((key) => {
    if (Object.hasOwn(refuses ?? {}, key))
      return { propertyPath: pathOf([...issue.path, key]), reason: refuses?.[key] ?? "" };
    const guess = known.length > 0 ? closest(key, known) : "";
    const hint = isNear(key, guess) ? ` Did you mean ${guess}?` : "";
    return { propertyPath: pathOf([...issue.path, key]), reason: `is no setting.${hint}` };
  });
}

/** A guess helps only when it is near: a third of the letters at most, or all the same ones in another order. */
function isNear(key: string, guess: string): boolean {
  const [one, other] = [key.toLowerCase(), guess.toLowerCase()];
  const letters = (word: string) => [...word].sort().join("");
  return distance(one, other) <= Math.max(one.length, other.length) / 3 || letters(one) === letters(other);
}

/** What has the settings that there are at a place. */
function objectAt(path: readonly PropertyKey[]): z.ZodObject | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    at = withoutDefault(at);
    if (at instanceof z.ZodArray) at = at.element;
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else if (at instanceof z.ZodObject) at = (at.shape as z.ZodRawShape)[String(step)];
  }
  at = withoutDefault(at);
  return at instanceof z.ZodObject ? at : undefined;
}
