import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import type { BlueGreenServiceArgs } from "../../components/index";

import { assignments, shellFile } from "../../components/shell";
import { renderSwitchInput } from "../../components/release/switchInput";
import { findViolations } from "../../components/settings";
import { CASE, refusals } from "../proxy/rendered";
import { indent } from "../support/load";
import { anyText, settingsOf, wholeArgs } from "../unit/valid";
import { settings } from "../../scripts/lib/settings";
import { fault } from "./table";

const RUNS = 4000;
/** Fewer where time is short. */
const CASES = Number(process.env.BLUEGREEN_CASES ?? 2000);
const BATCH = 200;

/** A value for every setting: made from its row, or, where that can't be done (SPECIAL in valid.ts), given here. */
const [MADE] = fc.sample(wholeArgs, { numRuns: 1, seed: 1 });
const NAMES_OF_TLS = ["shop.example.com", "www.example.com"];
const FILES = [{ path: "/run/secrets/key", content: "s3cr3t", permissions: "0400" }];
const WORKERS = {
  jobs: {
    command: ["celery", "worker"],
    exclusive: true,
    stopGraceSeconds: 600,
    stayUpSeconds: 5,
    env: { QUEUE: "jobs" },
    memoryMb: 64,
    cpus: 0.5,
  },
};
const OWN = {
  replicas: 2,
  workers: WORKERS,
  files: FILES,
  containerPort: 8080,
  command: ["serve"],
  memoryMb: 64,
  container: { user: "app", dns: ["10.0.0.1"] },
};
const EVERYTHING: BlueGreenServiceArgs = {
  ...MADE,
  activeColor: "blue",
  hosts: ["shop.example.com"],
  proxy: { ...MADE.proxy, nginxConfig: "", protocol: "http1", sharedAssets: ["/api/assets"] },
  strategy: "blue-green",
  idle: "running",
  redirects: { "www.example.com": "https://shop.example.com" },
  path: "/api",
  stripPath: true,
  ports: [{ containerPort: 9090, hosts: ["shop.example.com"], path: "/admin", protocol: "grpc" }],
  blue: { image: "shop:1.0.0", env: { A: "a" }, ...OWN },
  green: { image: "shop:1.1.0", env: { A: "b" }, ...OWN },
  env: { B: "c" },
  files: FILES,
  workers: WORKERS,
  volumes: [{ hostPath: "/data", containerPath: "/data", readOnly: true, selinuxRelabel: "z" }],
  restart: "unless-stopped",
  labels: { team: "shop" },
  container: {
    ...MADE.container,
    readOnly: false,
    tmpfs: { "/tmp": "size=16m" },
    ulimits: [{ name: "nofile", soft: 1024, hard: 4096 }],
    dns: ["10.0.0.1"],
    cpus: 1.5,
    networks: ["db"],
    logDriver: "local",
    logOpts: { tag: "shop" },
  },
  health: {
    kind: "http",
    path: "/health",
    hostHeader: "localhost",
    port: 8181,
    headers: { Authorization: "Bearer t0ken" },
    intervalSeconds: 1,
    timeoutSeconds: 5,
    gateTimeoutSeconds: 60,
    passes: 2,
    status: 200,
    bodyText: "UP",
    jsonField: "status",
    jsonValue: "UP",
  },
  redis: { enabled: true, image: "redis:8.0.6", password: "secret", deleteData: false, memoryMb: 256 },
  tls: { names: NAMES_OF_TLS, port: 443, acmeEmail: "ops@example.com", hstsSeconds: 3600 },
  host: { address: "unix:///var/run/docker.sock", connectTries: 10, connectTimeoutSeconds: 15 },
  registries: [{ address: "ghcr.io", username: "bot", password: "s3cr3t" }],
};
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA";
/** Each setting has a value in one of these, so that each can be given another one. */
const BASES: BlueGreenServiceArgs[] = [
  EVERYTHING,
  { activeColor: "blue", blue: EVERYTHING.blue, green: EVERYTHING.green, ingress: "web" },
  { ...EVERYTHING, volumes: [{ volumeName: "data", containerPath: "/data" }] },
  { ...EVERYTHING, tls: { names: NAMES_OF_TLS, certificate: "its text", privateKey: "its key" } },
  {
    ...EVERYTHING,
    tls: {
      names: NAMES_OF_TLS,
      certificateFile: "/srv/tls/chain.pem",
      privateKeyFile: "/srv/tls/key.pem",
      certificateFolder: "/srv/tls",
    },
  },
  {
    ...EVERYTHING,
    tls: { ...EVERYTHING.tls, acmeDirectory: "https://ca.example.com/dir", acmeImage: "goacme/lego:v4.25.2" },
  },
  { ...EVERYTHING, health: { kind: "command", command: ["pg_isready", "-q"] } },
  {
    ...EVERYTHING,
    ...{ strategy: "recreate", idle: "stopped", watch: {}, replicas: 1 },
    blue: { ...EVERYTHING.blue, replicas: 1 },
    green: { ...EVERYTHING.green, replicas: 1 },
    proxy: { ...EVERYTHING.proxy, sharedAssets: [] },
  },
  {
    ...EVERYTHING,
    host: {
      address: "ssh://deploy@shop.example.com",
      hostKey: HOST_KEY,
      bastion: { address: "ssh://deploy@jump.example.com", hostKey: HOST_KEY },
    },
  },
];
/** Their files have to be there, and their text has to be a secret; or it is nginx's, and has tests of its own (piece.test.ts). */
const WITHOUT =
  /^(((blue|green)\.)?envFile|host\.(bastion\.)?(knownHostsFile|privateKeyFile|privateKey)|proxy\.nginxConfig)$/;

