import assert from "node:assert/strict";
import { importService } from "../../../components/cli/compose/map";
import { readProject, type Given } from "../../../components/cli/compose/project";
import { useFolder } from "./cli";

// How a file is read. What comes out of variables and files of them is what compose-go
// 2.16.2 made of the same input; Docker Compose is made of that.

describe("a compose file is read as Docker Compose reads it", () => {
  const { write } = useFolder();
  let count = 0;
  const project = (compose: string, files: { [name: string]: string } = {}, given: Partial<Given> = {}) => {
    const folder = `read${++count}`;
    for (const [name, text] of Object.entries(files)) write(`${folder}/${name}`, text);
    return readProject(write(`${folder}/compose.yml`, compose), { env: {}, ...given });
  };
  const envOf = (compose: string, files = {}, given: Partial<Given> = {}) => {
    const read = project(compose, files, given);
    const { findings } = importService(read, "web", {});
    return findings.args().env ?? {};
  };
  const service = (lines: string) =>
    `services:\n  web:\n    image: shop:1.0.0\n${lines.replace(/^/gm, "    ")}\n`;

  it("variables: defaults, alternatives, nesting, $$", () => {
    const env = envOf(
      service(`environment:
  A: "\${FOO:-b\${BAR:-c}}x"
  B: $$HOME
  C: \${EMPTY-d}|\${EMPTY:-d}|\${EMPTY+p}|\${EMPTY:+p}|\${FOO+p}
  D: "a$b$"
  E: \${NONE:-}
  F: "$FOO-\${FOO}{x}"
  G: "\${NONE:-a}b}"
  H: "50%$1"`),
      { ".env": "FOO=foo\nEMPTY=\n" },
    );
    const expected = {
      A: "foox",
      B: "$HOME",
      C: "|d|p||p",
      D: "a$",
      E: "",
      F: "foo-foo{x}",
      G: "ab}",
      H: "50%$1",
    };
    assert.deepEqual(env, expected);
  });

  it("the shell wins over .env, and COMPOSE_PROJECT_NAME is known", () => {
    const text = service("environment: { A: $FOO, B: $COMPOSE_PROJECT_NAME }");
    assert.deepEqual(envOf(text, { ".env": "FOO=file\n" }, { env: { FOO: "shell" }, projectName: "p" }), {
      A: "shell",
      B: "p",
    });
  });

  it("numbers and flags without quotes", () => {
    const env = envOf(
      service(`environment:
  A: 0022
  B: 1.10
  C: 1000000.0
  D: yes
  E: 12345678901234567890
  F: 1_000
  G: 0x10
  H: true
  I: 22:22
  J: 0o17`),
    );
    assert.deepEqual(env, {
      ...{ A: "18", B: "1.1", C: "1e+06", D: "yes", E: "12345678901234567890" },
      ...{ F: "1000", G: "16", H: "true", I: "22:22", J: "15" },
    });
  });

  it("env_file: quotes, comments, escapes, variables, inheritance; environment wins", () => {
    const env = envOf(
      service(
        `environment: { OWN: "1", A: own }\nenv_file: [a.env, { path: none.env, required: false }, b.env]`,
      ),
      {
        ".env": "FOO=foo\n",
        "a.env": `export X=1
Y="a $FOO \\n b" # c
Z='$FOO'
W=$Y-\${Q:-q} # comment
A=fromfile
NOWHERE
V: yaml
FOO
U="\\$FOO \\"q\\""
T=$OWN
two=a
`,
        "b.env": "two=b\nS='a\nb'\n",
      },
    );
    assert.deepEqual(env, {
      ...{ OWN: "1", A: "own", X: "1", Y: "a foo \n b", Z: "$FOO", W: "a foo \n b-q", V: "yaml", FOO: "foo" },
      ...{ U: '$FOO "q"', T: "1", two: "b", S: "a\nb" },
    });
  });

  it("env_file in the raw format is taken as it is", () => {
    const text = service(`env_file: [{ path: raw.env, format: raw }]`);
    assert.deepEqual(envOf(text, { "raw.env": "A='$X' # no comment\n#B=1\n" }), { A: "'$X' # no comment" });
  });

  it("a variable without a value is that of the shell or .env, or none", () => {
    const read = project(service("environment: [HERE, NOT_HERE]"), { ".env": "HERE=1\n" });
    const { findings } = importService(read, "web", {});
    assert.deepEqual(findings.args().env, { HERE: "1" });
    assert.match(findings.leftOut.map(({ reason }) => reason).join(), /NOT_HERE has no value/);
  });

  it("names of volumes and networks begin with the project: --project-name, .env, name, folder", () => {
    const text = (name: string) => `${name}\n${service("volumes: [data:/d]")}volumes: { data: }\n`;
    const volumeOf = (name: string, files = {}, given: Partial<Given> = {}) =>
      importService(project(text(name), files, given), "web", {}).findings.args().volumes?.[0].volumeName;
    assert.equal(volumeOf(""), `read${count}_data`);
    assert.equal(volumeOf("name: My Shop"), "myshop_data");
    assert.equal(volumeOf("name: x", { ".env": "COMPOSE_PROJECT_NAME=y\n" }), "y_data");
    assert.equal(volumeOf("name: x", { ".env": "COMPOSE_PROJECT_NAME=y\n" }, { projectName: "z" }), "z_data");
  });

  it("extends: lists are joined, maps are merged, commands are replaced, and each part has its own line", () => {
    const read = project(`services:
  base:
    image: shop:1.0.0
    command: base
    environment: [A=base, B=base]
    ports: ["80:8000"]
    volumes: ["one:/x", "two:/y"]
    cap_drop: [MKNOD]
    healthcheck: { test: curl localhost:8000/h, timeout: 2s }
  web:
    extends: base
    command: [web]
    environment: { A: web }
    volumes: ["three:/x"]
    cap_drop: [KILL]
    healthcheck: { timeout: 3s }
    cpus: 2
`);
    const imported = importService(read, "web", {});
    const { command, env, containerPort, volumes, container, health } = imported.findings.args();
    assert.deepEqual([command, env, containerPort], [["web"], { A: "web", B: "base" }, 8000]);
    assert.deepEqual(
      volumes?.map(({ volumeName, containerPath }) => [volumeName?.replace(/^.*_/, ""), containerPath]),
      [
        ["three", "/x"],
        ["two", "/y"],
      ],
    );
    assert.deepEqual(container?.capabilities?.drops, ["CAP_MKNOD", "CAP_KILL", "CAP_NET_RAW"]);
    assert.deepEqual(health, { path: "/h", timeoutSeconds: 3 });
    const lineOf = (...path: (string | number)[]) => read.file.lineOf(imported.placeOf(path));
    assert.deepEqual(
      [lineOf("ports", 0), lineOf("volumes", 0), lineOf("volumes", 1), lineOf("cpus")],
      [6, 14, 7, 17],
    );
  });

  it("`!reset` takes away what an anchor brings", () => {
    const read = project(`x-a: &a { image: "shop:1.0.0", mem_limit: 1g }
services:
  web: { <<: *a, mem_limit: !reset null }
`);
    assert.equal(importService(read, "web", {}).findings.args().memoryMb, 1024);
  });
});
