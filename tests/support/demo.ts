import { randomBytes } from "node:crypto";
import path from "node:path";
import { docker, dockerLines } from "./docker";

const APP = path.resolve(__dirname, "../../demo-app");
// Names of our own: those that `npm start` makes are `npm run down`'s to remove, also in the middle of a test.
const REPOSITORY = `bluegreen-test-demo-${randomBytes(4).toString("hex")}`;

/** An image of the demo app that says it is this version. Only the first takes more than a second. */
export function useDemo(version: string): string {
  const tag = `${REPOSITORY}:${version}`;
  before(() => docker("build", "--quiet", "--build-arg", `VERSION=${version}`, "--tag", tag, APP));
  return tag;
}

// At the very end, when no stack has a container of them left.
after(async () => {
  const made = await dockerLines("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY);
  if (made.length > 0) await docker("image", "rm", ...made);
});
