import { statSync } from "node:fs";
import path from "node:path";
import { track } from "../lib/log.mjs";
import { must } from "../lib/run.mjs";
import { root } from "../lib/paths.mjs";

/** npm ci in both packages of the checkout, where what is installed is missing or older than the lock file. */
export async function installPackages() {
  await install(root, []);
  await install(path.join(root, "demo-app"), ["--omit=dev"]);
}

async function install(folder, args) {
  const lock = modified(path.join(folder, "package-lock.json"));
  // npm writes this file at the end of an install.
  if (modified(path.join(folder, "node_modules/.package-lock.json")) >= lock) return;
  await track(`npm ci in ${path.relative(root, folder) || "the checkout"}`, () =>
    must("npm", ["ci", "--no-audit", "--no-fund", ...args], { cwd: folder }),
  );
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;
}
