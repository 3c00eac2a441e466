import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { track } from "../lib/log.mjs";
import { cache, root } from "../lib/paths.mjs";
import { must } from "../lib/run.mjs";

/**
 * Gives a copy of a package of this checkout, with its dependencies, to work with outside of the checkout. Pulumi asks for
 * the plugin of every package that it finds in any node_modules below a project's folder: `npm ci` in hosts/ec2 would make each command of
 * this checkout get the AWS plugin.
 */
export async function inCopyOutside(folder, work) {
  const copy = mkdtempSync(path.join(tmpdir(), "bluegreen-apart-"));
  try {
    const files = (await must("git", ["ls-files", "-z"], { cwd: path.join(root, folder) })).split("\0");
    for (const file of files.filter(Boolean)) cpSync(path.join(root, folder, file), path.join(copy, file));
    symlinkSync(await installed(copy), path.join(copy, "node_modules"));
    return await work(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The dependencies of a package, in the cache: one folder for each lock file. */
async function installed(folder) {
  const lock = readFileSync(path.join(folder, "package-lock.json"));
  const { name } = JSON.parse(lock);
  const target = path.join(
    cache,
    `npm-${name}-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`,
  );
  if (!existsSync(target)) {
    // Under another name first, so that a run cut short leaves no half of it.
    const temporary = `${target}.${process.pid}`;
    mkdirSync(temporary, { recursive: true });
    for (const file of ["package.json", "package-lock.json"])
      cpSync(path.join(folder, file), path.join(temporary, file));
    await track(`npm ci of ${name}`, () =>
      must("npm", ["ci", "--no-audit", "--no-fund"], { cwd: temporary }),
    );
    if (existsSync(target)) rmSync(temporary, { recursive: true });
    else renameSync(temporary, target);
  }
  return path.join(target, "node_modules");
}
