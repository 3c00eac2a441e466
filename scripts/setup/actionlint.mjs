import { mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { Failure, track } from "../lib/log.mjs";
import { cache, root } from "../lib/paths.mjs";
import { capture, findOnPath, isExecutable } from "../lib/run.mjs";

const version = "1.7.12";

/** The checker of GitHub workflows: the one on PATH, else one built from its Go module, in 10 seconds. */
export async function actionlint() {
  const built = path.join(cache, `actionlint-${version}`);
  if (isExecutable(built)) return built;
  const own = findOnPath("actionlint");
  if (own) return own;
  mkdirSync(cache, { recursive: true });
  const temporary = `${built}.${process.pid}`;
  const args = ["build", "-trimpath", `-o=${temporary}`, "github.com/rhysd/actionlint/cmd/actionlint"];
  const { ok, stderr } = await track("go build of actionlint", () =>
    capture("go", args, {
      cwd: path.join(root, "scripts/setup/actionlint"),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
    }),
  );
  if (!ok)
    throw new Failure(
      `The tests need actionlint ${version}. Install it, or Go, with which it is built.\n${stderr.trim()}`,
    );
  renameSync(temporary, built);
  return built;
}
