import { createInterface } from "node:readline/promises";
import { Failure } from "./failure";

/** Asks before something is done. Without a terminal there is nobody to ask. */
export async function confirm(question: string, command: string): Promise<void> {
  refuseWithoutTerminal(command);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("Not confirmed. Nothing was changed.");
}

export function refuseWithoutTerminal(command: string): void {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Failure(
      `\`bluegreen ${command}\` asks before it does anything, and there is no terminal to ask at. Nothing was changed. Without asking: npx bluegreen ${command} --yes`,
    );
}
