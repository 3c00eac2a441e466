import type { Command } from "commander";
import { look } from "../look";
import { stackCommand, type WhichStack } from "../stack";
import { inWords } from "../words";

export function registerStatus(program: Command): void {
  stackCommand(program, "status", "tells whether each service of the stack is served as the stack says")
    .option("--json", "the same for programs, with all that was found")
    .addHelpText("after", "\nExit code 2 where something differs, 1 where that can't be told.")
    .action(status);
}

async function status({ json, ...which }: WhichStack & { json?: boolean }): Promise<void> {
  const reports = (await look(which)).map(({ report }) => report);
  console.log(json ? JSON.stringify(reports, null, 2) : reports.map(inWords).join("\n\n"));
  if (reports.some(({ inOrder }) => !inOrder)) process.exitCode = 2;
}
