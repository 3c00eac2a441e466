import { randomBytes } from "node:crypto";
import path from "node:path";
import { docker, dockerLines } from "./docker";

const ROOT = path.resolve(__dirname, "../..");
// Names of our own: those that `npm start` makes are `npm run down`'s to remove, also in the middle of a test.
const REPOSITORIES = {
  "demo-app": `bluegreen-test-demo-${randomBytes(4).toString("hex")}`,
  "examples/own-repository": `bluegreen-test-shop-${randomBytes(4).toString("hex")}`,
  "examples/from-compose": `bluegreen-test-compose-${randomBytes(4).toString("hex")}`,
};

/** An image of the demo app that says it is this version. Only the first takes more than a second. */
export const useDemo = (version: string) => useApp("demo-app", version);

/** The same of the tiny app that the examples have. */
export const useExampleApp = (version: string) => useApp("examples/own-repository", version);

/** The app that Docker Compose ran, which needs a Redis and a volume. */
export const useComposeApp = (version: string) => useApp("examples/from-compose", version);

function useApp(app: keyof typeof REPOSITORIES, version: string): string {
  const tag = `${REPOSITORIES[app]}:${version}`;
  const context = path.join(ROOT, app);
  before(() => docker("build", "--quiet", "--build-arg", `VERSION=${version}`, "--tag", tag, context));
  return tag;
}

// At the very end, when no stack has a container of them left.
after(async () => {
  for (const repository of Object.values(REPOSITORIES)) {
    const made = await dockerLines("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository);
    if (made.length > 0) await docker("image", "rm", ...made);
  }
});
