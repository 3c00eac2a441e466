import { Failure } from "../lib/log.mjs";
import { findOnPath } from "../lib/run.mjs";
import { aptInstall, canInstall } from "./apt.mjs";

const packages = {
  shellcheck: "shellcheck",
  shfmt: "shfmt",
  wrk: "wrk",
  ab: "apache2-utils",
  // With libfaketime.
  faketime: "faketime",
  // The stand-in plugins are tested with a tiny image.
  busybox: "busybox-static",
  // Hosts behind SSH are tested with a real server on loopback; the client comes with it.
  sshd: "openssh-server",
  "docker-registry": "docker-registry",
};

/** The tools of the tests that come from the system and not from npm: with Debian's packages that they are in. */
export async function ensureTestTools(wanted = packages) {
  const missing = Object.keys(wanted).filter((tool) => !findOnPath(tool));
  if (missing.length === 0) return;
  if (!canInstall())
    throw new Failure(
      `The tests need ${missing.join(", ")}: install ${missing.length > 1 ? "them" : "it"} and run this again (on Debian or Ubuntu, as root, that is done for you).`,
    );
  await aptInstall(missing.flatMap((tool) => wanted[tool].split(" ")));
}
