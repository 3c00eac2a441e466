import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { workflow } from "../support/workflow";

// What actionlint can't know. It runs with the linters.
const NAMES = readdirSync(path.resolve(__dirname, "../../.github/workflows")).map((file) =>
  file.replace(/\.yml$/, ""),
);
const jobs = NAMES.flatMap((name) =>
  Object.entries(workflow(name).jobs).map(([job, content]) => ({ name: `${name}: ${job}`, ...content })),
);
const deploys = jobs.filter(({ steps }) =>
  steps.some(({ run = "" }) => /pulumi (up|destroy|refresh)/.test(run)),
);

describe("the workflows", () => {
  it("there are two jobs that deploy", () =>
    assert.deepEqual(deploys.map(({ name }) => name).sort(), ["release: release", "switch: switch"]));

  for (const { name, concurrency, environment } of deploys) {
    it(`${name} never runs beside another deploy, and is never cut off`, () =>
      assert.deepEqual(concurrency, { group: "deploy-prod", "cancel-in-progress": false }));
    it(`${name} does not hold others up while somebody has to approve`, () =>
      assert.equal(environment, undefined));
  }

  it("users are moved only after an approval", () => {
    const { approve, switch: move } = workflow("switch").jobs;
    assert.equal(approve.environment, "production");
    assert.equal((move as { needs?: string }).needs, "approve");
  });

  it("no command has an expression in it: what others wrote is data, by way of the environment", () => {
    for (const { name, steps } of jobs)
      for (const { run = "" } of steps) assert.ok(!run.includes("${{"), `${name}: ${run}`);
  });
});