type Step = string | number;
/** The way to each value that is not an object or a list. */
const leaves = (value: unknown, steps: Step[] = []): Step[][] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...steps, key]))
    : [steps];

/** As settings() writes it: volumes[].hostPath, workers.NAME.command. */
const placeOf = (steps: Step[]) =>
  steps
    .map((step, i) => (/^\d+$/.test(String(step)) ? "[]" : `${i > 0 ? "." : ""}${step}`))
    .join("")
    .replace(/\bworkers\.\w+/, "workers.NAME");

function withValue([step, ...rest]: Step[], value: unknown, into: unknown): unknown {
  if (step === undefined) return value;
  const copy = structuredClone(into) as { [step: Step]: unknown };
  copy[step] = withValue(rest, value, copy[step]);
  return copy;
}
const valueAt = (base: unknown, steps: Step[]) =>
  steps.reduce((value, step) => (value as { [step: Step]: unknown })[step], base);

/** Any text, also in the middle of what is right: a check that looks only at a part of it would take that. */
const attack = (right: string) =>
  fc.oneof(
    anyText,
    fc.tuple(fc.nat(right.length), anyText).map(([at, text]) => right.slice(0, at) + text + right.slice(at)),
    fc
      .constantFrom("; return 200 pwned", "} server { listen 80; }", "\n# live: blue evil", '" x "', "$host")
      .map((text) => right + text),
  );
const ATTACK = fc
  .constantFrom(...BASES.flatMap((base) => leaves(base).map((steps) => ({ base, steps }))))
  .chain(({ base, steps }) =>
    fc.record({
      base: fc.constant(base),
      steps: fc.constant(steps),
      text: attack(String(valueAt(base, steps))),
    }),
  );

const NAMES = { blue: "shop-blue-1" };
const render = (args: BlueGreenServiceArgs) =>
  renderSwitchInput(
    {
      lockHolder: "acme/dev/shop",
      id: "1a2b3c4d",
      ingress: "shop-dev-shop",
      service: "shop",
      settings: settingsOf(args),
    },
    NAMES.blue,
  );

