import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure, say, track } from "../lib/log.mjs";
import { cache, node24, root } from "../lib/paths.mjs";
import { capture, findOnPath } from "../lib/run.mjs";
import { aptInstall, canInstall } from "./apt.mjs";

const tagsIn = (folder) => JSON.parse(readFileSync(path.join(root, "offline", folder, "tags.json"), "utf8"));
const needed = tagsIn("images");
export const tags = Object.values(needed);

/** The images that only the tests of ACME need: pulled, or made from Go modules. */
export async function ensureAcmeImages() {
  await track("images for ACME", async (status) => {
    const missing = await findMissing(Object.values(tagsIn("acme")), status);
    if (missing.length === 0) return;
    say(`${missing.join(", ")}: made from Go modules (offline/README.md).`);
    await build("acme", [cache, needed.nginx], status);
  });
}

/** The images that only real services are made from: pulled, or made from Debian packages. */
export async function ensureRuntimeImages() {
  await track("images of Java and Python", async (status) => {
    const missing = await findMissing(Object.values(tagsIn("runtimes")), status);
    if (missing.length === 0) return;
    say(`${missing.join(", ")}: made from Debian packages (offline/README.md).`);
    await ensureDebootstrap();
    await build("runtimes", [cache], status);
  });
}

/** The images the stack needs: pulled, or made from Debian packages where no registry of images answers. */
export async function ensureImages(packagesInstalled) {
  await track("images", async (status) => {
    const missing = await findMissing(tags, status);
    if (missing.length > 0) await makeOffline(missing, packagesInstalled, status);
  });
}

/** Those that neither are there nor can be pulled. */
async function findMissing(wanted, status) {
  const missing = [];
  for (const tag of wanted) {
    const here = await capture("docker", ["image", "inspect", tag]);
    if (!here.ok && !(await pull(tag, status))) missing.push(tag);
  }
  return missing;
}

/** True if it was pulled. A registry that has not begun to answer after 10 s is taken as out of reach. */
async function pull(tag, status) {
  status(`pulling ${tag}`);
  const silence = new AbortController();
  const giveUp = setTimeout(() => silence.abort(), 10_000);
  const { ok } = await capture("docker", ["pull", tag], {
    signal: silence.signal,
    onLine: (line) => line.includes("Pulling from") && clearTimeout(giveUp),
  });
  clearTimeout(giveUp);
  return ok;
}

async function makeOffline(missing, packagesInstalled, status) {
  say(
    `No registry of images answers: ${missing.join(", ")} are made from Debian packages (offline/README.md).`,
  );
  await ensureDebootstrap();
  await build("images", [cache], status);
  status("waiting for npm ci, which brings Node.js");
  await packagesInstalled;
  await build("images", [cache, node24], status);
}

async function ensureDebootstrap() {
  if (findOnPath("debootstrap")) return;
  if (!canInstall())
    throw new Failure(
      `Making images needs root on Debian or Ubuntu (debootstrap). Or bring them: docker load, then run this again.`,
    );
  await aptInstall(["debootstrap", "debian-archive-keyring"]);
}

async function build(folder, args, status) {
  const { ok, stderr } = await capture(path.join(root, "offline", folder, "build.sh"), args, {
    onLine: (line) => line.startsWith("==> ") && status(line.slice(4)),
  });
  if (!ok) throw new Failure(`Making the images failed.\n${stderr.trim()}`);
}
