import { docker, inspect } from "./docker";
import { canHaveOwnDocker, OwnDocker } from "./own-docker";

/** Ends the main process of a container as a crash does. `docker kill` would not: Docker takes it for a stop by hand. */
export async function crash(container: string): Promise<void> {
  const { Pid } = (await inspect(container)).State;
  const kill = ["sh", "-c", `kill -9 ${Pid}`];
  await docker("run", "--rm", "--pid", "host", "nginx:1.30.6", ...kill);
}

/** A `describe` whose tests, hooks and stacks have a Docker engine of their own, with these images, that can be killed. */
export function describeOnOwnDocker<Images extends string[]>(
  title: string,
  useImages: () => Images,
  tests: (engine: OwnDocker, images: Images) => void,
): void {
  const describeIt = canHaveOwnDocker ? describe : describe.skip;
  describeIt(`${title}, on a Docker engine of its own (needs root on Linux)`, () => {
    const images = useImages();
    const engine = new OwnDocker();
    const usual = process.env.DOCKER_HOST;
    before("an engine that can be killed", async () => {
      await engine.create(["nginx:1.30.6", "redis:8.0.6", ...images]);
      process.env.DOCKER_HOST = engine.address;
    });
    after(async () => {
      if (usual === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = usual;
      await engine.remove();
    });
    // One of its own, so that its stack is gone before the engine is.
    describe("", () => tests(engine, images));
  });
}
