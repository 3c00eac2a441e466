import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { BlueGreenServiceArgs } from "./args";
import { secrecyOf } from "./kinds";
import { schema, withoutDefault } from "./schema";
import { pathOf, violationsInWords, type Violation } from "./violations";

/**
 * The arguments that the stack's configuration has, under the names of the arguments; with `name`, those within that key, as
 * `pulumi config set --path shop.activeColor green` sets them for a program with several services. Throws one error with every
 * value whose form can't be right; what values may be is the component's own business.
 */
export function readConfig(name?: string): BlueGreenServiceArgs {
  const prefix = `${pulumi.getProject()}:`;
  const raw = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  // From Pulumi's language host; the SDK reads it from there too, but has no function for it.
  const secretKeys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  return argumentsOf(
    Object.fromEntries(raw.map(([key, value]) => [key.slice(prefix.length), value])),
    (key) => secretKeys.includes(prefix + key),
    name,
  );
}

/** What Pulumi holds is text: JSON for what is structured. Within that, a number may be text, and text may be a number. */
export function argumentsOf(
  raw: { [key: string]: string },
  holdsSecret = (_key: string) => false,
  name?: string,
): BlueGreenServiceArgs {
  const violations: Violation[] = [];
  const within = name === undefined ? raw : parsed(raw[name] ?? "");
  if (typeof within !== "object" || within === null) {
    violations.push({
      propertyPath: name ?? "",
      reason: "is missing: must be an object with the settings of the service",
    });
  }
  const args = Object.entries(within ?? {}).map(([key, value]: [string, unknown]) => {
    const reader = new Reader(holdsSecret(name ?? key), violations);
    const type = (schema.shape as z.ZodRawShape)[key];
    const given = isStructured(type) && typeof value === "string" ? parsed(value) : value;
    return [key, reader.read(type, given, name === undefined ? [key] : [name, key])];
  });
  if (violations.length > 0)
    throw new pulumi.RunError(violationsInWords("The stack's configuration", violations));
  // The project's file gives each key its default. That is no choice, and of this one strategy may mean another.
  const isNoChoice = (key: string, value: unknown) =>
    name === undefined && key === "idle" && value === "running";
  const given = args.filter(([key, value]) => !isNoChoice(key as string, value));
  return Object.fromEntries(given) as BlueGreenServiceArgs;
}

class Reader {
  /** `secret`: one secret in an object makes the whole key one. */
  constructor(
    private readonly secret: boolean,
    private readonly violations: Violation[],
  ) {}

  read(type: z.core.$ZodType | undefined, value: unknown, path: PropertyKey[]): unknown {
    const kind = withoutDefault(type);
    if (isStructured(kind) && typeof value === "string")
      return this.refuse(
        path,
        `must be ${STRUCTURES[kind.def.type]} set one by one, with 'pulumi config set --path'`,
      );
    if (kind instanceof z.ZodObject)
      return this.readAll(value, path, (key) => (kind.shape as z.ZodRawShape)[key]);
    if (kind instanceof z.ZodRecord) return this.readAll(value, path, () => kind.valueType);
    if (kind instanceof z.ZodArray)
      return Array.isArray(value) ? value.map((one, i) => this.read(kind.element, one, [...path, i])) : value;
    // What was set on the command line is text, what stands in YAML may be a number or a flag.
    if (kind instanceof z.ZodNumber) return typeof value === "string" ? asNumber(value) : value;
    if (kind instanceof z.ZodBoolean) return { true: true, false: false }[String(value)] ?? value;
    if (kind === undefined) return value;
    const text = this.readText(value, path);
    const secrecy = secrecyOf(kind);
    return secrecy === "always" || (this.secret && secrecy !== undefined) ? pulumi.secret(text) : text;
  }

  private readAll(
    value: unknown,
    path: PropertyKey[],
    typeOf: (key: string) => z.core.$ZodType | undefined,
  ): unknown {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, this.read(typeOf(key), inner, [...path, key])]),
    );
  }

  /**
   * `pulumi config set --path` makes a number or a flag of what looks like one, and so does YAML. Back to text goes only what
   * can be told for sure: 1.10 comes as 1.1, and a number of many digits comes rounded.
   */
  private readText(value: unknown, path: PropertyKey[]): unknown {
    if (typeof value === "number" && !Number.isSafeInteger(value))
      this.refuse(
        path,
        "is a number, and how it was written can't be told: put it in quotes in YAML, or use 'pulumi config set --path --type string'",
      );
    return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  }

  private refuse(path: PropertyKey[], reason: string): void {
    this.violations.push({ propertyPath: pathOf(path), reason });
  }
}

type Structure = z.ZodObject | z.ZodRecord | z.ZodArray;
const STRUCTURES: { [type: string]: string } = {
  object: "an object, whose settings are",
  record: "an object, whose values are",
  array: "a list, whose items NAME[0], NAME[1], … are",
};
function isStructured(type: z.core.$ZodType | undefined): type is Structure {
  return ["object", "record", "array"].includes(withoutDefault(type)?._zod.def.type ?? "");
}

function asNumber(text: string): unknown {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
