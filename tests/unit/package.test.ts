import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

interface Package {
  name: string;
  main: string;
  dependencies: { [name: string]: string };
}
const read = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Package;

describe("the component's own package", () => {
  const own = read("components/package.json");

  it("has the versions that the checkout has, with which all is tested", () => {
    const { dependencies } = read("package.json");
    for (const [name, version] of Object.entries(own.dependencies))
      assert.equal(version, dependencies[name], name);
  });

  it("has all that its files import", () => {
    for (const file of globSync("components/**/*.ts", {
      exclude: ["components/node_modules/**", "components/dist/**"],
    })) {
      const imports = readFileSync(file, "utf8").matchAll(/from "((?:@[^/"]+\/)?[^./"][^/"]*)/g);
      for (const [, name] of imports)
        // A program that is written for somebody imports the package itself.
        assert.ok(
          name.startsWith("node:") || name === own.name || name in own.dependencies,
          `${file} imports ${name}`,
        );
    }
  });

  it("is the plugin's root, since `pulumi plugin install` fails where a program is too", () => {
    // Compiled, since nothing compiles TypeScript below node_modules; Pulumi's analyzer reads the source of the same name.
    assert.equal(own.main, "./dist/index.js");
    assert.ok(existsSync("components/index.ts"));
    const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      encoding: "utf8",
    });
    const plugins = files.split("\n").filter((file) => path.basename(file) === "PulumiPlugin.yaml");
    assert.deepEqual(plugins, ["components/PulumiPlugin.yaml"]);
  });
});
