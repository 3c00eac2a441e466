import * as pulumi from "@pulumi/pulumi";
import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { BlueGreenServiceArgs } from "./components";

// The stack's configuration as arguments of the component. Only shapes are checked here, so that a misspelt key is named;
// what the values may be is the component's own business.

// `pulumi config set --path` makes a number or a boolean of what looks like one, and YAML does. Back to text goes only what can
// be told for sure: 1.10 comes as 1.1, and a number of many digits comes rounded.
const sureNumber = z
  .number()
  .refine(
    Number.isSafeInteger,
    "is a number, and how it was written can't be told: put it in quotes in YAML, or use 'pulumi config set --path --type string'",
  );
const text = z.union([z.string(), z.boolean(), sureNumber]).transform(String);
// A value that was set on the command line is text, one that stands in YAML may be a number or a boolean.
const number = z.preprocess(
  (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value),
  z.number(),
);
const flag = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean(),
);
const variables = z.record(text, text);

const shapes = {
  activeColor: text,
  blueImage: text,
  greenImage: text,
  env: variables,
  secretEnv: variables,
  blueEnv: variables,
  greenEnv: variables,
  containerPort: number,
  command: z.array(text),
  volumes: z.array(
    z.strictObject({
      hostPath: text.optional(),
      volumeName: text.optional(),
      containerPath: text,
      readOnly: flag.optional(),
    }),
  ),
  memoryMb: number,
  container: z
    .strictObject({
      securityOpts: z.array(text),
      capabilities: z.strictObject({ adds: z.array(text), drops: z.array(text) }).partial(),
      readOnly: flag,
      tmpfs: variables,
      cpuShares: number,
      ulimits: z.array(z.strictObject({ name: text, soft: number, hard: number })),
    })
    .partial(),
  logs: z.strictObject({ maxSizeMb: number, maxFiles: number }).partial(),
  restart: text,
  timeZone: text,
  labels: variables,
  stopGraceSeconds: number,
  health: z
    .strictObject({
      path: text,
      hostHeader: text,
      intervalSeconds: number,
      timeoutSeconds: number,
      gateTimeoutSeconds: number,
      passes: number,
      status: number,
      bodyText: text,
      jsonField: text,
      jsonValue: text,
    })
    .partial(),
  watch: z.strictObject({ seconds: number, tolerancePercent: number }).partial(),
  idle: text,
  drainSeconds: number,
  lockWaitSeconds: number,
  redis: z.strictObject({ enabled: flag, image: text, deleteData: flag, memoryMb: number }).partial(),
  redisPassword: text,
  network: text,
  proxy: z
    .strictObject({
      image: text,
      edgeImage: text,
      port: number,
      bindAddress: text,
      previewPort: number,
      previewBindAddress: text,
      maxBodySize: text,
      connectTimeoutSeconds: number,
      readTimeoutSeconds: number,
      streamTimeoutSeconds: number,
      sendTimeoutSeconds: number,
      buffering: flag,
      spoolMb: number,
      requestBuffering: flag,
      maxHeaderKb: number,
      upstreamKeepaliveSeconds: number,
      accessLog: flag,
      memoryMb: number,
      migrateConnections: flag,
    })
    .partial(),
  tls: z
    .strictObject({
      names: z.array(text),
      port: number,
      certificateFile: text,
      privateKeyFile: text,
      certificateFolder: text,
      acmeEmail: text,
      acmeDirectory: text,
      acmeImage: text,
      hstsSeconds: number,
    })
    .partial(),
  tlsCertificate: text,
  tlsPrivateKey: text,
  host: z
    .strictObject({
      address: text,
      hostKey: text,
      knownHostsFile: text,
      privateKeyFile: text,
      privateKey: text,
      connectTries: number,
      connectTimeoutSeconds: number,
      bastion: z.strictObject({
        address: text,
        hostKey: text.optional(),
        knownHostsFile: text.optional(),
        privateKeyFile: text.optional(),
        privateKey: text.optional(),
      }),
    })
    .partial(),
  registries: z.array(z.strictObject({ address: text, username: text, password: text })),
  pinImages: flag,
  keepImages: number,
  allowDowntime: flag,
  allowMovingTags: flag,
};
const schema = z.strictObject(shapes);

type Variables = { [name: string]: pulumi.Input<string> };

/** The arguments of the current stack. Throws one error that names every key with a wrong name or shape. */
export function readConfig(): BlueGreenServiceArgs {
  const prefix = `${pulumi.getProject()}:`;
  const raw = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  // From Pulumi's language host; the SDK reads it from there too, but has no function for it.
  const secretKeys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  return toArgs(Object.fromEntries(raw.map(([key, value]) => [key.slice(prefix.length), value])), (key) =>
    secretKeys.includes(prefix + key),
  );
}

