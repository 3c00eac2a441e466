import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { Failure } from "./log.mjs";

/**
 * Runs a command with its output on the screen and returns its exit code. `prefix` is put before each line, for commands that
 * run side by side.
 */
export async function show(command, args, { prefix = "", ...options } = {}) {
  if (prefix !== "") {
    const onLine = (line) => console.log(prefix + line);
    return (await capture(command, args, { ...options, onLine })).code;
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/**
 * Runs a command quietly, with `input` as its standard input; `onLine` sees each line as it comes. Never throws for a
 * failing command.
 */
export function capture(command, args, { input, onLine, timeout, ...options } = {}) {
  return new Promise((resolve) => {
    const stdin = input === undefined ? "ignore" : "pipe";
    const child = spawn(command, args, { stdio: [stdin, "pipe", "pipe"], timeout, ...options });
    // A command that ends without having read it tells why itself.
    child.stdin?.on("error", () => {}).end(input);
    const streams = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      let rest = "";
      child[name].setEncoding("utf8").on("data", (chunk) => {
        streams[name] += chunk;
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        for (const line of lines) onLine?.(line, child);
      });
    }
    child.on("error", (error) => resolve({ ok: false, code: 1, stdout: "", stderr: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, code: code ?? 1, ...streams }));
  });
}

/** Like `capture`, for a command that must succeed. */
export async function must(command, args, options) {
  const result = await capture(command, args, options);
  if (!result.ok) {
    const tail = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-20).join("\n");
    throw new Failure(`\`${[command, ...args].join(" ")}\` failed:\n${tail}`);
  }
  return result.stdout;
}

/** The first executable of that name on PATH which `accept` takes. */
export function findOnPath(name, accept = () => true) {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, name))
    .find((file) => isExecutable(file) && accept(file));
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
