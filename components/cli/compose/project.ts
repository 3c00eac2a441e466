import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { EnvFileError, parseEnvFile } from "./dotenv";
import { FLAT } from "./extend";
import { ComposeFile, isTree, type Tree } from "./file";
import { interpolate, TemplateError, type Lookup } from "./interpolate";
import { ImportError, type Place, type Problem } from "./problem";
import { check, type Unknown } from "./schema";
import { isSecret } from "./secrets";

/** A compose file with its variables put in. */
export interface Project {
  file: ComposeFile;
  folder: string;
  /** What Docker Compose calls it, and what names of its volumes and networks begin with. */
  name: string;
  lookup: Lookup;
  /** Values of variables that were put in and nobody else may know. */
  secrets: Set<string>;
  content: Tree;
  services: Tree;
  unknown: Unknown[];
  /** Variables that nobody has set: Docker Compose puts in nothing, and warns. */
  unset: { name: string; place: Place }[];
  /** A file that Docker Compose would merge with it. */
  override?: string;
}

export interface Given {
  env: NodeJS.ProcessEnv;
  /** In place of the .env beside the compose file. */
  envFile?: string;
  projectName?: string;
}

export function readProject(name: string, given: Given): Project {
  const folder = path.dirname(path.resolve(name));
  const text = read(name, name, "give the path of a compose file.");
  const file = new ComposeFile(name, text);
  const refuse = (problems: Problem[]) => {
    const located = problems.map((one) => ({ line: file.lineOf(one.place), ...one }));
    if (located.length > 0) throw new ImportError(name, located);
  };

  const shell: Lookup = (variable) => (Object.hasOwn(given.env, variable) ? given.env[variable] : undefined);
  const variables = dotEnv(name, folder, given, shell);
  const outside: Lookup = (variable) => shell(variable) ?? variables.get(variable);
  const problems: Problem[] = [];
  const unset: Project["unset"] = [];
  const listen = {
    problem: (one: Problem) => problems.push(one),
    unset: (variable: string, place: Place) => unset.push({ name: variable, place }),
  };
  const projectName = nameOf(file.content, folder, given, outside);
  // Docker Compose sets it, and files name it.
  const lookup: Lookup = (variable) =>
    variable === "COMPOSE_PROJECT_NAME" ? projectName : outside(variable);
  const secrets = new Set<string>();
  const watched: Lookup = (variable) => {
    const value = lookup(variable);
    if (value !== undefined && value.length > 3 && isSecret(variable, value)) secrets.add(value);
    return value;
  };
  const content = interpolate(file.content, watched, listen);
  refuse(problems);
  const checked = check(content);
  refuse(checked.problems);
  if (!isTree(content.services))
    refuse([{ place: [], reason: "has no services", next: content.include === undefined ? GIVE : FLAT }]);
  return {
    file,
    folder,
    name: projectName,
    lookup,
    secrets,
    content,
    services: content.services as Tree,
    unknown: checked.unknown,
    unset,
    override: overrideOf(name),
  };
}

const GIVE = "give a compose file: one with the key 'services' at its top.";

function read(file: string, about: string, next: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = `can't be read: ${(error as Error).message}`;
    throw new ImportError(about, [
      { place: [], reason: file === about ? reason : `${file} ${reason}`, next },
    ]);
  }
}

/** The .env beside the compose file, or the file that is given for it. */
function dotEnv(name: string, folder: string, { envFile }: Given, shell: Lookup): Map<string, string> {
  const variables = new Map<string, string>();
  const file = envFile ?? path.join(folder, ".env");
  if (envFile === undefined && !existsSync(file)) return variables;
  const text = read(file, name, "give the file of variables that there is.");
  parseFile(name, file, text, variables, shell);
  return variables;
}

export function parseFile(
  about: string,
  file: string,
  text: string,
  variables: Map<string, string>,
  lookup: Lookup,
): void {
  try {
    parseEnvFile(text, variables, lookup);
  } catch (error) {
    if (!(error instanceof EnvFileError || error instanceof TemplateError)) throw error;
    throw new ImportError(about, [
      {
        place: [],
        reason: `${file}: ${error.message}`,
        next: "mend that file.",
      },
    ]);
  }
}

/** A folder's name is made fit, as Docker Compose does it. */
function nameOf(content: Tree, folder: string, given: Given, lookup: Lookup): string {
  const inFile = interpolate({ name: content.name ?? "" }, lookup, {
    problem: () => {},
    unset: () => {},
  }).name;
  const found =
    given.projectName ?? (lookup("COMPOSE_PROJECT_NAME") || String(inFile) || path.basename(folder));
  return found
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

/** Docker Compose reads it by itself only beside a file with one of the names that it looks for. */
function overrideOf(name: string): string | undefined {
  const [, stem, extension] = /^(docker-compose|compose)\.(ya?ml)$/.exec(path.basename(name)) ?? [];
  if (stem === undefined) return undefined;
  const names = [extension, "yml", "yaml"].map((end) =>
    path.join(path.dirname(name), `${stem}.override.${end}`),
  );
  return names.find((file) => existsSync(file));
}

// --- what Docker calls things

/** The name that Docker has for a volume or a network of the file. */
export function nameOnHost(project: Project, kind: "volumes" | "networks", key: string): string {
  const all = project.content[kind];
  const one = isTree(all) && isTree(all[key]) ? all[key] : {};
  if (typeof one.name === "string") return one.name;
  if (isTree(one.external) && typeof one.external.name === "string") return one.external.name;
  const isExternal = isTree(one.external) || [true, "true"].includes(one.external as boolean | string);
  return isExternal ? key : `${project.name}_${key}`;
}
