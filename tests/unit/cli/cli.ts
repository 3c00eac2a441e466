import { Command, CommanderError } from "commander";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Failure } from "../../../components/cli/failure";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a command as the command line does, in this process. */
export async function run(register: (program: Command) => void, ...args: string[]): Promise<Ran> {
  const ran: Ran = { code: 0, out: "", err: "" };
  const program = new Command("bluegreen").exitOverride().configureOutput({
    writeOut: (text) => (ran.out += text),
    writeErr: (text) => (ran.err += text),
  });
  register(program);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof Failure) {
      ran.err += error.message;
      ran.code = 1;
    } else if (error instanceof CommanderError) {
      ran.code = error.exitCode;
    } else {
      throw error;
    }
  }
  return ran;
}

/** A folder of its own for a `describe`, with files that a test writes. */
export function useFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-cli-"));
  after(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    write: (file: string, text: string): string => {
      const whole = path.join(folder, file);
      mkdirSync(path.dirname(whole), { recursive: true });
      writeFileSync(whole, text);
      return whole;
    },
  };
}

/** With other variables of the environment, which are put back. */
export async function withEnv<T>(env: NodeJS.ProcessEnv, action: () => Promise<T>): Promise<T> {
  const former = { ...process.env };
  Object.assign(process.env, env);
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete process.env[name];
  try {
    return await action();
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, former);
  }
}
