import { Option, type Command } from "commander";
import type { Options } from "../init";
import type { Terminal } from "../init/answers";
import { LANGUAGES } from "../init/languages";

export function registerInit(
  program: Command,
  terminal: Terminal = { input: process.stdin, output: process.stdout },
): void {
  program
    .command("init")
    .description("writes a small program with a BlueGreenService into this folder")
    .option("--name <name>", "name of the project")
    .option("--image <image>", "the image to run, with a version")
    .option("--container-port <port>", "the port that the service listens on in its container")
    .option("--health-path <path>", "the path that answers 2xx when the service can work")
    .addOption(new Option("--language <language>", "of the program").choices(LANGUAGES).default("typescript"))
    .option("--stack <stack>", "name of the stack", "dev")
    .addHelpText("after", "\nIt asks for what no flag says, and overwrites nothing.")
    .action(async (options: Options, command: Command) => {
      // The questions take the component's own rules, and loading those takes a second.
      const { init } = await import("../init/index.js");
      command.configureOutput().writeOut?.(await init(process.cwd(), options, terminal));
    });
}
