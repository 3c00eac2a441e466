import { Command } from "commander";
import { registerFlip } from "./commands/flip";
import { registerForget } from "./commands/forget";
import { registerHeal } from "./commands/heal";
import { registerHistory } from "./commands/history";
import { registerImport } from "./commands/import";
import { registerInit } from "./commands/init";
import { registerLogs } from "./commands/logs";
import { registerStatus } from "./commands/status";
import { Failure } from "./failure";

const program = new Command("bluegreen")
  .description("Looks after the BlueGreenServices of a Pulumi stack, from the folder of its program")
  .configureOutput({
    outputError: (text, write) =>
      write(`${text.trim()}\nNothing was changed. \`npx bluegreen --help\` lists what there is.\n`),
  });
for (const register of [
  registerStatus,
  registerHistory,
  registerLogs,
  registerHeal,
  registerFlip,
  registerForget,
  registerInit,
  registerImport,
])
  register(program);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Failure ? `\n${error.message}` : error);
  process.exitCode = 1;
});
