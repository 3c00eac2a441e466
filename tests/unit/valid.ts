import fc from "fast-check";
import { z } from "zod";
import type { BlueGreenServiceArgs } from "../../components/index";
import type { Settings } from "../../components/settings";
import { complete } from "../../components/settings/read";
import { schema, withoutDefault } from "../../components/settings/schema";

/** The least that is valid. */
export const LEAST: BlueGreenServiceArgs = {
  activeColor: "blue",
  blue: { image: "shop:1.0.0" },
  green: { image: "shop:1.1.0" },
};

/** As readSettings, but without rules over several settings. */
export const settingsOf = (args: BlueGreenServiceArgs): Settings => complete(schema.parse(args));

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Any text that can be in a shell's input: all but the zero byte. */
export const anyText = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."'\"\\$`;{}#\n\r\t !*()&|<>~%END_ab"), maxLength: 40 }),
    fc.constantFrom(
      "'; rm -rf /; '",
      "$(touch /tmp/pwned)",
      "`id`",
      "a\nb",
      "EOF",
      "\\",
      "'",
      "\n",
      "\n\n",
      " ",
    ),
  )
  .map((text) => text.replaceAll("\0", ""));
const nonEmpty = anyText.filter((text) => text !== "");

const tls = fc
  .record({
    names: fc.array(
      fc.domain({ size: "-1" }).filter((name) => name === name.toLowerCase()),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    port: some(fc.integer({ min: 443, max: 8000 })),
    hstsSeconds: some(fc.nat(63_072_000)),
    source: fc.constantFrom(
      { certificate: "a certificate", privateKey: "its key" },
      { certificateFile: "/srv/tls/chain.pem", privateKeyFile: "/srv/tls/key.pem" },
      { acmeEmail: "ops@example.com" },
    ),
  })
  .map(({ source, ...rest }) => ({ ...rest, ...source }));

const addresses = fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"), {
  minLength: 1,
});

/** Of the numbers that are right, those that a person may want. */
const MOST = 100_000;

/** Its image is its own, and its port may be. */
const colorLike = (color: BlueGreenServiceArgs["blue"]) =>
  fc.record({ image: fc.constant(color.image), containerPort: some(fc.integer({ min: 1, max: 65_000 })) });

/**
 * What is not made from its row alone: rules over several settings, patterns that can't be turned round, and what these tests have no
 * use for.
 */
const SPECIAL: { [path: string]: fc.Arbitrary<unknown> } = {
  // Beside it, none of the ingress's own settings is right.
  ingress: fc.constant(undefined),
  hosts: fc.uniqueArray(fc.constantFrom("shop.example.com", "www.example.com", "*.shop.example.com")),
  redirects: fc.constantFrom<BlueGreenServiceArgs["redirects"]>(
    { "old.example.com": "https://shop.example.com" },
    { "*.example.com": "https://shop.example.net", "*.old.example.net": "http://example.com:8080" },
  ),
  blue: colorLike(LEAST.blue),
  green: colorLike(LEAST.green),
  ports: fc.constantFrom(
    [{ containerPort: 65_530, path: "/port/a", protocol: "grpc" }],
    [
      { containerPort: 65_530, path: "/port.b" },
      { containerPort: 65_531, path: "/port/c", protocol: "http2" },
    ],
  ),
  containerPort: fc.integer({ min: 1, max: 65_000 }),
  env: fc.constant({}),
  // It has to be there.
  envFile: fc.constant(undefined),
  files: fc.constant([]),
  volumes: fc.constant([]),
  restart: fc.constantFrom("unless-stopped", "on-failure", "no"),
  labels: fc.dictionary(word, word),
  "container.tmpfs": fc.dictionary(
    word.map((name) => `/${name}`),
    fc.constantFrom("", "size=16m"),
  ),
  "container.ulimits": fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("nofile", "nproc", "memlock"),
      soft: fc.nat(1000),
      hard: fc.constantFrom(1000, -1),
    }),
    { selector: ({ name }) => name },
  ),
  workers: fc.constantFrom<BlueGreenServiceArgs["workers"]>(
    {},
    {
      jobs: { command: ["celery", "-A", "shop's", "worker"] },
      mail: { command: ["mail"], exclusive: false },
    },
  ),
  "container.dns": fc.uniqueArray(fc.ipV4(), { maxLength: 2 }),
  "container.cpus": fc.constantFrom(0.5, 2),
  "container.networks": fc.uniqueArray(fc.constantFrom("db", "queue")),
  "container.logDriver": fc.constantFrom("local", "journald"),
  "container.logOpts": fc.constant({}),
  health: fc.oneof(
    fc.record({
      kind: fc.constant("command"),
      command: fc.array(nonEmpty, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant("tcp"), port: some(fc.integer({ min: 1, max: 65_535 })) }),
    fc.record({ kind: fc.constantFrom("image", "http") }),
    fc
      .tuple(
        fc.record(
          {
            path: fc.stringMatching(/^\/[\w/.~!*()+,=:@%&?-]{0,30}$/),
            hostHeader: fc.stringMatching(/^[A-Za-z0-9.-]{1,30}(:[0-9]{1,5})?$/),
            intervalSeconds: fc.constantFrom(0.1, 0.5, 1, 3),
            timeoutSeconds: fc.constantFrom(0.1, 1, 5),
            gateTimeoutSeconds: fc.integer({ min: 30, max: 3600 }),
            passes: fc.integer({ min: 1, max: 5 }),
            port: fc.integer({ min: 1, max: 65_535 }),
            headers: fc.dictionary(
              fc.constantFrom("Authorization", "X-Probe", "Cookie"),
              fc.stringMatching(/^[ -~]{1,30}$/),
            ),
            status: fc.integer({ min: 100, max: 599 }),
            bodyText: nonEmpty,
          },
          { requiredKeys: [] },
        ),
        some(fc.record({ jsonField: nonEmpty, jsonValue: nonEmpty })),
      )
      .map(([health, json]) => ({ ...health, ...json })),
  ),
  redis: fc.constant({ enabled: false }),
  "proxy.image": fc.constant("nginx:1.30.6"),
  "proxy.edgeImage": fc.constant("nginx:1.30.6"),
  "proxy.port": fc.integer({ min: 8100, max: 9000 }),
  "proxy.previewPort": fc.integer({ min: 9001, max: 65_535 }),
  "proxy.bindAddress": fc.ipV4(),
  "proxy.previewBindAddress": fc.ipV4(),
  "proxy.trustedProxies": addresses,
  "proxy.proxyProtocol": addresses,
  "proxy.sharedAssets": fc.uniqueArray(fc.constantFrom("/assets", "/a.b/c"), { minLength: 1 }),
  "proxy.nginxConfig": fc.constantFrom(
    "",
    "add_header X-Own 'a; b}'; # \"\nif ($own_a ~ \\.php$) { return 403; }\nset $own_a 1;",
  ),
  "proxy.rateLimit": fc.record({ requestsPerSecond: fc.integer({ min: 1, max: MOST }), burst: fc.nat(MOST) }),
  "proxy.memoryMb": fc.constantFrom(0, 64, 2048),
  tls,
  host: fc.constant({}),
  registries: fc.constant([]),
  // Not beside pinImages.
  sendImages: fc.constant(false),
};

