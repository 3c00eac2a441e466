import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Failure, main, say } from "./lib/log.mjs";
import { readOptions } from "./lib/options.mjs";
import { modules, node24, root } from "./lib/paths.mjs";
import { must, show } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";
import { actionlint } from "./setup/actionlint.mjs";
import { inCopyOutside } from "./setup/apart.mjs";
import { caddyFolder } from "./setup/caddy.mjs";
import { canHaveEngine } from "./setup/engine.mjs";
import { ensureAcmeImages } from "./setup/images.mjs";
import { ensureServices } from "./setup/services.mjs";
import { ensureTestTools } from "./setup/test-tools.mjs";
import { yamlHostFolder } from "./setup/yaml-host.mjs";

/** What `npm test` runs, in this order; `npm test -- unit lint` runs only these. */
const parts = {
  smoke: () => script("smoke.mjs"),
  lint,
  unit: (run) =>
    mochaWith(
      {},
      [
        "tests/unit/**/*.test.ts",
        "scripts/tests/**/*.test.ts",
        "demo-app/tests/**/*.test.*",
        "offline/plugins/tests/**/*.test.ts",
      ],
      run,
    ),
  proxy: (run) => mochaWith({}, filesOf("proxy", run), run),
  integration: async (run) => {
    await acmeImages();
    return mochaWith({}, filesOf("integration", run), run);
  },
  // What users met, by name: F1, F2, …
  field: (run) => mochaWith({}, filesOf("field", run), run),
  // Programs of a user, as they stand.
  examples: async (run) => {
    const folders = await exampleTools();
    return mochaWith({ PATH: [...folders, env.PATH].join(path.delimiter) }, filesOf("examples", run), run);
  },
  ec2: () =>
    inCopyOutside("hosts/ec2", async (copy) => {
      const config = path.join(root, "eslint.config.mjs");
      return sum([
        await check("tsc hosts/ec2", "tsc", ["--noEmit", "--project", copy]),
        await check("eslint hosts/ec2", "eslint", ["--config", config, "."], copy),
        await mocha(path.join(copy, "tests/**/*.test.ts")),
      ]);
    }),
  // All of it, and nothing else writes the table.
  faults: () =>
    mochaWith({ BLUEGREEN_FAULTS_TABLE: path.join(root, "docs/faults.md") }, ["tests/faults/**/*.test.ts"]),
  // Those that take long have a shorter form in other parts: a kill after each step in proxy, flips under load and
  // restarts of the engine in integration.
  "faults-short": (run) =>
    mochaWith(
      { BLUEGREEN_CASES: "300" },
      ["candidate", "input", "pulumi", "state"].map((name) => `tests/faults/${name}.test.ts`),
      run,
    ),
  // What only SSH can do wrong, and releases over it.
  ssh: async () =>
    sum([await mocha("tests/remote/**/*.test.ts"), await mochaOverSsh("tests/integration/release.test.ts")]),
  // All that `integration` has, over SSH.
  remote: async () => {
    await acmeImages();
    return mochaOverSsh("tests/integration/**/*.test.ts");
  },
  engine: () =>
    mochaOnEngine(
      "docker",
      ...["release", "gate", "load", "redis", "registry", "resilience", "resilience-engine"].map(integration),
    ),
  // What of it takes a third of the time.
  "engine-short": () => mochaOnEngine("docker", ...["release", "resilience-engine"].map(integration)),
  podman: () => mochaOnEngine("podman", "tests/engine/podman.test.ts"),
  // Spring Boot, Django and Vite, from their own builds.
  services: async () => {
    await ensureServices();
    return mocha("tests/services/*.test.ts");
  },
};
/**
 * What takes long, and in how many shares of its files it runs. AT_ONCE of them keep two cores busy: each often waits, for gates
 * and drains. What has the longest shares begins first, and most are short, so that none runs alone at the end.
 */
