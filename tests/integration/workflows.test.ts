import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { docker } from "../support/docker";
import { useDemo } from "../support/demo";
import { useStack } from "../support/stack";
import { environment, workflow } from "../support/workflow";

const ROOT = path.resolve(__dirname, "../..");

// Each command of a workflow as it stands, in a checkout with an origin of its own. Only what needs GitHub's side is not real: the
// registry (login and push are noted), and the steps that are actions.
describe("the workflows' commands", function () {
  const live = useDemo("1.0.0");
  const stack = useStack(
    // No gate fails here, so it may be as patient as the default.
    {
      blue: { image: live },
      green: { image: live },
      redis: { enabled: false },
      health: { gateTimeoutSeconds: 60 },
    },
    { name: "prod" },
  );
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: stack.folder, encoding: "utf8", stdio: "pipe" }).trim();
  const image = () => `ghcr.io/acme/${stack.project}`;
  let bin: string;

  before(async () => {
    bin = path.join(stack.folder, "bin");
    mkdirSync(bin);
    writeFileSync(
      path.join(bin, "docker"),
      `#!/bin/sh\ncase $1 in login | push) echo "$*" >>"$0.log" ;; *) PATH=\${PATH#*:} exec docker "$@" ;; esac\n`,
    );
    chmodSync(path.join(bin, "docker"), 0o755);
    for (const part of ["demo-app", "policy"])
      cpSync(path.join(ROOT, part), path.join(stack.folder, part), { recursive: true });
    appendFileSync(
      path.join(stack.folder, ".gitignore"),
      "node_modules\n/state\n/bin\n/origin.git\n/key*\n/github.env\n",
    );
    git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git");
    git("init", "--quiet", "--initial-branch=main");
    git("config", "user.name", "Somebody");
    git("config", "user.email", "somebody@example.com");
    git("remote", "add", "origin", path.join(stack.folder, "origin.git"));
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(stack.folder, "key")]);
    commitAll();
    await stack.up();
  });

  after(async () => {
    const made = await docker("image", "ls", "--quiet", image());
    // The stack's containers are removed after this.
    if (made !== "") await docker("image", "rm", "--force", ...made.split("\n"));
  });

  function commitAll() {
    git("add", "--all");
    git("commit", "--quiet", "--allow-empty", "--message", "A change");
    git("push", "--quiet", "origin", "HEAD:main");
  }

  /** Runs a job's commands as GitHub does: each in a bash of its own, which hands on what it wrote to GITHUB_ENV. */
  function runJob(name: string, jobName: string, inputs: { [name: string]: string } = {}): string {
    const job = workflow(name).jobs[jobName];
    const githubEnv = path.join(stack.folder, "github.env");
    writeFileSync(githubEnv, "");
    const expressions = {
      "github.repository": `Acme/${stack.project}`,
      "github.actor": "somebody",
      "github.token": "token-of-the-run",
      "vars.PULUMI_BACKEND_URL": `file://${stack.folder}/state`,
      "secrets.PULUMI_ACCESS_TOKEN": "",
      "secrets.PULUMI_CONFIG_PASSPHRASE": "test",
      "secrets.SSH_PRIVATE_KEY": readFileSync(path.join(stack.folder, "key"), "utf8").trimEnd(),
      ...inputs,
    };
    let output = "";
    try {
      for (const step of job.steps.filter(({ run }) => run !== undefined)) {
        const handedOn = Object.fromEntries(
          readFileSync(githubEnv, "utf8")
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split(/=(.*)/s, 2)),
        ) as { [name: string]: string };
        const env = {
          ...process.env,
          PATH: `${bin}:${process.env.PATH}`,
          ...environment(job, step, expressions),
          ...handedOn,
          GITHUB_ENV: githubEnv,
        };
        const result = spawnSync("bash", ["-e", "-c", step.run!], {
          cwd: stack.folder,
          env,
          encoding: "utf8",
        });
        output += result.stdout + result.stderr;
        assert.equal(result.status, 0, `${step.name}:\n${result.stdout}${result.stderr}`);
      }
    } finally {
      const agent = /^Agent pid (\d+)$/m.exec(output);
      if (agent) process.kill(Number(agent[1]));
    }
    return output;
  }

  const configOfMain = () => git("show", "origin/main:Pulumi.prod.yaml");
  const versionOf = (commit: string) => git("rev-parse", "--short=12", commit);
  let released: string;

  it("release: builds, pushes and releases to the idle color, and writes down what it did", async () => {
    released = versionOf("HEAD");
    const output = runJob("release", "release");
    assert.match(output, /Identity added/);
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: `green ${released}` });
    assert.match(configOfMain(), new RegExp(`green:\\n +image: ${image()}:${released}$`, "m"));
    assert.equal(
      git("log", "-1", "--format=%an: %s", "origin/main"),
      `github-actions[bot]: Release ${image()}:${released}`,
    );
    const asked = readFileSync(path.join(bin, "docker.log"), "utf8");
    assert.equal(asked, `login ghcr.io --username somebody --password-stdin\npush ${image()}:${released}\n`);
  });

  it("switch: moves the users, and writes that down", async () => {
    runJob("switch", "approve", { "inputs.color": "green" });
    runJob("switch", "switch", { "inputs.color": "green" });
    assert.deepEqual(await stack.serving(), { live: `green ${released}`, idle: "blue 1.0.0" });
    assert.match(configOfMain(), /activeColor: green$/m);
  });

  it("switch again to the same color: nothing to write down, and no failure", () => {
    const before = git("rev-parse", "origin/main");
    runJob("switch", "switch", { "inputs.color": "green" });
    assert.equal(git("rev-parse", "origin/main"), before);
  });

  it("switch back: the rollback", async () => {
    runJob("switch", "switch", { "inputs.color": "blue" });
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: `green ${released}` });
  });

  it("plan: the preview passes with the policy pack", async () => {
    const [step] = workflow("plan").jobs.plan.steps.filter((one) => one.with?.command === "preview");
    const { policyPacks, ...given } = step.with!;
    assert.equal(given["stack-name"], stack.name);
    const { output } = await stack.preview("--policy-pack", path.join(stack.folder, policyPacks as string));
    assert.match(output, /✅ bluegreen@v/);
  });
});
