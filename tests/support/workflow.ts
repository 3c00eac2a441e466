import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const FOLDER = path.resolve(__dirname, "../../.github/workflows");

type Env = { [name: string]: string };

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

export const workflow = (name: string): Workflow =>
  parse(readFileSync(path.join(FOLDER, `${name}.yml`), "utf8")) as Workflow;

/** The environment of a step, with GitHub's expressions replaced. One that is not known here is an error. */
export function environment(job: Job, step: Step, expressions: Env): Env {
  const fill = (text: string) =>
    text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
      assert.ok(expression in expressions, `no value for ${expression}`);
      return expressions[expression];
    });
  return Object.fromEntries(
    Object.entries({ ...job.env, ...step.env }).map(([name, value]) => [name, fill(value)]),
  );
}
