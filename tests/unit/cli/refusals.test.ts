import assert from "node:assert/strict";
import { registerImport } from "../../../components/cli/commands/import";
import { run, useFolder, withEnv } from "./cli";

describe("what is wrong is said with its place, its line and a way out", () => {
  const { folder, write } = useFolder();
  const refused = async (text: string, service = "web", ...flags: string[]) => {
    const ran = await run(registerImport, "import", write("compose.yml", text), service, ...flags);
    assert.equal(ran.code, 1, ran.out);
    assert.equal(ran.out, "", "nothing is printed half");
    assert.match(ran.err, /What to do next: /);
    return ran.err;
  };

  it("a file that is not there, or no YAML, or no compose file", async () => {
    const ran = await run(registerImport, "import", `${folder}/none.yml`, "web");
    assert.deepEqual([ran.code, ran.out], [1, ""]);
    assert.match(ran.err, /none\.yml: 1 problem.*\n.*can't be read: ENOENT/);
    assert.match(await refused("services:\n  web: [\n"), /line \d: is no YAML/);
    assert.match(await refused("services:\n  a: 1\n  a: 2\n"), /line 3: is no YAML: Map keys must be unique/);
    assert.match(await refused("- a\n"), /has no keys at its top/);
    assert.match(await refused("a: *b\n"), /Unresolved alias/);
    assert.match(await refused("name: x\n"), /has no services/);
  });

  it("what the schema of compose files refuses, each with its line", async () => {
    const text = await refused(
      `services:
  web:
    image: 5
    ports:
      - { target: [80] }
    depends_on: { db: {} }
    command: { a: 1 }
  other:
    restart: false
`,
    );
    assert.match(text, /5 problems/);
    assert.match(text, /services\.web\.image \(line 3\): must be text/);
    assert.match(text, /services\.web\.ports\[0\]\.target \(line 5\): must be /);
    assert.match(text, /services\.web\.depends_on\.db \(line 6\): must have required property 'condition'/);
    assert.match(text, /services\.web\.command \(line 7\): must be empty, text, or a list/);
    assert.match(text, /services\.other\.restart \(line 9\): must be text/);
  });

  it("a slip in a key is an error with a guess; a key of a newer Docker Compose is left out", async () => {
    const slip = await refused("services:\n  web:\n    image: a:1\n    enviroment: {}\n");
    assert.match(slip, /services\.web\.enviroment \(line 4\): is no key here\. Did you mean environment\?/);
    const newer = write("newer.yml", "services:\n  web:\n    image: a:1\n    brand_new_thing: 1\n");
    const { code, err } = await run(registerImport, "import", newer, "web");
    assert.equal(code, 0);
    assert.match(err, /services\.web\.brand_new_thing \(line 4\): is no key that is known here/);
  });

  it("a variable that has to be set, and one that is none", async () => {
    const missing = "services:\n  web:\n    image: shop:${TAG:?give a tag}\n";
    assert.match(
      await refused(missing),
      /services\.web\.image \(line 3\): needs the variable TAG, which is not set: give a tag/,
    );
    assert.match(await refused("services:\n  web:\n    image: ${A\n"), /has a \$\{ without its \}/);
    assert.match(
      await refused("services:\n  web:\n    image: ${A/b/c}\n"),
      /is no variable of Docker Compose/,
    );
    await withEnv({ TAG: "1" }, async () => {
      assert.equal((await run(registerImport, "import", write("t.yml", missing), "web")).code, 0);
    });
  });

  it("a service that is not there, an image that moves, a service that is only built", async () => {
    assert.match(
      await refused("services:\n  app: { image: a:1 }\n"),
      /services \(line 1\): has no "web": there are app/,
    );
    assert.match(
      await refused("services:\n  web: { image: nginx }\n"),
      /services\.web\.image \(line 2\): .*has no tag.*\n.*--image nginx:VERSION/,
    );
    assert.match(
      await refused("services:\n  web:\n    build: .\n"),
      /image.*is missing.*\n.*docker tag .*-web .*--image/,
    );
    const built = write("built.yml", "services:\n  web:\n    build: .\n");
    const ran = await run(registerImport, "import", built, "web", "--image", "shop:1.0.0");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /image: shop:1\.0\.0/);
  });

  it("extends: another file, a circle, and what is not there", async () => {
    const start = "services:\n  web:\n    image: a:1\n    extends: ";
    assert.match(
      await refused(`${start}{ file: b.yml, service: x }\n`),
      /extends\.file \(line 4\).*\n.*docker compose config/,
    );
    assert.match(await refused(`${start}nothing\n`), /names the service nothing, which is not in this file/);
    assert.match(await refused(`${start}b\n  b: { extends: web }\n`), /goes round in a circle: web, b, web/);
  });

  it("env_file that is not there, or that is none", async () => {
    const text = "services:\n  web:\n    image: a:1\n    env_file:\n      - none.env\n";
    assert.match(
      await refused(text),
      /services\.web\.env_file\[0\] \(line 5\): names .*none\.env, which is not there/,
    );
    write("none.env", "A=1\n!x=2\n");
    assert.match(await refused(text), /none\.env: line 2: "!x" is no name of a variable/);
  });

  it("aliases that would fill the memory", async () => {
    const level = (i: number) =>
      `x-${i}: &a${i} [${Array(9)
        .fill(i === 0 ? "1" : `*a${i - 1}`)
        .join(", ")}]\n`;
    const bomb = Array.from({ length: 9 }, (_, i) => level(i)).join("");
    assert.match(
      await refused(`${bomb}services: { web: { image: a:1 } }\n`),
      /can't be read: Excessive alias count/,
    );
  });

  it("a wrong flag", async () => {
    const ok = write("ok.yml", "services: { web: { image: a:1 } }\n");
    for (const flags of [
      ["--format", "json"],
      ["--container-port", "0"],
      ["--redis", "no"],
    ])
      assert.notEqual((await run(registerImport, "import", ok, "web", ...flags)).code, 0, flags.join(" "));
  });
});
