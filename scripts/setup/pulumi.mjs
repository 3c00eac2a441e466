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
import path from "node:path";
import { buildToolchain, offlineBin } from "../../offline/toolchain.mjs";
import { say, track } from "../lib/log.mjs";
import { cache, launcher, root, toolchain } from "../lib/paths.mjs";
import { capture, findOnPath, isExecutable } from "../lib/run.mjs";

const version = "3.259.0";
const officialBin = path.join(cache, `official-v${version}/bin`);
const home = path.join(cache, "pulumi-home");

/** Finds or gets a Pulumi CLI with what it needs, and links it into .state/toolchain, where `npx pulumi` finds it. */
export async function ensurePulumi() {
  if (isStillThere()) return;
  await track("Pulumi", async (status) => {
    status("looking for the official CLI and plugins");
    const own = ownPulumi();
    if (own && (await isRecent(own)) && (await installPlugins(own, process.env))) {
      return useToolchain("own", path.dirname(own));
    }
    const env = { ...process.env, PULUMI_HOME: home };
    if ((await download(status)) && (await installPlugins(path.join(officialBin, "pulumi"), env))) {
      return useToolchain("official", officialBin);
    }
    say(
      "Pulumi's downloads are not reached: CLI and language host are built from Go modules, and stand-in plugins are used (offline/README.md).",
    );
    await buildToolchain(status);
    useToolchain("offline", offlineBin);
  });
}

/** The choice of an earlier run holds as long as it fits this version of the checkout. */
function isStillThere() {
  const link = path.join(toolchain, "bin");
  return (
    isExecutable(path.join(link, "pulumi")) &&
    [officialBin, offlineBin].includes(readlinkSync(link)) &&
    existsSync(path.join(toolchain, "kind"))
  );
}

function ownPulumi() {
  const notOurs = (file) => realpathSync(file) !== launcher;
  const found = findOnPath("pulumi", notOurs);
  return found && realpathSync(found);
}

async function isRecent(pulumi) {
  const { stdout } = await capture(pulumi, ["version"], {
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  return stdout.replace(/^v/, "").localeCompare(version, "en", { numeric: true }) >= 0;
}

/** The documented way: the install script of get.pulumi.com, into the cache. */
async function download(status) {
  if (isExecutable(path.join(officialBin, "pulumi"))) return true;
  try {
    const response = await fetch("https://get.pulumi.com/", { signal: AbortSignal.timeout(5000) });
    if (!response.ok) return false;
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
    return ok;
  } catch {
    return false; // not reached, or another run was quicker; the offline toolchain can always be built
  }
}

async function installPlugins(pulumi, env) {
  const { dependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  for (const name of ["docker", "command"]) {
    const args = ["plugin", "install", "resource", name, dependencies[`@pulumi/${name}`]];
    const { ok } = await capture(pulumi, args, {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: 600_000,
    });
    if (!ok) return false;
  }
  return true;
}

function useToolchain(kind, bin) {
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