/** Any value that is right, by the row of the setting. `whole`: with every setting that may be left out, but those of SPECIAL. */
function anyOf(type: z.core.$ZodType, path = "", whole = false): fc.Arbitrary<unknown> {
  if (path in SPECIAL) return SPECIAL[path];
  const kind = withoutDefault(type);
  if (kind instanceof z.ZodObject) {
    const shape = Object.entries(kind.shape);
    const members = shape.map(
      ([key, row]) => [key, anyOf(row, path === "" ? key : `${path}.${key}`, whole)] as const,
    );
    const required = shape.filter(([, row]) => whole || withoutDefault(row) === row).map(([key]) => key);
    return fc.record(Object.fromEntries(members), { requiredKeys: required });
  }
  if (kind instanceof z.ZodRecord)
    return fc.dictionary(anyOf(kind.keyType as z.ZodType) as fc.Arbitrary<string>, anyOf(kind.valueType), {
      minKeys: whole ? 1 : 0,
      maxKeys: 3,
    });
  if (kind instanceof z.ZodArray)
    return fc.array(anyOf(kind.element, `${path}[]`), { minLength: whole ? 1 : 0, maxLength: 3 });
  if (kind instanceof z.ZodBoolean) return fc.boolean();
  if (kind instanceof z.ZodEnum) return fc.constantFrom(...kind.options);
  if (kind instanceof z.ZodNumber) {
    const [min, max] = [kind.minValue ?? 0, Math.min(kind.maxValue ?? MOST, MOST)];
    return kind.isInt ? fc.integer({ min, max }) : fc.constantFrom(min, (min + max) / 2, max);
  }
  if (kind instanceof z.ZodString) {
    const patterns = kind.def.checks?.flatMap(
      (check) => (check._zod.def as { pattern?: RegExp }).pattern ?? [],
    );
    return fc.stringMatching(patterns?.[0] ?? /^[^]{0,30}$/);
  }
  throw new Error(`${path}: no values can be made of its row`);
}

/** Arguments of which findViolations says that they are valid. */
export const validArgs = (anyOf(schema) as fc.Arbitrary<BlueGreenServiceArgs>).map((args) => ({
  ...args,
  hosts: args.tls?.names?.length ? args.tls.names.slice(0, 1) : args.hosts,
  ...(args.proxy?.sharedAssets && (args.idle === "stopped" || ![undefined, "/"].includes(args.path))
    ? { proxy: { ...args.proxy, sharedAssets: undefined } }
    : {}),
  redirects: args.tls?.names?.length ? {} : args.redirects,
  ...(args.strategy === "recreate" && {
    ...{ idle: "stopped", watch: {}, restart: "unless-stopped", replicas: undefined },
    proxy: { ...args.proxy, sharedAssets: undefined },
  }),
  stripPath:
    args.proxy?.protocol !== "grpc" &&
    args.stripPath === true &&
    args.path !== undefined &&
    args.path !== "/",
}));

/** A value for every setting, but for those of SPECIAL. */
export const wholeArgs = anyOf(schema, "", true) as fc.Arbitrary<BlueGreenServiceArgs>;

export const validSettings: fc.Arbitrary<Settings> = validArgs.map(settingsOf);

export const containers = fc
  .tuple(word, word)
  .map(([a, b]) => ({ blue: `${a}-blue-1`, green: `${b}-green-2` }));

/** How many runs a property gets: BLUEGREEN_RUNS for a long search. */
export const RUNS = Number(process.env.BLUEGREEN_RUNS ?? 100);
