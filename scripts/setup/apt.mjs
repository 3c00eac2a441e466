import { say, track } from "../lib/log.mjs";
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

async function install(packages) {
  say(`Installing Debian packages: ${packages.join(" ")}`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await track("apt-get", async (status) => {
    status("update");
    await must("apt-get", [...wait, "update", "-q"], options);
    status("install");
    await must("apt-get", [...wait, "install", "-qy", "--no-install-recommends", ...packages], options);
  });
}
