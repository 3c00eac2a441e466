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

/** The engines that tests/engine/rootfs.sh can make. */
const titles = {
  docker: "Docker engine of today",
  podman: "Podman of Debian 13",
  podman4: "Podman of Debian 12",
};

/** The root file system of an engine. The first time it takes a minute. */
export async function ensureEngine(kind) {
  const title = titles[kind];
  if (title === undefined)
    throw new Failure(`Unknown engine: ${kind}. It is one of ${Object.keys(titles).join(", ")}.`);
  const missing = Object.keys(packages).filter((tool) => !findOnPath(tool));
  if (missing.length > 0) {
    if (!canInstall())
      throw new Failure(
        `${title}, beside this machine's engine, needs ${missing.join(", ")}: install them and run this again.`,
      );
    await aptInstall(missing.flatMap((tool) => packages[tool]));
  }
  return track(title, async (status) => {
    const { ok, stdout, stderr } = await capture(path.join(root, "tests/engine/rootfs.sh"), [cache, kind], {
      onLine: (line) => line.startsWith("==> ") && status(line.slice(4)),
    });
    if (!ok)
      throw new Failure(`Making the root file system of an engine (${title}) failed.\n${stderr.trim()}`);
    return stdout.trim().split("\n").at(-1);
  });
}
