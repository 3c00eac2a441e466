import { InvalidArgumentError, Option, type Command } from "commander";
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { importService } from "./compose/map";
import { asTypeScript, asYaml, report, type Format } from "./compose/print";
import { ImportError } from "./compose/problem";
import { readProject } from "./compose/project";

interface Options {
  format: Format;
  image?: string;
  containerPort?: number;
  redis?: "own" | "keep";
  envFile?: string;
  projectName?: string;
  pulumiProject?: string;
}

const HELP = `
The settings go to standard output, what is left out and why to standard error. Nothing is written:
  bluegreen import docker-compose.yml web > Pulumi.prod.yaml
The page for people who come from Docker Compose is docs/compose.md.`;

export function registerImport(program: Command): void {
  program
    .command("import")
    .description("print the settings for one service of a Docker Compose file")
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
    .action((file: string, service: string, options: Options, command: Command) => {
      try {
        const { text, told } = importFile(file, service, options);
        const output = command.configureOutput();
        output.writeErr?.(told);
        output.writeOut?.(text);
      } catch (error) {
        if (!(error instanceof ImportError)) throw error;
        command.error(`error: ${error.message}`, { exitCode: 1 });
      }
    });
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new InvalidArgumentError("It must be a port from 1 to 65535.");
  return number;
}

function importFile(file: string, service: string, options: Options): { text: string; told: string } {
  const { format, envFile, projectName } = options;
  const project = readProject(file, { env: process.env, envFile, projectName });
  const imported = importService(project, service, options);
  const { pulumiProject = projectHere() } = options;
  const names = { service, pulumiProject: pulumiProject ?? project.name };
  const text = format === "yaml" ? asYaml(project, names, imported) : asTypeScript(project, names, imported);
  const noProject = `There is no Pulumi.yaml here: the keys begin with "${names.pulumiProject}:". They have to begin with the name in the program's Pulumi.yaml (--pulumi-project).\n`;
  const told = report(project, names, imported, format);
  return { text, told: format === "yaml" && pulumiProject === undefined ? told + noProject : told };
}

function projectHere(): string | undefined {
  if (!existsSync("Pulumi.yaml")) return undefined;
  try {
    const { name } = parse(readFileSync("Pulumi.yaml", "utf8")) as { name?: unknown };
    return typeof name === "string" ? name : undefined;
  } catch {
    // Pulumi says what is wrong with it.
    return undefined;
  }
}