const sideBySide = { examples: 2, proxy: 1, "faults-short": 1, integration: 6, field: 8, unit: 1 };
const AT_ONCE = 3;
const onlyWhenNamed = [
  "smoke",
  "faults",
  "faults-short",
  "remote",
  "engine",
  "engine-short",
  "podman",
  "services",
];

const usage = `npm test              does the set-up and runs all tests but those that run only when they are named
npm test -- PART…     runs only these parts: ${Object.keys(parts).join(", ")}
                      Only when named: ${onlyWhenNamed.join(", ")}. More in tests/README.md.`;

// Once, for all shares.
let acme, tools;
const acmeImages = () => (acme ??= ensureAcmeImages());
const exampleTools = () => (tools ??= Promise.all([yamlHostFolder(), caddyFolder()]));
const integration = (name) => `tests/integration/${name}.test.ts`;

const nothing = { passes: 0, failures: 0, pending: 0, failed: [] };
const failure = (title, message = "") => ({ ...nothing, failures: 1, failed: [{ title, message }] });

const env = { ...process.env, PATH: `${path.join(modules, ".bin")}${path.delimiter}${process.env.PATH}` };

await main(async () => {
  const { words: chosen } = readOptions({}, usage, { words: true });
  const unknown = chosen.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Failure(`Unknown: ${unknown.join(" ")}. Nothing was run.\n\n${usage}`);
  await ensureTestTools();
  await setUp();

  const results = {};
  const seconds = {};
  const run = async ({ name, ...how }) => {
    const started = Date.now();
    const counts = await runPart(name, how);
    results[name] = sum([results[name] ?? nothing, counts]);
    seconds[name] = (seconds[name] ?? 0) + (Date.now() - started) / 1000;
  };
  const wanted = Object.keys(parts).filter((name) =>
    chosen.length > 0 ? chosen.includes(name) : !onlyWhenNamed.includes(name),
  );
  for (const name of wanted.filter((one) => !(one in sideBySide))) {
    say(`npm test: ${name}`);
    await run({ name });
  }
  const waiting = Object.entries(sideBySide)
    .filter(([name]) => wanted.includes(name))
    .flatMap(([name, shares]) =>
      Array.from({ length: shares }, (_, share) => ({ name, share, shares, prefix: `${name}: ` })),
    );
  // Up to three loads share two cores.
  if (waiting.length > 1) env.BLUEGREEN_LOAD_PAUSE_MS ??= "300";
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      say(`npm test: ${next.name}, ${next.share + 1} of ${next.shares}`);
      await run(next);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const total = sum(Object.values(results));
  const lines = Object.entries(results).map(
    ([name, counts]) => `  ${name.padEnd(12)} ${format(counts)} (${Math.round(seconds[name])} s)`,
  );
  console.log(`\n${lines.join("\n")}\n\n${[format(total), ...total.failed.map(tellFailure)].join("\n\n")}`);
  process.exitCode = total.failures > 0 || total.passes === 0 ? 1 : 0;
});

/** A part that can't begin must not end what runs beside it. */
async function runPart(name, how) {
  try {
    return await parts[name](how);
  } catch (error) {
    return failure(name, error instanceof Failure ? error.message : error.stack);
  }
}

function format({ passes, failures, pending }) {
  return `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`;
}

/** Said once more at the end: of an hour's output people look there. */
function tellFailure({ title, message }) {
  return [`✖ ${title}`, ...message.trimEnd().split("\n").slice(0, 40)].join("\n    ");
}

/** One check, counted like a test. */
async function check(name, command, args, cwd = root) {
  const ok = (await show(command, args, { cwd, env })) === 0;
  console.log(`  ${ok ? "✔" : "✖"} ${name}`);
  return ok ? { ...nothing, passes: 1 } : failure(name);
}

function script(file) {
  return check(file, process.execPath, [path.join(root, "scripts", file)]);
}

