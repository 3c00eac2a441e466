import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import path from "node:path";
import { useDemo } from "../support/demo";
import { Repository } from "../support/repository";
import { useStack } from "../support/stack";
import { workflow } from "../support/workflow";

const ROOT = path.resolve(__dirname, "../..");

// This checkout's own workflows, which release its demo app. Those of an app's repository: tests/examples.
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
  const repository = new Repository(stack, ROOT);
  after(() => repository.remove());

  before(async () => {
    for (const part of ["demo-app", "policy"])
      cpSync(path.join(ROOT, part), path.join(stack.folder, part), { recursive: true });
    repository.create();
    await stack.up();
  });

  const configOfMain = () => repository.git("show", "origin/main:Pulumi.prod.yaml");
  let released: string;

  it("release: builds, pushes and releases to the idle color, and writes down what it did", async () => {
    const { image } = repository;
    released = repository.git("rev-parse", "--short=12", "HEAD");
    const output = repository.runJob("release", "release");
    assert.match(output, /Identity added/);
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: `green ${released}` });
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

  it("switch: moves the users, and writes that down", async () => {
    repository.runJob("switch", "approve", { "inputs.color": "green" });
    repository.runJob("switch", "switch", { "inputs.color": "green" });
    assert.deepEqual(await stack.serving(), { live: `green ${released}`, idle: "blue 1.0.0" });
    assert.match(configOfMain(), /activeColor: green$/m);
  });

  it("switch again to the same color: nothing to write down, and no failure", () => {
    const before = repository.git("rev-parse", "origin/main");
    repository.runJob("switch", "switch", { "inputs.color": "green" });
    assert.equal(repository.git("rev-parse", "origin/main"), before);
  });

  it("switch back: the rollback", async () => {
    repository.runJob("switch", "switch", { "inputs.color": "blue" });
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