/** What Pulumi holds is text: JSON for what is structured. Keys that are not set have their default from Pulumi.yaml. */
export function toArgs(
  raw: { [key: string]: string },
  isSecret = (_key: string) => false,
): BlueGreenServiceArgs {
  const values = Object.fromEntries(Object.entries(raw).map(parseStructured));
  const result = schema.partial().safeParse(values, { error: inWords });
  if (!result.success) {
    const list = result.error.issues.flatMap(explain).map((line) => `  ${line}`);
    throw new pulumi.RunError(
      `The stack's configuration has ${list.length} mistake(s). Nothing was changed.\n${list.join("\n")}`,
    );
  }
  const {
    blueImage,
    greenImage,
    blueEnv,
    greenEnv,
    secretEnv,
    redisPassword,
    tlsCertificate,
    tlsPrivateKey,
    network,
    command,
    memoryMb,
    keepImages,
    registries,
    host,
    ...config
  } = result.data;
  // Pulumi decrypts what it gives to a program. One secret in an object makes the whole key one.
  const keepSecret = (key: string, values: Variables = {}): Variables =>
    key === "secretEnv" || isSecret(key)
      ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]))
      : values;
  return {
    ...config,
    activeColor: config.activeColor ?? "",
    blue: { image: blueImage ?? "", env: keepSecret("blueEnv", blueEnv) },
    green: { image: greenImage ?? "", env: keepSecret("greenEnv", greenEnv) },
    env: { ...keepSecret("env", config.env), ...keepSecret("secretEnv", secretEnv) },
    redis: { ...config.redis, password: redisPassword ? pulumi.secret(redisPassword) : undefined },
    tls: {
      ...config.tls,
      certificate: tlsCertificate || undefined,
      privateKey: tlsPrivateKey ? pulumi.secret(tlsPrivateKey) : undefined,
    },
    network: network ? { name: network } : undefined,
    command: command && command.length > 0 ? command : undefined,
    memoryMb: memoryMb === 0 ? undefined : memoryMb,
    keepImages: keepImages === 0 ? undefined : keepImages,
    registries: registries?.map((account) => ({ ...account, password: pulumi.secret(account.password) })),
    host: host && { ...withSecretKey(host), bastion: host.bastion && withSecretKey(host.bastion) },
  };
}

const withSecretKey = <T extends { privateKey?: string }>(server: T) => ({
  ...server,
  privateKey: server.privateKey === undefined ? undefined : pulumi.secret(server.privateKey),
});

function parseStructured([key, value]: [string, string]): [string, unknown] {
  const shape = (shapes as { [key: string]: z.ZodType })[key];
  const structured =
    shape instanceof z.ZodObject || shape instanceof z.ZodRecord || shape instanceof z.ZodArray;
  if (!structured) return [key, value];
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
}

function explain(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== "unrecognized_keys") return [`${pathOf(issue.path)}: ${issue.message}`];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const guess = closest(key, known);
    return `${pathOf([...issue.path, key])}: is no setting.${isNear(key, guess) ? ` Did you mean ${guess}?` : ""}`;
  });
}

/** As `pulumi config set --path` takes it. */
const pathOf = (path: PropertyKey[]): string =>
  path
    .map((step, i) => (typeof step === "number" ? `[${step}]` : `${i > 0 ? "." : ""}${String(step)}`))
    .join("");

/** A guess helps only when it is near: a third of the letters at most, or all the same ones in another order. */
function isNear(key: string, guess: string): boolean {
  const [one, other] = [key.toLowerCase(), guess.toLowerCase()];
  const letters = (word: string) => [...word].sort().join("");
  return distance(one, other) <= Math.max(one.length, other.length) / 3 || letters(one) === letters(other);
}

const KINDS: { [type: string]: string } = {
  object: "an object: set what is in it, one by one, with 'pulumi config set --path'",
  record: "an object: set what is in it, one by one, with 'pulumi config set --path'",
  array: "a list: set its items, one by one, with 'pulumi config set --path', as NAME[0], NAME[1], …",
  number: "a number",
  boolean: "true or false",
};

/** What a value must be; never the value itself, which may be a secret. */
function inWords({ code, expected, input }: z.core.$ZodRawIssue): string | undefined {
  if (code !== "invalid_type" && code !== "invalid_union") return undefined;
  if (input === undefined) return "is missing";
  return `must be ${KINDS[String(expected)] ?? "text"}`;
}

function knownKeys(path: PropertyKey[]): string[] {
  let shape: unknown = schema;
  for (const step of path) {
    if (shape instanceof z.ZodArray) shape = shape.element;
    else if (shape instanceof z.ZodObject) shape = shape.shape[String(step)];
    if (shape instanceof z.ZodOptional) shape = shape.unwrap();
  }
  return shape instanceof z.ZodObject ? Object.keys(shape.shape) : Object.keys(shapes);
}
