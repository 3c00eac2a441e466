// npm run bench: checks what it needs, sets the checkout up, and runs run.ts. See docs/benchmarks.md.
import path from "node:path";
import { Failure, main } from "../scripts/lib/log.mjs";
import { readOptions } from "../scripts/lib/options.mjs";
import { modules, node24, root } from "../scripts/lib/paths.mjs";
import { findOnPath, isExecutable, show } from "../scripts/lib/run.mjs";
import { setUp } from "../scripts/setup.mjs";

/** Proxies that take part when they are installed or named by a flag. */
const peers = ["kamal-proxy", "haproxy", "caddy", "traefik"];

/** Tools, and the package that has each. */
const packages = {
  wrk: "wrk",
  nsenter: "util-linux",
  taskset: "util-linux",
  h2load: "nghttp2-client",
  openssl: "openssl",
};

const usage = `npm run bench -- [--quick] [--only=services] [--rounds=3] [--flips=20] ${peers.map((name) => `[--${name}=BINARY]`).join(" ")}`;

await main(async () => {
  const chosen = options();
  refuseWithoutTools(chosen.only === "services" ? ["openssl"] : Object.keys(packages));
  await setUp();
  // Ctrl-C reaches run.ts as well: it removes what it made, and this process waits for that.
  process.on("SIGINT", () => {});
  process.exitCode = await show(
    node24,
    ["--import", "tsx", path.join(root, "bench/run.ts"), JSON.stringify(chosen)],
    {
      cwd: root,
      env: { ...process.env, PATH: `${path.join(modules, ".bin")}${path.delimiter}${process.env.PATH}` },
    },
  );
});

function options() {
  const text = { type: "string" };
  const values = readOptions(
    {
      quick: { type: "boolean", default: false },
      rounds: text,
      flips: text,
      only: text,
      ...Object.fromEntries(peers.map((name) => [name, text])),
    },
    usage,
  );
  if (!["services", undefined].includes(values.only))
    throw new Failure(`--only=${values.only}: can only be services.\nUsage: ${usage}`);
  return {
    quick: values.quick,
    only: values.only,
    rounds: count("rounds", values.rounds, values.quick ? 1 : 3, 20),
    flips: count("flips", values.flips, values.quick ? 3 : 20, 100),
    binaries: Object.fromEntries(peers.map((name) => [name, binary(name, values[name])])),
  };
}

function count(name, value, otherwise, most) {
  const number = Number(value ?? otherwise);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Failure(`--${name}=${value}: must be a whole number from 1 to ${most}.\nUsage: ${usage}`);
}

function binary(name, given) {
  if (given === undefined) return findOnPath(name);
  if (!isExecutable(given)) throw new Failure(`--${name}=${given}: is no executable file.`);
  return path.resolve(given);
}

function refuseWithoutTools(tools) {
  if (process.platform !== "linux" || process.getuid() !== 0)
    throw new Failure(
      "The benchmark needs Linux and root: the load is made inside the network of each proxy's container, so that Docker's own port forwarding is not what is measured.",
    );
  const missing = tools.filter((tool) => !findOnPath(tool));
  if (missing.length > 0)
    throw new Failure(
      `The benchmark needs ${missing.join(" and ")}. On Debian or Ubuntu: apt-get install ${missing.map((tool) => packages[tool]).join(" ")}`,
    );
}
