import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

export type Env = { [name: string]: string };

export interface Step {
  name?: string;
  uses?: string;
  with?: { [name: string]: string | boolean };
  run?: string;
  env?: Env;
}
export interface Job {
  env?: Env;
  environment?: string;
  concurrency?: { group: string; "cancel-in-progress": boolean };
  steps: Step[];
}
export interface Workflow {
  on: unknown;
  concurrency?: unknown;
  jobs: { [name: string]: Job };
}

const read = (repository: string, file: string): unknown =>
  parse(readFileSync(path.join(repository, ".github", file), "utf8"));

export const workflow = (name: string, repository: string): Workflow =>
  read(repository, `workflows/${name}.yml`) as Workflow;

/** The steps of an action of the repository itself. */
export const stepsOfAction = (name: string, repository: string): Step[] =>
  (read(repository, `actions/${name}/action.yml`) as { runs: { steps: Step[] } }).runs.steps;

/** The environment of a step, with GitHub's expressions replaced. One that is not known here is an error. */
export function environment(job: { env?: Env }, step: Step, expressions: Env): Env {
  const fill = (text: string) =>
    text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
      assert.ok(expression in expressions, `no value for ${expression}`);
      return expressions[expression];
    });
  return Object.fromEntries(
    Object.entries({ ...job.env, ...step.env }).map(([name, value]) => [name, fill(value)]),
  );
}
