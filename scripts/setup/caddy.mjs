import path from "node:path";
import { findOnPath } from "../lib/run.mjs";
import { aptUnpack } from "./apt.mjs";

/** A folder with Caddy, which an example has in front: the one on PATH, else Debian's. Installed, that one would begin to serve port 80. */
export async function caddyFolder() {
  const own = findOnPath("caddy");
  return own === undefined ? path.join(await aptUnpack("caddy"), "usr/bin") : path.dirname(own);
}
