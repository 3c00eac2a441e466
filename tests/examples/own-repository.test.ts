import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { useExampleApp } from "../support/demo";
import { ExampleStack } from "../support/example";
import { losesNothing } from "../support/load";
import { npmInstall, putPackage } from "../support/package";
import { Repository } from "../support/repository";
import { Running, until } from "../support/running";
import { use } from "../support/stack";
import { workflow } from "../support/workflow";

// As its README says: the first release by hand, all else by the workflows, to a host over SSH.
describe("examples/own-repository", function () {
  const first = useExampleApp("1");
  const stack = use(
    new ExampleStack(
      "own-repository",
      { blue: { image: first }, green: { image: first } },
      { name: "prod", project: "infra", overSsh: true, install: putPackage },
    ),
  );
  const repository = new Repository(stack);
  after(() => repository.remove());
  const agent = useSshAgent();

  before("the first release", async () => {
    // The key comes from an agent: yours here, the job's in a workflow.
    await stack.unset("host.privateKeyFile");
    agent.add(stack.sshd.file("user"));
    stack.extraEnv.SSH_AUTH_SOCK = agent.socket;
    repository.create(stack.sshd.file("user"));
    repository.runAction("setup");
    await stack.up();
  });

  const configOfMain = () => repository.git("show", "origin/main:infra/Pulumi.prod.yaml");
  const requests = [{ method: "GET" as const, path: "/" }];
  let released: string;

  it("preview: it passes in the folder that the action is given, and asks nothing of the host", async () => {
    const steps = workflow("preview", stack.root).jobs.preview.steps;
    const [step] = steps.filter((one) => one.with?.command === "preview");
    assert.equal(step.with!["stack-name"], stack.name);
    assert.equal(path.join(stack.root, String(step.with!["work-dir"])), stack.folder);
    const before = stack.sshd.connections;
    await stack.preview("--expect-no-changes");
    assert.equal(stack.sshd.connections, before);
  });

  it("release: builds, pushes and releases to the idle color, and writes down what it did", async () => {
    const { image } = repository;
    released = repository.git("rev-parse", "--short=12", "HEAD");
    repository.runJob("release", "release");
    assert.deepEqual(await stack.serving(), { live: "blue 1", idle: `green ${released}` });
    assert.match(configOfMain(), new RegExp(`green:\\n +image: ${image}:${released}$`, "m"));
    assert.equal(
      repository.git("log", "-1", "--format=%an: %s", "origin/main"),
      `github-actions[bot]: Release ${image}:${released}`,
    );
    assert.equal(
      repository.askedOfRegistry,
      `login ghcr.io --username somebody --password-stdin\npush ${image}:${released}\n`,
    );
  });

  it("switch: flips without a lost request, and writes that down", async () => {
    repository.runJob("switch", "approve", { "inputs.color": "green" });
    await losesNothing(
      stack.port,
      () => Promise.resolve(repository.runJob("switch", "switch", { "inputs.color": "green" })),
      { requests },
    );
    assert.deepEqual(await stack.serving(), { live: `green ${released}`, idle: "blue 1" });
    assert.match(configOfMain(), /activeColor: green$/m);
  });

  it("switch back: the rollback", async () => {
    repository.runJob("switch", "switch", { "inputs.color": "blue" });
    assert.deepEqual(await stack.serving(), { live: "blue 1", idle: `green ${released}` });
  });

  it("a second up changes nothing, and there is nothing to write down", async () => {
    const before = repository.git("rev-parse", "origin/main");
    repository.runJob("switch", "switch", { "inputs.color": "blue" });
    assert.equal(repository.git("rev-parse", "origin/main"), before);
    await stack.up("--expect-no-changes");
  });

  it("the preview passes with the policy pack, put there as docs/ci.md says", async () => {
    const policy = path.resolve(__dirname, "../../policy");
    cpSync(policy, path.join(stack.folder, "policy"), { recursive: true });
    await npmInstall(stack.folder, "--save-dev", "--save-exact", "@pulumi/policy@1.21.0");
    const { output } = await stack.preview("--policy-pack", "policy/run");
    assert.match(output, /✅ bluegreen@v/);
  });

  it("destroy leaves nothing", async () => {
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
  });
});

/** An SSH agent of our own, without a key. */
function useSshAgent() {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-agent-"));
  const socket = path.join(folder, "socket");
  const sshAdd = (...args: string[]) =>
    spawnSync("ssh-add", args, { env: { ...process.env, SSH_AUTH_SOCK: socket }, encoding: "utf8" });
  let agent: Running;
  before(async () => {
    agent = new Running("ssh-agent", ["-D", "-a", socket]);
    await until(
      () => `the agent answers, not only says:\n${agent.output}`,
      // 1: it has no key. 2: nobody answers.
      () => sshAdd("-l").status === 1,
    );
  });
  after(async () => {
    await agent.kill();
    rmSync(folder, { recursive: true });
  });
  return {
    socket,
    add(key: string): void {
      const { status, stderr } = sshAdd(key);
      assert.equal(status, 0, stderr);
    },
  };
}