/** What a shell has in these variables after the settings were evaluated, in a folder where nothing may come to be. */
function evaluated(inputs: string[], names: string[]): string[][] {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-faults-"));
  try {
    const script = inputs.map((input, i) => {
      const settings = input
        .slice(0, input.indexOf("\nin_container_script()"))
        .replace("settings()", `settings_${i}()`);
      const print = names.map((name) => `printf '%s\\0' "$${name}"\n`).join("");
      return `${settings}\neval "$(settings_${i})"\n${print}`;
    });
    const printed = execFileSync("sh", ["-s"], {
      input: script.join(""),
      cwd: folder,
      maxBuffer: 256 * 1024 * 1024,
    });
    assert.deepEqual(readdirSync(folder), []);
    const values = printed.toString().split("\0");
    return inputs.map((_, i) => values.slice(i * names.length, (i + 1) * names.length));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each statement of an nginx configuration: its name, unless that is a text of a map, and how many arguments it has. */
function statements(site: string): string[] {
  const tokens = site.match(/"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|#[^\n]*|[{};]|[^\s{};"'#]+/g) ?? [];
  const words: string[] = [];
  const found: string[] = [];
  for (const token of tokens.filter((one) => !one.startsWith("#"))) {
    words.push(token.replace(/^(["'])[^]*/, "$1"));
    if (/^[{};]$/.test(token)) found.push(`${words[0]}/${words.splice(0).length}${token}`);
  }
  return found;
}

describe("generated input", function () {
  this.timeout(600_000);

  fault("any settings that are not refused render a configuration that nginx takes", () => {
    for (let done = 0; done < CASES; done += BATCH) {
      assert.equal(refusals(fc.sample(CASE, BATCH)), "");
      if (done % (5 * BATCH) === 0) console.log(indent(`${done + BATCH} of ${CASES}`));
    }
    return Promise.resolve({ happened: `${CASES} settings, of each both configurations through nginx -t` });
  });

  const SETTINGS = settings().filter(({ path }) => !WITHOUT.test(path));

  fault(`any text in any of the ${SETTINGS.length} settings is refused, or stays data`, () => {
    const places = new Set(BASES.flatMap((base) => leaves(base).map(placeOf)));
    const missing = SETTINGS.filter(
      ({ path }) => ![...places].some((place) => place === path || place.startsWith(path)),
    );
    assert.deepEqual(
      missing.map(({ path }) => path),
      [],
    );

    const accepted: {
      base: BlueGreenServiceArgs;
      steps: Step[];
      text: string;
      args: BlueGreenServiceArgs;
    }[] = [];
    for (const base of BASES) assert.deepEqual(findViolations(base), []);
    const attacks = fc.sample(ATTACK, RUNS);
    for (const { base, steps, text } of attacks) {
      const args = withValue(steps, text, base) as BlueGreenServiceArgs;
      if (findViolations(args).length === 0) accepted.push({ base, steps, text, args });
    }
    const names = [
      "HEALTH_PATH",
      "HEALTH_HOST",
      "HEALTH_BODY",
      "HEALTH_JSON_FIELD",
      "HEALTH_JSON_VALUE",
      "SITE_TEMPLATE",
    ];
    const facts = (site: string) => site.split("\n").filter((line) => /^# (live|idle|log): /.test(line));
    const structureOf = (site: string) => [...facts(site), ...statements(site)];
    const structures = new Map(
      evaluated(BASES.map(render), names).map((values, i) => [BASES[i], structureOf(values[5])]),
    );
    const seen = evaluated(
      accepted.map(({ args }) => render(args)),
      names,
    );
    accepted.forEach(({ base, steps, text, args }, i) => {
      const what = `${steps.join(".")} = ${JSON.stringify(text)}`;
      const { path, hostHeader, bodyText, jsonField, jsonValue } = settingsOf(args).health;
      const [site, health] = [seen[i][5], seen[i].slice(0, 5)];
      const given = [path, hostHeader, bodyText, jsonField, jsonValue].map((value) => value ?? "");
      assert.deepEqual(health, given, what);
      assert.deepEqual(structureOf(site), structures.get(base), what);
    });
    const refused = attacks.length - accepted.length;
    assert.ok(refused > RUNS / 4 && accepted.length > RUNS / 20, `${refused} were refused`);
    return Promise.resolve({
      happened: `${attacks.length} texts: ${refused} were refused; of ${accepted.length} nginx and the shell got just that text`,
    });
  });

  fault("any text in the journal is one line of JSON, and says what it said", () => {
    const texts = fc.sample(anyText, 500);
    const script = texts
      .map(
        (text, i) =>
          assignments({ TEXT: text }) +
          `printf '{%s,%s}\\n' "$(json_pair text "$TEXT")" "$(json_pair to ${i})" >"$INTENT"\n` +
          `json_value to <"$INTENT"\nend_intent "$TEXT" 1\ntail -n 1 "$JOURNAL"\n`,
      )
      .join("");
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-faults-"));
    try {
      const input = `INTENT=${folder}/intent JOURNAL=${folder}/journal\n${shellFile("in-nginx/uploaded/journal.sh")}\nwarn() { :; }\n${script}`;
      const printed = execFileSync("sh", ["-s"], { input, cwd: folder, maxBuffer: 256 * 1024 * 1024 });
      const lines = printed.toString().trimEnd().split("\n");
      assert.equal(lines.length, 2 * texts.length);
      texts.forEach((text, i) => {
        // eslint-disable-next-line no-control-regex
        const told = text.replace(/[\n\t]/g, " ").replace(/[\0-\x1f]/g, "");
        assert.equal(lines[2 * i], String(i), JSON.stringify(text));
        const entry = JSON.parse(lines[2 * i + 1]) as { [name: string]: unknown };
        assert.deepEqual(entry, { text: told, to: String(i), seconds: 1, outcome: told });
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    return Promise.resolve({ happened: `${texts.length} texts, all of them data` });
  });
});
