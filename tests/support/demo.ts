import { randomBytes } from "node:crypto";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { docker, dockerLines } from "./docker";

const ROOT = path.resolve(__dirname, "../..");
// Names of our own: those that `npm start` makes are `npm run down`'s to remove, also in the middle of a test.
const REPOSITORIES = {
  "demo-app": `bluegreen-test-demo-${randomBytes(4).toString("hex")}`,
  "examples/own-repository": `bluegreen-test-shop-${randomBytes(4).toString("hex")}`,
  "examples/from-compose": `bluegreen-test-compose-${randomBytes(4).toString("hex")}`,
  "tests/services/spring": `bluegreen-test-spring-${randomBytes(4).toString("hex")}`,
  "tests/services/django": `bluegreen-test-django-${randomBytes(4).toString("hex")}`,
  "tests/services/vite": `bluegreen-test-vite-${randomBytes(4).toString("hex")}`,
};

/** An image of the demo app that says it is this version. Only the first takes more than a second. */
export const useDemo = (version: string) => useApp("demo-app", version);

/** The same of the tiny app that the examples have. */
export const useExampleApp = (version: string) => useApp("examples/own-repository", version);

/** The app that Docker Compose ran, which needs a Redis and a volume. */
export const useComposeApp = (version: string) => useApp("examples/from-compose", version);

/** A real service, from its own build. */
export const useService = (service: "spring" | "django" | "vite", version: string) =>
  useApp(`tests/services/${service}`, version, () => buildService(service));

function useApp(
  app: keyof typeof REPOSITORIES,
  version: string,
  context: () => string | Promise<string> = () => path.join(ROOT, app),
): string {
  const tag = `${REPOSITORIES[app]}:${version}`;
  before(async () => {
    const args = ["--quiet", "--build-arg", `VERSION=${version}`, "--tag", tag];
    await docker("build", ...args, await context());
  });
  return tag;
}

/** As the set-up does it, which has it in the cache. */
async function buildService(service: string): Promise<string> {
  const module = pathToFileURL(path.join(ROOT, "scripts/setup/services.mjs")).href;
  const setUp = (await import(module)) as { buildService: (service: string) => Promise<string> };
  return setUp.buildService(service);
}

// At the very end, when no stack has a container of them left.
after(async () => {
  for (const repository of Object.values(REPOSITORIES)) {
    const made = await dockerLines("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository);
    if (made.length > 0) await docker("image", "rm", ...made);
  }
});
