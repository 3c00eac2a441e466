import { InvalidArgumentError, type Command } from "commander";
import { look } from "../look";
import { stackCommand, type WhichStack } from "../stack";
import { entryInWords } from "../words";

export function registerHistory(program: Command): void {
  stackCommand(program, "history", "lists the releases, flips, heals and other switches, the newest first")
    .option("-n, --number <count>", "how many of each service, at most", wholeNumber)
    .option("--json", "the same for programs")
    .action(history);
}

interface Options extends WhichStack {
  number?: number;
  json?: boolean;
}

async function history({ number, json, ...which }: Options): Promise<void> {
  const histories = (await look(which)).map(({ report: { service, stack, journal } }) => ({
    service,
    stack,
    journal: journal.slice(-(number ?? Infinity)).reverse(),
  }));
  if (json) return console.log(JSON.stringify(histories, null, 2));
  const blocks = histories.map(({ service, stack, journal }) =>
    [`${service} (${stack})`, ...journal.map((entry) => `  ${entryInWords(entry)}`)].join("\n"),
  );
  console.log(blocks.join("\n\n"));
}

export function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}
