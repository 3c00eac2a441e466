import fc from "fast-check";
import type { BlueGreenServiceArgs } from "../../components";
import { withDefaults, type Settings } from "../../components/settings";

/** The least that is valid. */
export const LEAST: BlueGreenServiceArgs = {
  activeColor: "blue",
  blue: { image: "shop:1.0.0" },
  green: { image: "shop:1.1.0" },
};

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const seconds = fc.integer({ min: 1, max: 86_400 });
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

/** Arguments of which findViolations says that they are valid. */
export const validArgs: fc.Arbitrary<BlueGreenServiceArgs> = fc
  .record({
    activeColor: fc.constantFrom("blue", "green"),
    containerPort: some(fc.integer({ min: 1, max: 65_535 })),
    idle: fc.constantFrom("running", "stopped"),
    drainSeconds: some(fc.nat(86_400)),
    lockWaitSeconds: some(fc.nat(86_400)),
    stopGraceSeconds: some(seconds),
    container: fc.record({
      securityOpts: some(fc.subarray(["no-new-privileges", "apparmor=docker-default", "label=level:s0"])),
      capabilities: some(
        fc.record({
          adds: some(fc.subarray(["CAP_SYS_NICE", "net_admin"])),
          drops: some(fc.subarray(["ALL", "CAP_KILL"])),
        }),
      ),
      readOnly: some(fc.boolean()),
      tmpfs: some(
        fc.dictionary(
          word.map((name) => `/${name}`),
          fc.constantFrom("", "size=16m"),
        ),
      ),
      ulimits: some(
        fc.uniqueArray(
          fc.record({
            name: fc.constantFrom("nofile", "nproc", "memlock"),
            soft: fc.nat(1000),
            hard: fc.constantFrom(1000, -1),
          }),
          { selector: ({ name }) => name },
        ),
      ),
      cpuShares: some(fc.integer({ min: 2, max: 262_144 })),
    }),
    health: fc.record({
      path: some(fc.stringMatching(/^\/[\w/.~!*()+,=:@%&?-]{0,30}$/)),
      hostHeader: some(fc.stringMatching(/^[A-Za-z0-9.-]{1,30}(:[0-9]{1,5})?$/)),
      intervalSeconds: some(fc.constantFrom(0.1, 0.5, 1, 3)),
      timeoutSeconds: some(fc.constantFrom(0.1, 1, 5)),
      gateTimeoutSeconds: some(fc.integer({ min: 30, max: 3600 })),
      passes: some(fc.integer({ min: 1, max: 5 })),
      status: some(fc.integer({ min: 100, max: 599 })),
      bodyText: some(nonEmpty),
      json: some(fc.tuple(nonEmpty, nonEmpty)),
    }),
    watch: fc.record({
      seconds: some(fc.nat(3600)),
      tolerancePercent: some(fc.constantFrom(0, 0.5, 5, 100)),
    }),
    proxy: fc.record({
      bindAddress: some(fc.ipV4()),
      maxBodySize: some(fc.stringMatching(/^[0-9]{1,6}[kmgKMG]?$/)),
      connectTimeoutSeconds: some(seconds),
      readTimeoutSeconds: some(seconds),
      sendTimeoutSeconds: some(seconds),
      upstreamKeepaliveSeconds: some(seconds),
      streamTimeoutSeconds: some(seconds),
      buffering: fc.boolean(),
      spoolMb: some(fc.nat(100_000)),
      requestBuffering: some(fc.boolean()),
      maxHeaderKb: some(fc.integer({ min: 4, max: 512 })),
      accessLog: fc.boolean(),
      memoryMb: some(fc.constantFrom(0, 64, 2048)),
    }),
    tls: some(tls),
  })
  .map(({ health: { json, ...health }, ...args }) => ({
    ...LEAST,
    ...args,
    health: { ...health, ...(json && { jsonField: json[0], jsonValue: json[1] }) },
  }));

export const validSettings: fc.Arbitrary<Settings> = validArgs.map(withDefaults);

export const containers = fc
  .tuple(word, word)
  .map(([a, b]) => ({ blue: `${a}-blue-1`, green: `${b}-green-2` }));

/** How many runs a property gets: BLUEGREEN_RUNS for a long search. */
export const RUNS = Number(process.env.BLUEGREEN_RUNS ?? 100);
