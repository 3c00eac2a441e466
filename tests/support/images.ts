import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker, dockerLines } from "./docker";

const REPOSITORY = `bluegreen-test-${randomBytes(4).toString("hex")}`;
const BASE = "node:24.21.0-slim";

/** What the fixture app does wrong, see fixture-app.js. */
export type Behaviour =
  "ok" | "never-up" | "wrong-status" | "redirects" | "nested-up" | "exits" | "slow-start";

/**
 * Images of the fixture app for the tests of a `describe`: a tag for each version. They
 * differ in their environment, so each is made in a second.
 */
export function useImages<Version extends string>(versions: { [V in Version]: Behaviour }): {
  [V in Version]: string;
} {
  const made = Object.keys(versions).map((version) => [version, nextTag()] as const);
  before(async () => {
    for (const [version, tag] of made) await build(tag, version, versions[version as Version]);
  });
  return Object.fromEntries(made) as { [V in Version]: string };
}

/** A second name for an image, which to Pulumi is another image. */
export function useTag(image: string): string {
  const tag = nextTag();
  before(() => docker("tag", image, tag));
  return tag;
}

let tags = 0;
const nextTag = () => `${REPOSITORY}:${++tags}`;

// At the very end, when no stack has a container of them left.
after(async () => {
  const made = await dockerLines("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY);
  if (made.length > 0) await docker("image", "rm", "--force", ...made);
});

async function build(tag: string, version: string, behaviour: Behaviour): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-image-"));
  try {
    writeFileSync(
      path.join(folder, "Dockerfile"),
      [
        `FROM ${BASE}`,
        "COPY fixture-app.js /fixture-app.js",
        `ENV VERSION=${version} BEHAVIOUR=${behaviour}`,
        'CMD ["node", "/fixture-app.js"]',
      ].join("\n"),
    );
    await docker("build", "--quiet", "--tag", tag, "--file", path.join(folder, "Dockerfile"), __dirname);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
