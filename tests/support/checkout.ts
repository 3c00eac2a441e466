import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker, dockerLines } from "./docker";
import { Running, type Ended } from "./running";
import type { Role } from "./stack";

const ROOT = path.resolve(__dirname, "../..");

/**
 * A checkout of this repository as a new user has it, set up already, in which the commands of `npm run` are run as they are typed.
 * Its project has a name of its own, so that its stack `dev` is not the one of this checkout.
 */
export class Checkout {
  /** What is exported in the user's shell. */
  readonly exported: NodeJS.ProcessEnv = {};
  readonly project = `bgtest-${randomBytes(4).toString("hex")}`;
  folder = "";

  create(): void {
    this.folder = mkdtempSync(path.join(tmpdir(), "bluegreen-checkout-"));
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const files = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean);
    for (const part of [...files, "demo-app/node_modules"])
      cpSync(path.join(ROOT, part), path.join(this.folder, part), { recursive: true });
    // The packages are there: the set-up must not think that they are older than the lock files, and install them anew.
    for (const lock of ["package-lock.json", "demo-app/package-lock.json"])
      utimesSync(path.join(this.folder, lock), 0, 0);
    symlinkSync(path.join(ROOT, "node_modules"), path.join(this.folder, "node_modules"));
    mkdirSync(path.join(this.folder, ".state"));
    cpSync(path.join(ROOT, ".state/toolchain"), path.join(this.folder, ".state/toolchain"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    this.edit("Pulumi.yaml", (text) => text.replace(/^name: .*$/m, `name: ${this.project}`));
    this.edit("Pulumi.dev.yaml", (text) => text.replaceAll("bluegreen:", `${this.project}:`));
  }

  async remove(): Promise<void> {
    if (this.folder === "") return;
    try {
      await this.npm("run", "down", "--", "--data");
    } finally {
      const filter = ["--filter", `label=bluegreen.stack=${this.project}/dev`];
      const left = await dockerLines("ps", "--all", "--quiet", ...filter);
      if (left.length > 0) await docker("rm", "--force", "--volumes", ...left);
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  read(file: string): string {
    return readFileSync(path.join(this.folder, file), "utf8");
  }

  edit(file: string, change: (text: string) => string): void {
    this.write(file, change(this.read(file)));
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.folder, file), text);
  }

  npm(...args: string[]): Promise<Ended> {
    return this.run("npm", args);
  }

  /** `npx pulumi …`. */
  pulumi(...args: string[]): Promise<Ended> {
    return this.run(path.join(this.folder, "scripts/launcher/pulumi"), args);
  }

  /** `npx bluegreen …`. */
  bluegreen(...args: string[]): Promise<Ended> {
    return this.run(path.join(this.folder, "scripts/launcher/bluegreen"), args);
  }

  container(role: Role): Promise<string> {
    return docker(
      "ps",
      "--all",
      "--quiet",
      "--filter",
      `label=bluegreen.stack=${this.project}/dev`,
      "--filter",
      `label=bluegreen.role=${role}`,
    );
  }

  private run(file: string, args: string[]): Promise<Ended> {
    // What a developer has set for stacks of their own is not the new user's.
    const env = { ...process.env };
    for (const name of Object.keys(env)) if (/^PULUMI_(BACKEND|CONFIG|STACK)/.test(name)) delete env[name];
    return new Running(file, args, { cwd: this.folder, env: { ...env, ...this.exported } }).ended;
  }
}
