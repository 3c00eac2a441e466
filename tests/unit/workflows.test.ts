import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { workflow } from "../support/workflow";

const repository = path.resolve(__dirname, "../../examples/own-repository");

// What actionlint can't know. It runs with the linters.
describe("the workflows of examples/own-repository", () => {
  const names = readdirSync(path.join(repository, ".github/workflows")).map((file) =>
    file.replace(/\.yml$/, ""),
  );
  const jobs = names.flatMap((name) =>
    Object.entries(workflow(name, repository).jobs).map(([job, content]) => ({
      name: `${name}: ${job}`,
      ...content,
    })),
  );
  const deploys = jobs.filter(({ steps }) =>
    steps.some(({ run = "" }) => /pulumi (up|destroy|refresh)/.test(run)),
  );

  it("there are two jobs that deploy", () =>
    assert.deepEqual(deploys.map(({ name }) => name).sort(), ["release: release", "switch: switch"]));

  for (const { name, concurrency, environment } of deploys) {
    it(`${name} never runs beside another deploy, and is never cut off`, () =>
      assert.deepEqual(concurrency, { group: "deploy-prod", "cancel-in-progress": false }));
    it(`${name} does not hold others up while somebody has to approve`, () =>
      assert.equal(environment, undefined));
  }

  it("users are moved only after an approval", () => {
    const { approve, switch: move } = workflow("switch", repository).jobs;
    assert.equal(approve.environment, "production");
    assert.equal((move as { needs?: string }).needs, "approve");
  });

  it("no command has an expression in it: what others wrote is data, by way of the environment", () => {
    for (const { name, steps } of jobs)
      for (const { run = "" } of steps) assert.ok(!run.includes("${{"), `${name}: ${run}`);
  });

  it("an action of the repository itself is there: actionlint passes over one that is not", () => {
    for (const { name, steps } of jobs)
      for (const { uses = "" } of steps)
        if (uses.startsWith("./"))
          assert.ok(existsSync(path.join(repository, uses, "action.yml")), `${name}: ${uses}`);
  });
});
