import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { buildToolchain, offlineBin } from "../../offline/toolchain.mjs";
import { say, track } from "../lib/log.mjs";
import { cache, launcher, root, toolchain } from "../lib/paths.mjs";
import { capture, findOnPath, isExecutable } from "../lib/run.mjs";

const version = "3.274.1";
export const officialBin = path.join(cache, `official-v${version}/bin`);
const { dependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
/** With the versions of their SDKs. */
const plugins = ["docker", "command"].map((name) => ({ name, version: dependencies[`@pulumi/${name}`] }));

/** Where a CLI of the user's keeps its plugins, and where one of the cache does. By the account, since the CLI doesn't ask HOME. */
const ownHome = process.env.PULUMI_HOME || path.join(userInfo().homedir, ".pulumi");
const cachedHome = process.env.PULUMI_HOME || path.join(cache, "pulumi-home");

/**
 * Finds or gets a Pulumi CLI and its plugins, and links them into .state/toolchain, where `npx pulumi` finds them. The CLI
 * and the plugins are chosen each by itself: what is official wins, wherever it can be had.
 */
export async function ensurePulumi() {
  const own = await ownBin();
  if (isStillRight(own)) return;
  await track("Pulumi", async (status) => {
    status("looking for the official CLI and plugins");
    const bin = own ?? (await downloadedBin(status)) ?? (await builtBin(status));
    const { home, why } = await officialPlugins(bin);
    if (home !== undefined) return useToolchain({ kind: kindOf(bin), bin, home });
    say(`The official plugins can't be had (${why}): stand-in plugins are used (offline/README.md).`);
    useToolchain({ kind: "offline", bin, home: homeOf(bin) });
  });
}

/** Whose the CLI is. */
function kindOf(bin) {
  return { [officialBin]: "official", [offlineBin]: "built" }[bin] ?? "own";
}

function homeOf(bin) {
  return kindOf(bin) === "own" ? ownHome : cachedHome;
}

/**
 * The choice of an earlier run holds as long as it fits this version of the checkout, and nothing better has come to this
 * machine meanwhile. What would have to be downloaded is not asked for again.
 */
function isStillRight(own) {
  const [bin, home] = ["bin", "home"].map((name) => linked(path.join(toolchain, name)));
  if (bin === undefined || home === undefined || !isExecutable(path.join(bin, "pulumi"))) return false;
  if (bin !== own && bin !== officialBin && !(bin === offlineBin && own === undefined)) return false;
  const kind = kindNow();
  return kind === "offline" ? !hasPlugins(ownHome) : kind === kindOf(bin) && hasPlugins(home);
}

function kindNow() {
  const file = path.join(toolchain, "kind");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

function linked(name) {
  return existsSync(name) ? readlinkSync(name) : undefined;
}

// --- the CLI

/** The folder of a CLI on PATH that is recent, and has the language host beside it that it came with. */
async function ownBin() {
  const found = findOnPath("pulumi", (file) => realpathSync(file) !== launcher);
  if (found === undefined) return undefined;
  const bin = path.dirname(realpathSync(found));
  if (!isExecutable(path.join(bin, "pulumi-language-nodejs"))) return undefined;
  return (await isRecent(path.join(bin, "pulumi"))) ? bin : undefined;
}

async function isRecent(pulumi) {
  const { stdout } = await capture(pulumi, ["version"], {
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  return stdout.replace(/^v/, "").localeCompare(version, "en", { numeric: true }) >= 0;
}

/** The documented way: the install script of get.pulumi.com, into the cache. */
async function downloadedBin(status) {
  if (isExecutable(path.join(officialBin, "pulumi"))) return officialBin;
  try {
    const response = await fetch("https://get.pulumi.com/", { signal: AbortSignal.timeout(5000) });
    if (!response.ok) return undefined;
    const work = `${officialBin}.${process.pid}`;
    mkdirSync(work, { recursive: true });
    const script = path.join(work, "install.sh");
    writeFileSync(script, await response.text());
    status(`downloading Pulumi ${version}`);
    const { ok } = await capture("sh", [
      script,
      "--version",
      version,
      "--install-root",
      work,
      "--no-edit-path",
    ]);
    if (ok) renameSync(path.join(work, "bin"), officialBin);
    rmSync(work, { recursive: true });
    return ok ? officialBin : undefined;
  } catch {
    return undefined; // not reached, or another run was quicker; the CLI can always be built
  }
}

async function builtBin(status) {
  say(
    "Pulumi's download is not reached: CLI and language host are built from Go modules (offline/README.md).",
  );
  await buildToolchain(status);
  return offlineBin;
}

// --- its plugins

/** The home that has the official plugins, or why none has. */
async function officialPlugins(bin) {
  if (hasPlugins(ownHome)) return { home: ownHome };
  const home = homeOf(bin);
  for (const { name, version } of plugins) {
    const why = await install(path.join(bin, "pulumi"), home, name, version);
    if (why !== undefined) return { why };
  }
  return { home };
}

function hasPlugins(home) {
  return plugins.every(({ name, version }) => {
    const folder = path.join(home, `plugins/resource-${name}-v${version}`);
    // The mark of an installation that did not come to its end.
    return isExecutable(path.join(folder, `pulumi-resource-${name}`)) && !existsSync(`${folder}.partial`);
  });
}

/** Undefined when it is there; else what the CLI said. */
async function install(pulumi, home, name, version) {
  const { ok, stderr } = await capture(pulumi, ["plugin", "install", "resource", name, version], {
    cwd: root,
    env: { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
    // Where the network swallows all, the CLI itself tries for minutes.
    timeout: 600_000,
  });
  if (ok) return undefined;
  // Of several tries the CLI tells the reason of each, and at the end only their number.
  const tries = [...stderr.matchAll(/Error downloading plugin: (.*)/g)].map(([, reason]) => reason);
  return (
    tries.at(-1) ??
    (stderr
      .trim()
      .split("\n")
      .at(-1)
      .replace(/^error: /, "") ||
      "no answer")
  );
}

function useToolchain({ kind, bin, home }) {
  mkdirSync(toolchain, { recursive: true });
  mkdirSync(home, { recursive: true });
  link(bin, "bin");
  link(home, "home");
  writeFileSync(path.join(toolchain, "kind"), `${kind}\n`);
}

/** By rename, so that a `pulumi` that runs meanwhile finds either the old or the new one. */
function link(target, name) {
  const temporary = path.join(toolchain, `${name}.${process.pid}`);
  symlinkSync(target, temporary);
  renameSync(temporary, path.join(toolchain, name));
}
