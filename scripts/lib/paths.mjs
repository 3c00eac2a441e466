import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const modules = path.join(root, "node_modules");
export const node24 = path.join(modules, "node/bin/node");
export const launcher = path.join(root, "scripts/launcher/pulumi");
export const bluegreen = path.join(root, "scripts/launcher/bluegreen");

/** What belongs to this checkout and is never committed: the file backend and links to the toolchain in use. */
export const state = path.join(root, ".state");
/** While this folder exists, `npx pulumi` keeps its stacks in it. */
export const backend = path.join(state, "pulumi");
export const toolchain = path.join(state, "toolchain");

/** What took long to get and serves every checkout of this user. */
export const cache =
  process.env.BLUEGREEN_CACHE ||
  path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "bluegreen");