async function lint() {
  const shell = await shellScripts();
  const results = [
    await check("prettier", "prettier", ["--check", "--log-level", "warn", "."]),
    await check("eslint", "eslint", ["."]),
    ...(await typeChecks()),
    await check("shellcheck", "shellcheck", shell),
    await check("shfmt", "shfmt", ["-i", "2", "-ci", "-d", ...shell]),
    await lintWorkflows(),
  ];
  return sum(results);
}

/** actionlint finds workflows, and the actions that they name, in the root of a repository: so it gets the example as one. */
async function lintWorkflows() {
  const example = "examples/own-repository";
  const copy = mkdtempSync(path.join(tmpdir(), "bluegreen-lint-"));
  try {
    cpSync(path.join(root, example), copy, { recursive: true });
    await must("git", ["init", "--quiet"], { cwd: copy });
    return await check(`actionlint ${example}`, await actionlint(), [], copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** One for each tsconfig.json: tests and tools need other types than the component, which users compile. hosts/ is checked by its own part. */
async function typeChecks() {
  const files = await must("git", ["ls-files", "tsconfig.json", "*/tsconfig.json", ":!hosts"], { cwd: root });
  const results = [];
  for (const file of files.trim().split("\n"))
    results.push(await check(`tsc ${file}`, "tsc", ["--noEmit", "--project", file]));
  return results;
}

function sum(results) {
  return results.reduce(
    (total, { passes, failures, pending, failed }) => ({
      passes: total.passes + passes,
      failures: total.failures + failures,
      pending: total.pending + pending,
      failed: [...total.failed, ...failed],
    }),
    nothing,
  );
}

/** Tracked files that end in .sh or begin with a shell's shebang. */
async function shellScripts() {
  const files = (await must("git", ["ls-files", "-z"], { cwd: root })).split("\0").filter(Boolean);
  return files.filter((file) => {
    if (!existsSync(path.join(root, file))) return false;
    if (file.endsWith(".sh")) return true;
    const firstLine = readFileSync(path.join(root, file), "latin1").split("\n", 1)[0];
    return /^#!.*\b(sh|bash)$/.test(firstLine.trim());
  });
}

/** Runs mocha under Node 24. A run that ends without having counted anything is a failure of its own. */
function mocha(...patterns) {
  return mochaWith({}, patterns);
}

/** One share of a folder's tests: dealt out by length, so that each has its part of those that take long. */
function filesOf(folder, { share, shares }) {
  return readdirSync(path.join(root, "tests", folder))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => path.join("tests", folder, file))
    .sort((one, other) => statSync(path.join(root, other)).size - statSync(path.join(root, one)).size)
    .filter((_, index) => index % shares === share);
}

/** Every stack's host is an SSH server on this machine. */
function mochaOverSsh(...patterns) {
  return mochaWith({ BLUEGREEN_TEST_SSH: "true" }, patterns);
}

/** On another engine, beside this machine's. */
function mochaOnEngine(kind, ...files) {
  if (!canHaveEngine) {
    say("skipped: an engine beside this machine's needs root on Linux");
    return { ...nothing, pending: files.length };
  }
  const within = ["--import", "tsx", "scripts/on-engine.mjs", kind, node24];
  return mochaWith({}, files, { within });
}

/** `within`: what Node.js is to run first, which then runs mocha; `prefix`: what each line of output begins with. */
async function mochaWith(variables, patterns, { within = [], prefix = "" } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-test-"));
  const file = path.join(folder, "result.json");
  try {
    const args = ["--import", "tsx", path.join(modules, "mocha/bin/mocha.js")];
    const code = await show(node24, [...within, ...args, "--reporter", "scripts/reporter.cjs", ...patterns], {
      cwd: root,
      env: { ...env, ...variables, MOCHA_RESULT: file },
      prefix,
    });
    const early = failure(`mocha ended with ${code}`);
    if (!existsSync(file)) return early;
    const result = JSON.parse(readFileSync(file, "utf8"));
    return code !== 0 && result.failures === 0 ? sum([result, early]) : result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
