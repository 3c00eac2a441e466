import { existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import path from "node:path";
import { Failure, say, track } from "../lib/log.mjs";
import { cache } from "../lib/paths.mjs";
import { findOnPath, must } from "../lib/run.mjs";

export function canInstall() {
  return process.getuid?.() === 0 && findOnPath("apt-get") !== undefined;
}

// One apt-get at a time: two would wait for, or fail on, each other's lock.
let queue = Promise.resolve();

export function aptInstall(packages) {
  queue = queue.then(() => install(packages));
  return queue;
}

/** The folder, in the cache, with the files of a package for tests that is not to be installed. */
export async function aptUnpack(name) {
  const folder = path.join(cache, "apt", name);
  // Who waited may find it there.
  await (queue = queue.then(() => existsSync(folder) || unpack(name, folder)));
  return folder;
}

async function install(packages) {
  say(`Installing Debian packages: ${packages.join(" ")}`);
  await aptGet("install", ["-y", "--no-install-recommends", ...packages]);
}

async function unpack(name, folder) {
  if (!canInstall())
    throw new Failure(
      `The tests need ${name}: put it on PATH and run this again (on Debian or Ubuntu, as root, that is done for you).`,
    );
  say(`Unpacking the Debian package ${name}`);
  mkdirSync(path.dirname(folder), { recursive: true });
  // Under another name first, so that a run cut short leaves no half of it.
  const temporary = mkdtempSync(`${folder}.`);
  await aptGet("download", [name], temporary);
  await must("sh", ["-c", "dpkg-deb --extract ./*.deb . && rm ./*.deb"], { cwd: temporary });
  renameSync(temporary, folder);
}

async function aptGet(command, args, cwd) {
  const options = { cwd, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await track("apt-get", async (status) => {
    status("update");
    await must("apt-get", [...wait, "update", "-q"], options);
    status(command);
    await must("apt-get", [...wait, command, "-q", ...args], options);
  });
}
