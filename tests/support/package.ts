import { execFile } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { brotliDecompressSync, gzipSync } from "node:zlib";
import manifest from "../../components/package.json";

const exec = promisify(execFile);
const ROOT = path.resolve(__dirname, "../..");
const FILE = `bluegreen-${manifest.version}.tgz`;

const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-package-"));
after(() => rmSync(folder, { recursive: true }));

let packing: Promise<string> | undefined;
let installing: Promise<string> | undefined;

/** The npm package as a file, as `npm pack` makes it. Once for all tests of a run. */
export function packed(): Promise<string> {
  return (packing ??= pack());
}

/** In a copy: what runs beside this may pack too, or copy the component meanwhile. It stands where its packages are found. */
async function pack(): Promise<string> {
  mkdirSync(path.join(ROOT, ".state"), { recursive: true });
  const copy = mkdtempSync(path.join(ROOT, ".state/pack-"));
  try {
    cpSync(path.join(ROOT, "components"), copy, { recursive: true, filter: (file) => !/\/dist$/.test(file) });
    await exec("npm", ["pack", copy, "--pack-destination", folder]);
    return path.join(folder, FILE);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The package of an earlier version beside a package.json, as `npm pack` made it then. Gives the file's name. */
export function putFormerPackage(version: string, project: string): string {
  const packed = readFileSync(path.join(__dirname, `../fixtures/bluegreen-${version}.tar.br`));
  const file = `bluegreen-${version}.tgz`;
  writeFileSync(path.join(project, file), gzipSync(brotliDecompressSync(packed)));
  return file;
}

/** `npm install`, quietly, and with what npm has had before. */
export async function npmInstall(project: string, ...args: string[]): Promise<void> {
  await exec("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...args], { cwd: project });
}

/** Puts the package beside an example's package.json, with the lock file that `npm install` makes there. */
export async function putPackage(project: string): Promise<void> {
  const installed = await installedOnce(project);
  for (const file of [FILE, "package-lock.json"])
    copyFileSync(path.join(installed, file), path.join(project, file));
}

/** The same, and installed. The package.json of all examples are alike, so they share one installation. */
export async function putInstalledPackage(project: string): Promise<void> {
  await putPackage(project);
  symlinkSync(path.join(folder, "installed/node_modules"), path.join(project, "node_modules"));
}

function installedOnce(project: string): Promise<string> {
  return (installing ??= install(path.join(project, "package.json")));
}

async function install(manifest: string): Promise<string> {
  const installed = path.join(folder, "installed");
  cpSync(manifest, path.join(installed, "package.json"));
  copyFileSync(await packed(), path.join(installed, FILE));
  await npmInstall(installed);
  return installed;
}
