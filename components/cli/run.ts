import { spawn } from "node:child_process";

export interface Ended {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Runs a command quietly, with `input` as its standard input. Never throws for one that fails or is not there. */
export function capture(
  command: string,
  args: string[],
  { input = "", cwd, env }: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
    const ended = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (chunk: string) => (ended[name] += chunk));
    child.on("error", ({ message }) => resolve({ ok: false, stdout: "", stderr: message }));
    child.on("close", (code) => resolve({ ok: code === 0, ...ended }));
    // A command that ends without having read it tells why itself.
    child.stdin.on("error", () => {}).end(input);
  });
}

/** Runs a command at this terminal: it prints and asks there, and Ctrl-C is its own, so that what comes after it still does. */
export function show(command: string, args: string[], { cwd }: { cwd?: string } = {}): Promise<boolean> {
  const leaveIt = () => {};
  process.on("SIGINT", leaveIt);
  return new Promise<boolean>((resolve) => {
    const child = spawn(command, args, { cwd, stdio: "inherit" });
    child.on("error", ({ message }) => {
      console.error(message);
      resolve(false);
    });
    child.on("close", (code) => resolve(code === 0));
  }).finally(() => process.off("SIGINT", leaveIt));
}
