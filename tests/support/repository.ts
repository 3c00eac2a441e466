import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker, dockerLines } from "./docker";
import { fileBackend, type TestStack } from "./stack";
import { environment, stepsOfAction, workflow, type Env, type Job, type Step } from "./workflow";

/** Ends `docker login` and `docker push`, notes them, and hands on all else. */
const DOCKER = `#!/bin/sh
case $1 in login | push) echo "$*" >>"$0.log" ;; *) PATH=\${PATH#*:} exec docker "$@" ;; esac
`;

/**
 * The repository that a stack's folder is in, with an origin, and what GitHub does with it. Each command of a workflow is run as it
 * stands; only what needs GitHub's side is not real: the registry, and the steps that are actions.
 */
export class Repository {
  /** What is no part of the checkout. */
  private outside = "";

  constructor(private readonly stack: TestStack) {}

  /** `sshKey`: the file of the key that logs in to the host. */
  create(sshKey: string): void {
    this.outside = mkdtempSync(path.join(tmpdir(), "bluegreen-github-"));
    copyFileSync(sshKey, path.join(this.outside, "key"));
    writeFileSync(path.join(this.outside, "docker"), DOCKER, { mode: 0o755 });
    const origin = path.join(this.outside, "origin.git");
    this.git("init", "--quiet", "--bare", "--initial-branch=main", origin);
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("config", "user.name", "Somebody");
    this.git("config", "user.email", "somebody@example.com");
    this.git("remote", "add", "origin", origin);
    // Of the test, not of the user.
    const exclude = path.join(this.stack.root, ".git/info/exclude");
    appendFileSync(exclude, "node_modules\nstate/\nevents.json\n");
    this.commitAll();
  }

  /** Removes what the jobs have built, and all that is outside. The stack's containers must be gone. */
  async remove(): Promise<void> {
    if (this.outside === "") return;
    rmSync(this.outside, { recursive: true });
    const made = await dockerLines("image", "ls", "--quiet", this.image);
    if (made.length > 0) await docker("image", "rm", "--force", ...made);
  }

  /** Without a tag. */
  get image(): string {
    return `ghcr.io/acme/${this.stack.project}`;
  }

  git(...args: string[]): string {
    const { root } = this.stack;
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  }

  commitAll(): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", "A change");
    this.git("push", "--quiet", "origin", "HEAD:main");
  }

  /** What Docker's client was asked for and did not do. */
  get askedOfRegistry(): string {
    return readFileSync(path.join(this.outside, "docker.log"), "utf8");
  }

  runJob(name: string, jobName: string, inputs: Env = {}): string {
    const job = workflow(name, this.stack.root).jobs[jobName];
    return this.run(job, job.steps, inputs);
  }

  /** The commands of an action of the repository itself. Jobs leave them out: they set up a machine, and here it is one. */
  runAction(name: string): string {
    return this.run({}, stepsOfAction(name, this.stack.root), {});
  }

  /** As GitHub does: each in a bash of its own, which hands on what it wrote to GITHUB_ENV. */
  private run(job: Pick<Job, "env">, steps: Step[], inputs: Env): string {
    const githubEnv = path.join(this.outside, "github.env");
    writeFileSync(githubEnv, "");
    const expressions = {
      "github.repository": `Acme/${this.stack.project}`,
      "github.actor": "somebody",
      "github.token": "token-of-the-run",
      "vars.PULUMI_BACKEND_URL": fileBackend(`${this.stack.folder}/state`),
      "secrets.PULUMI_ACCESS_TOKEN": "",
      "secrets.PULUMI_CONFIG_PASSPHRASE": "test",
      "secrets.SSH_PRIVATE_KEY": readFileSync(path.join(this.outside, "key"), "utf8").trimEnd(),
      ...inputs,
    };
    let output = "";
    try {
      for (const step of steps.filter(({ run }) => run !== undefined)) {
        const handedOn = Object.fromEntries(
          readFileSync(githubEnv, "utf8")
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split(/=(.*)/s, 2)),
        ) as Env;
        const env = {
          ...process.env,
          PATH: `${this.outside}:${process.env.PATH}`,
          ...environment(job, step, expressions),
          ...handedOn,
          GITHUB_ENV: githubEnv,
        };
        const result = spawnSync("bash", ["-e", "-c", step.run!], {
          cwd: this.stack.root,
          env,
          encoding: "utf8",
        });
        output += result.stdout + result.stderr;
        assert.equal(result.status, 0, `${step.name ?? step.run}:\n${result.stdout}${result.stderr}`);
      }
    } finally {
      const agent = /^Agent pid (\d+)$/m.exec(output);
      if (agent) process.kill(Number(agent[1]));
    }
    return output;
  }
}
