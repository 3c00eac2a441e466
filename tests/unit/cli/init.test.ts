import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { parse } from "yaml";
import { registerInit } from "../../../components/cli/commands/init";
import { nextSteps } from "../../../components/cli/init/next";
import { run } from "./cli";
import { argsOf } from "./stackFile";

const ROOT = path.resolve(__dirname, "../../..");
const FLAGS = [
  "--name",
  "shop",
  "--image",
  "registry.example.com/shop:1.4.2",
  "--container-port",
  "8000",
  "--health-path",
  "/up",
];

describe("bluegreen init", () => {
  const former = process.cwd();
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bluegreen-init-"));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(former);
    rmSync(folder, { recursive: true });
  });

  const read = (file: string) => readFileSync(path.join(folder, file), "utf8");
  const files = () => readdirSync(folder).sort();
  /** Without a terminal, or with one on which somebody types these lines. */
  const init = async (flags: string[], typed?: string) => {
    const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
    const output = new PassThrough();
    input.end(typed ?? "");
    const ran = await run((program) => registerInit(program, { input, output }), "init", ...flags);
    return { ...ran, asked: String((output.read() as Buffer | null) ?? "") };
  };

  it("by flags: a program in TypeScript whose settings are in the stack file", async () => {
    const { code, out, err } = await init(FLAGS);
    assert.equal(code, 0, err);
    assert.deepEqual(files(), ["Pulumi.dev.yaml", "Pulumi.yaml", "index.ts", "package.json"]);
    assert.deepEqual(argsOf({ code: 0, out: read("Pulumi.dev.yaml"), err: "" }), {
      activeColor: "blue",
      blue: { image: "registry.example.com/shop:1.4.2" },
      green: { image: "registry.example.com/shop:1.4.2" },
      containerPort: 8000,
      health: { path: "/up" },
      proxy: { port: 80, previewPort: 8081 },
    });
    const { name, runtime } = parse(read("Pulumi.yaml")) as { [key: string]: unknown };
    assert.deepEqual([name, runtime], ["shop", "nodejs"]);
    assert.match(out, /^Written: Pulumi\.yaml, package\.json, index\.ts, Pulumi\.dev\.yaml\.$/m);
  });

  it("containers get names as in this repository", async () => {
    await init(FLAGS);
    const autonaming = (text: string) =>
      (parse(text) as { config: { "pulumi:autonaming": unknown } }).config["pulumi:autonaming"];
    assert.deepEqual(
      autonaming(read("Pulumi.yaml")),
      autonaming(readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")),
    );
  });

  it("the programs compile, and their outputs are those of the component", async function () {
    this.timeout(60_000);
    await init(FLAGS);
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const here = JSON.stringify(path.join(ROOT, "components/index"));
    writeFileSync("index.ts", read("index.ts").replace('"bluegreen"', here));
    const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--module", "nodenext"];
    execFileSync(process.execPath, [tsc, ...options, "--types", "node", "--esModuleInterop", "index.ts"]);
    rmSync("index.ts");
    rmSync("Pulumi.yaml");
    rmSync("Pulumi.dev.yaml");
    const { code, err } = await init([...FLAGS, "--language", "javascript"]);
    assert.equal(code, 0, err);
    execFileSync(process.execPath, ["--check", "index.js"]);
    // Each output is one that the component has.
    const outputs = [...read("index.js").matchAll(/^exports\.(\w+) = service\.(\w+);$/gm)];
    assert.ok(outputs.length > 1);
    const source = readFileSync(path.join(ROOT, "components/blueGreenService.ts"), "utf8");
    for (const [, left, right] of outputs) {
      assert.equal(left, right);
      assert.match(source, new RegExp(`public readonly ${right}\\b|readonly ${right}[!:]`), right);
    }
  });

  it("a program in YAML names no variable that the stack file has not", async () => {
    const { code, err } = await init([...FLAGS, "--language", "yaml", "--stack", "prod"]);
    assert.equal(code, 0, err);
    assert.deepEqual(files(), ["Pulumi.prod.yaml", "Pulumi.yaml", "package.json"]);
    const program = read("Pulumi.yaml");
    const { config } = parse(read("Pulumi.prod.yaml")) as { config: object };
    const { resources, runtime } = parse(program) as {
      runtime: string;
      resources: { service: { type: string; properties: object } };
    };
    assert.deepEqual([runtime, resources.service.type], ["yaml", "bluegreen:index:BlueGreenService"]);
    const named = [...JSON.stringify(resources).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => `shop:${name}`);
    assert.deepEqual(named.sort(), Object.keys(config).sort());
    assert.deepEqual(Object.keys(resources.service.properties), [
      "activeColor",
      "blue",
      "green",
      "containerPort",
      "health",
      "proxy",
    ]);
  });

  it("asks what no flag says, again where an answer is wrong, and offers what is usual", async () => {
    const { code, asked, err } = await init(["--image", "shop:1.0.0"], "my shop\nshop\n99999\n\n\n");
    assert.equal(code, 0, err);
    assert.match(
      asked,
      /Name of the project \[bluegreen-init-\w+\]: .*That is "my shop", but must be letters/s,
    );
    assert.match(asked, /\[3000\]: .*That is 99999, but must be a port.*\[3000\]: .*\[\/health\]: /s);
    assert.doesNotMatch(asked, /Image/);
    const { containerPort, health } = argsOf({ code: 0, out: read("Pulumi.dev.yaml"), err: "" });
    assert.deepEqual([containerPort, health], [3000, { path: "/health" }]);
  });

  it("nothing is written when the answers end early", async () => {
    const { code, err } = await init([], "shop\nshop:1.0.0\n");
    assert.deepEqual([code, files()], [1, []]);
    assert.match(err, /The questions were not answered\. Nothing was written\./);
  });

  it("without a terminal it names the flags that are missing", async () => {
    const { code, err } = await init(["--name", "shop", "--container-port", "3000"]);
    assert.deepEqual([code, files()], [1, []]);
    assert.match(err, /give --image, --health-path\./);
  });

  it("says all that is wrong with the flags at once", async () => {
    const { code, err } = await init([
      "--name",
      "1",
      "--image",
      "nginx",
      "--container-port",
      "x",
      "--health-path",
      "h",
    ]);
    assert.deepEqual([code, files()], [1, []]);
    for (const flag of ["--name", "--image", "--container-port", "--health-path"])
      assert.ok(err.includes(`  ${flag}: is `), flag);
    assert.match(err, /a tag that moves can't be rolled back/);
    assert.equal((await init([...FLAGS, "--stack", "a/b"])).code, 1);
    assert.equal((await init([...FLAGS, "--language", "go"])).code, 1);
    const long = "x".repeat(40);
    assert.match(
      (await init([...FLAGS, "--stack", long, "--name", long])).err,
      /Docker finds no container with more than 63/,
    );
  });

  it("overwrites nothing, and names what is there", async () => {
    for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml", "index.ts", "index.js"]) {
      writeFileSync(file, "mine");
      const { code, err } = await init(FLAGS);
      assert.deepEqual([code, files(), read(file)], [1, [file], "mine"], file);
      assert.ok(err.includes(`These files are there already: ${file}. Nothing was written.`), err);
      rmSync(file);
    }
    writeFileSync("package.json", '{"name":"mine"}');
    const { code, out } = await init(FLAGS);
    assert.deepEqual([code, read("package.json")], [0, '{"name":"mine"}']);
    assert.match(out, /^Written: Pulumi\.yaml, index\.ts, Pulumi\.dev\.yaml\.$/m);
  });

  it("a package.json with which Pulumi would run something else is refused", async () => {
    for (const text of ['{"main":"server.js"}', '{"type":"module"}', "{"]) {
      writeFileSync("package.json", text);
      const { code, err } = await init(FLAGS);
      assert.deepEqual([code, files()], [1, ["package.json"]], text);
      assert.match(err, /package\.json .*Nothing was written.*an empty folder/);
    }
  });

  it("what to do next fits the folder and the machine", async () => {
    const { out } = await init(FLAGS);
    assert.ok(out.includes(`  npm pack ${path.join(ROOT, "components")}`), out);
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: { bluegreen: string } };
    const archive = dependencies.bluegreen.replace("file:", "");
    assert.ok(out.includes(`  npm install ./${archive}`));
    const bin = path.join(folder, "bin");
    execFileSync("mkdir", ["-p", bin, "node_modules/bluegreen"]);
    writeFileSync(path.join(bin, "pulumi"), "");
    const env = { PATH: bin, HOME: folder };
    const steps = nextSteps(folder, "prod", env);
    assert.doesNotMatch(steps, /npm pack|not on PATH/);
    assert.match(steps, /^ {2}npm install$/m);
    assert.match(steps, /pulumi login 'file:/);
    assert.match(steps, /pulumi stack init prod .*passphrase/);
    assert.doesNotMatch(nextSteps(folder, "prod", { ...env, PULUMI_BACKEND_URL: "file:///x" }), /login/);
    assert.match(nextSteps(folder, "prod", { PATH: "" }), /Pulumi's CLI is not on PATH/);
  });

  it("the steps are the same in each language: Pulumi finds the plugin for YAML where npm puts the package", async () => {
    const typescript = (await init(FLAGS)).out.replace(/^Written.*\n/, "");
    for (const file of files()) rmSync(file);
    const { out } = await init([...FLAGS, "--language", "yaml"]);
    assert.equal(out.replace(/^Written.*\n/, ""), typescript);
    const { packages } = parse(read("Pulumi.yaml")) as { packages: object };
    assert.deepEqual(packages, { bluegreen: "./node_modules/bluegreen" });
    assert.match(read("package.json"), /"bluegreen": "file:bluegreen-/);
  });
});
