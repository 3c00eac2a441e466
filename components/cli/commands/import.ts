import { InvalidArgumentError, Option, type Command } from "commander";
import type { Options } from "../compose";

const HELP = `
The settings go to standard output, what is left out and why to standard error. Nothing is written:
  bluegreen import docker-compose.yml web > Pulumi.prod.yaml
The page for people who come from Docker Compose is docs/compose.md.`;

export function registerImport(program: Command): void {
  program
    .command("import")
    .description("prints the settings for one service of a Docker Compose file")
    .argument("<file>", "the compose file")
    .argument("<service>", "the service in it")
    .addOption(
      new Option("--format <format>", "a stack file (Pulumi.STACK.yaml), or a program (index.ts)")
        .choices(["yaml", "typescript"])
        .default("yaml"),
    )
    .option("--image <image>", "the image to run, where the file has none with a version of its own")
    .option("--container-port <port>", "the port of the service, where the file has several", port)
    .addOption(
      new Option(
        "--redis <whose>",
        "the component's own Redis, or keep that of the compose project (default: own, where no other service uses it)",
      ).choices(["own", "keep"]),
    )
    .option("--env-file <file>", "the file of variables, in place of the .env beside the compose file")
    .option(
      "-p, --project-name <name>",
      "Docker Compose's project, which its volumes and networks are named after",
    )
    .option("--pulumi-project <name>", "Pulumi's project (default: that of the Pulumi.yaml here)")
    .addHelpText("after", HELP)
    .action(async (file: string, service: string, options: Options, command: Command) => {
      // Reading a compose file takes what no other command needs, and loading that takes a second.
      const { importFile } = await import("../compose/index.js");
      const { text, told } = importFile(file, service, options);
      const output = command.configureOutput();
      output.writeErr?.(told);
      output.writeOut?.(text);
    });
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new InvalidArgumentError("It must be a port from 1 to 65535.");
  return number;
}
