import path from "node:path";
import { root } from "./paths.mjs";
import { capture, must } from "./run.mjs";

/** Two versions of the demo app, so that there is something to release. */
export const versions = ["1.0.0", "1.1.0"];

export function image(version) {
  return `bluegreen-demo:${version}`;
}

export async function build() {
  // buildx may be missing (Debian's docker.io has none); the classic builder is in every engine.
  const buildx = await capture("docker", ["buildx", "version"]);
  const env = buildx.ok ? process.env : { ...process.env, DOCKER_BUILDKIT: "0" };
  for (const version of versions) {
    const args = ["build", "--quiet", "--build-arg", `VERSION=${version}`, "--tag", image(version), "."];
    await must("docker", args, { cwd: path.join(root, "demo-app"), env });
  }
}
