import { mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { Failure, track } from "../lib/log.mjs";
import { cache, root } from "../lib/paths.mjs";
import { capture, isExecutable } from "../lib/run.mjs";

/**
 * A tool that only tests need, built from its Go module into the cache. `folder`: where the go.mod is that pins it, beside this
 * file; `source`: its package; `instead`: what somebody without Go may install.
 */
export async function goTool({ folder, version, source, flags = [], instead }) {
  const built = path.join(cache, "go-tools", `${folder}-${version}`, path.basename(source));
  if (isExecutable(built)) return built;
  mkdirSync(path.dirname(built), { recursive: true });
  // Under another name first, so that a run cut short leaves no half of it.
  const temporary = `${built}.${process.pid}`;
  const { ok, stderr } = await track(`go build of ${folder}`, () =>
    capture("go", ["build", "-trimpath", ...flags, `-o=${temporary}`, source], {
      cwd: path.join(root, "scripts/setup", folder),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
    }),
  );
  if (!ok)
    throw new Failure(
      `The tests need ${instead}. Install it, or Go, with which it is built.\n${stderr.trim()}`,
    );
  renameSync(temporary, built);
  return built;
}
