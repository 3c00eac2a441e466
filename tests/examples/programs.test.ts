import assert from "node:assert/strict";
import { useExampleApp } from "../support/demo";
import { ExampleStack, type Options } from "../support/example";
import { losesNothing } from "../support/load";
import { use, type Config } from "../support/stack";

interface Example {
  name: string;
  /** How its configuration says images. */
  images: (blue: string, green: string) => Config;
  options?: Options;
}

const EXAMPLES: Example[] = [
  { name: "single", images: (blue, green) => ({ blue: { image: blue }, green: { image: green } }) },
  { name: "javascript", images: (blue, green) => ({ blue: { image: blue }, green: { image: green } }) },
  {
    name: "yaml",
    images: (blueImage, greenImage) => ({ blueImage, greenImage }),
    options: { ports: (port, previewPort) => ({ port, previewPort }) },
  },
];

for (const { name, images, options } of EXAMPLES)
  describe(`examples/${name}`, () => {
    const [blue, green] = [useExampleApp("1.0.0"), useExampleApp("1.1.0")];
    const stack = use(new ExampleStack(name, images(blue, green), options));

    it("up: the first release", async () => {
      await stack.up();
      assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
      const { url, previewUrl } = await stack.outputs();
      assert.equal(url, `http://localhost:${stack.port}`);
      assert.equal(previewUrl, stack.previewUrl);
    });

    it("a second up changes nothing", () => stack.up("--expect-no-changes"));

    it("a flip loses no request", async () => {
      await stack.set({ activeColor: "green" });
      await losesNothing(stack.port, () => stack.up(), { requests: [{ method: "GET", path: "/" }] });
      assert.deepEqual(await stack.serving(), { live: "green 1.1.0", idle: "blue 1.0.0" });
    });

    it("destroy leaves nothing", async () => {
      await stack.destroy();
      assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
    });
  });
