import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";

describe("the command line", () => {
  it("is not loaded by a program that uses the component, nor is what only it needs", () => {
    const root = path.resolve(__dirname, "../../..");
    const program = `require(${JSON.stringify(path.join(root, "components/index.ts"))}); console.log(Object.keys(require.cache).join("\\n"))`;
    const loaded = execFileSync(process.execPath, ["--import", "tsx", "--eval", program], {
      cwd: root,
      encoding: "utf8",
    });
    assert.match(loaded, /components\/blueGreenService\.ts/, "nothing was loaded at all");
    assert.doesNotMatch(loaded, /components\/cli\/|node_modules\/(commander|ajv|dclint|yaml)\//);
  });
});
