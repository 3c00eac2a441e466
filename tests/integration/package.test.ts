import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import manifest from "../../components/package.json";
import { useImages } from "../support/images";
import { npmInstall, packed } from "../support/package";
import { useStack } from "../support/stack";

const exec = promisify(execFile);

/** What Pulumi's own template for TypeScript has. */
const TEMPLATE = {
  compilerOptions: {
    strict: true,
    outDir: "bin",
    target: "es2020",
    module: "commonjs",
    moduleResolution: "node",
    sourceMap: true,
    experimentalDecorators: true,
    pretty: true,
    noFallthroughCasesInSwitch: true,
    noImplicitReturns: true,
    forceConsistentCasingInFileNames: true,
    ignoreDeprecations: "6.0",
  },
  files: ["index.ts"],
};

describe("the npm package, from an empty folder", function () {
  this.timeout(600_000);
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({});
  const write = (file: string, text: string) => writeFileSync(path.join(stack.folder, file), text);
  const program = (activeColor: string) => `
  activeColor: "${activeColor}",
  blue: { image: "${images.one}" },
  green: { image: "${images.two}" },
  containerPort: 3000,
  proxy: { port: ${stack.port}, previewPort: ${stack.previewPort} },
  drainSeconds: 2,
});`;

  before("npm init, npm install", async () => {
    for (const part of ["components", "node_modules", "index.ts", "package.json", "tsconfig.json"])
      rmSync(path.join(stack.folder, part), { recursive: true });
    write("Pulumi.yaml", `name: ${stack.project}\nruntime: nodejs\n`);
    rmSync(path.join(stack.folder, `Pulumi.${stack.name}.yaml`));
    await exec("npm", ["init", "--yes"], { cwd: stack.folder });
    await npmInstall(stack.folder, await packed());
  });

  it("JavaScript: ten lines, and up", async () => {
    write(
      "index.js",
      `const { BlueGreenService } = require("bluegreen");
const service = new BlueGreenService("service", {${program("blue")}
exports.url = service.url;
`,
    );
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.equal((await stack.outputs()).url, `http://localhost:${stack.port}`);
    await stack.expectNoChange();
  });

  it("TypeScript: the same without a tsconfig.json, and a flip", async () => {
    rmSync(path.join(stack.folder, "index.js"));
    write("package.json", JSON.stringify({ dependencies: { bluegreen: manifest.version } }));
    write(
      "index.ts",
      `import { BlueGreenService } from "bluegreen";
const service = new BlueGreenService("service", {${program("green")}
export const url = service.url;
`,
    );
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
  });

  it("npx bluegreen: its command line", async () => {
    const { stdout } = await exec("npx", ["bluegreen", "status"], { cwd: stack.folder, env: stack.env });
    assert.match(stdout, /^service \(.*\): in order$/m);
  });

  it("compiles under Pulumi's own TypeScript template", async () => {
    write("tsconfig.json", JSON.stringify(TEMPLATE));
    await exec(path.join(stack.folder, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: stack.folder }).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    );
  });

  it("a mistake is an error with its path, in JavaScript too", async () => {
    write(
      "index.ts",
      `import { BlueGreenService } from "bluegreen";
new BlueGreenService("service", { activeColor: "blue", blue: { image: "a:1" }, green: { image: "a:2" }, volumes: "data" as never, proxy: { prot: 80 } as never });
`,
    );
    const { output } = await stack.run("preview");
    assert.match(output, /volumes: is "data", but must be a list/);
    assert.match(output, /proxy\.prot: is no setting\. Did you mean port\?/);
  });
});
