import path from "node:path";
import { Failure, track } from "../lib/log.mjs";
import { cache, root } from "../lib/paths.mjs";
import { capture, findOnPath } from "../lib/run.mjs";
import { aptInstall, canInstall } from "./apt.mjs";

const packages = {
  debootstrap: ["debootstrap", "debian-archive-keyring"],
  ip: ["iproute2"],
  nsenter: ["util-linux"],
};

/** Namespaces and debootstrap need root on Linux. */
export const canHaveEngine = process.platform === "linux" && process.getuid?.() === 0;

/** The root file system of a Docker engine of today. The first time it takes a minute. */
export async function ensureEngine() {
  const missing = Object.keys(packages).filter((tool) => !findOnPath(tool));
  if (missing.length > 0) {
    if (!canInstall())
      throw new Failure(
        `A Docker engine of today needs ${missing.join(", ")}: install them and run this again.`,
      );
    await aptInstall(missing.flatMap((tool) => packages[tool]));
  }
  return track("Docker engine of today", async (status) => {
    const { ok, stdout, stderr } = await capture(path.join(root, "tests/engine/rootfs.sh"), [cache], {
      onLine: (line) => line.startsWith("==> ") && status(line.slice(4)),
    });
    if (!ok) throw new Failure(`Making the root file system of a Docker engine failed.\n${stderr.trim()}`);
    return stdout.trim().split("\n").at(-1);
  });
}
