import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { importService } from "./map";
import { asTypeScript, asYaml, report, type Format } from "./print";
import { readProject } from "./project";

export interface Options {
  format: Format;
  image?: string;
  containerPort?: number;
  redis?: "own" | "keep";
  envFile?: string;
  projectName?: string;
  pulumiProject?: string;
}

/** The settings, and what is told beside them. */
export function importFile(file: string, service: string, options: Options): { text: string; told: string } {
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
