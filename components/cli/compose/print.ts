import { Document, visit, type Scalar } from "yaml";
import { pathOf } from "../../settings/violations";
import type { Imported } from "./map";
import type { Place } from "./problem";
import type { Project } from "./project";

export interface Names {
  /** The compose service. */
  service: string;
  /** What keys of the stack file begin with. */
  pulumiProject: string;
}

/** A piece of what is told: where, what, and what to do instead. */
interface Line {
  where: string;
  text: string;
  next?: string;
}

interface Told {
  leftOut: Line[];
  remarks: Line[];
  others: Line[];
}

function told(project: Project, { service }: Names, { findings, others, placeOf }: Imported): Told {
  const where = (from: Place) => {
    const place = placeOf(from);
    const line = project.file.lineOf(place);
    return `${pathOf(place)}${line === undefined ? "" : ` (line ${line})`}`;
  };
  const unset = project.unset.filter(({ place }) => place[0] === "services" && place[1] === service);
  const remarks: Line[] = findings.remarks.map(({ from, text }) => ({ where: where(from), text }));
  for (const { name, place } of unset)
    remarks.push({
      where: `${pathOf(place)} (line ${project.file.lineOf(place)})`,
      text: `the variable ${name} is not set, and so nothing stands in its place, as with Docker Compose`,
    });
  if (project.override !== undefined)
    remarks.push({
      where: project.override,
      text: `Docker Compose merges it by itself, and here it is not read. Where it counts: docker compose config --no-path-resolution > flat.yml, and import flat.yml`,
    });
  return {
    leftOut: findings.leftOut.map(({ from, reason, next }) => ({ where: where(from), text: reason, next })),
    remarks,
    others: others.map(({ name, text }) => ({ where: `services.${name}`, text })),
  };
}

/** A sentence, in lines that fit a terminal. */
function wrap(text: string, indent: string, width = 110): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + word.length >= width) {
      lines.push(indent + line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, indent + line];
}

const sentence = (text: string) => `${text}${/[.!?…]$/.test(text) ? "" : "."}`;
const format = ({ where, text, next }: Line): string[] => {
  const [first, ...rest] = wrap(sentence(`${where}: ${text}`), "    ");
  return [`  ${first.trimStart()}`, ...rest, ...(next === undefined ? [] : wrap(`Instead: ${next}`, "    "))];
};

function sections({ leftOut, remarks, others }: Told): string[] {
  const section = (title: string, lines: Line[]) =>
    lines.length === 0 ? [] : [title, ...lines.flatMap(format)];
  return [
    ...section("Left out:", leftOut),
    ...section("Mind:", remarks),
    ...section("Other services of the file:", others),
  ];
}

// --- for people, on stderr

export function report(project: Project, names: Names, imported: Imported, format: Format): string {
  const secrets = imported.findings.secrets;
  const lines = [
    `${project.file.name}: the service ${names.service}`,
    ...sections(told(project, names, imported)),
  ];
  if (imported.findings.same.length > 0) {
    const keys = [...new Set(imported.findings.same.map(({ from }) => String(from[0])))];
    lines.push(...wrap(`Needs no setting, wholly or in part: ${keys.join(", ")}.`, ""));
  }
  if (secrets.length > 0)
    lines.push(
      "Secrets, which are not printed. Before 'pulumi up', each asks for its value (from your .env, say):",
      ...secrets.map((path) => `  ${secretCommand(path, format)}`),
    );
  return `${lines.join("\n")}\n`;
}

export type Format = "yaml" | "typescript";

const quote = (word: string) => (/^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function secretCommand(path: Place, format: Format): string {
  return format === "yaml"
    ? `pulumi config set --secret --path ${quote(pathOf(path))}`
    : `pulumi config set --secret ${quote(configKey(path))}`;
}

// --- the settings, on stdout

function head(project: Project, names: Names, imported: Imported, format: Format): string[] {
  return [
    `From ${project.file.name}, service ${names.service}, by 'bluegreen import'.`,
    ...sections(told(project, names, imported)),
    ...(imported.findings.secrets.length === 0 ? [] : ["Secrets, to be set once:"]),
    ...imported.findings.secrets.map((path) => `  ${secretCommand(path, format)}`),
  ];
}

const comment = (mark: string, lines: string[]) =>
  lines.map((line) => `${mark} ${line}`.trimEnd()).join("\n");

/** The file Pulumi.STACK.yaml. */
export function asYaml(project: Project, names: Names, imported: Imported): string {
  const args = imported.findings.args((_, value, secret) => (secret ? undefined : value));
  const config = Object.fromEntries(
    Object.entries(args).map(([key, value]) => [`${names.pulumiProject}:${key}`, value as unknown]),
  );
  const document = new Document({ config }, { aliasDuplicateObjects: false });
  visit(document, { Scalar: (_, scalar) => quoteWhatIsNoWord(scalar) });
  const yaml = document.toString({ lineWidth: 0 });
  return `${comment("#", head(project, names, imported, "yaml"))}\n${yaml}`;
}

/** To Pulumi's own reader of YAML, `no` is false, `1_0` is 10 and `22:22` may be a time. */
function quoteWhatIsNoWord(scalar: Scalar): void {
  if (typeof scalar.value !== "string") return;
  const isWord = /^(?!(y|n|yes|no|on|off|true|false|null)$)[A-Za-z/][\w./:@-]*$/i.test(scalar.value);
  if (!isWord || scalar.value.endsWith(":")) scalar.type = "QUOTE_DOUBLE";
}

/** The name of a secret in the stack's configuration. */
const configKey = (path: Place): string => (path[0] === "env" ? String(path[1]) : path.join("-"));

/** The file index.ts. */
export function asTypeScript(project: Project, names: Names, imported: Imported): string {
  const hasSecrets = imported.findings.secrets.length > 0;
  const args = imported.findings.args((path, value, secret) =>
    secret ? new Code(`config.requireSecret(${JSON.stringify(configKey(path))})`) : value,
  );
  return `${comment("//", head(project, names, imported, "typescript"))}
${hasSecrets ? 'import * as pulumi from "@pulumi/pulumi";\n' : ""}import { BlueGreenService } from "bluegreen";
${hasSecrets ? "\nconst config = new pulumi.Config();\n" : ""}
const service = new BlueGreenService(${JSON.stringify(names.service)}, ${literal(args, "")});

export const url = service.url;
export const previewUrl = service.previewUrl;
`;
}

/** What is no text in the program. */
class Code {
  constructor(readonly code: string) {}
}

function literal(value: unknown, indent: string): string {
  if (value instanceof Code) return value.code;
  if (Array.isArray(value)) {
    const flat = `[${value.map((one) => literal(one, indent)).join(", ")}]`;
    if (!flat.includes("\n") && flat.length < 90) return flat;
    return `[\n${value.map((one) => `${indent}  ${literal(one, `${indent}  `)},\n`).join("")}${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, inner]) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    // As a computed name it is one like any other.
    return `${key === "__proto__" ? `["__proto__"]` : name}: ${literal(inner, `${indent}  `)}`;
  });
  const flat = `{ ${members.join(", ")} }`;
  if (members.length === 0) return "{}";
  if (indent !== "" && !flat.includes("\n") && flat.length < 80) return flat;
  return `{\n${members.map((member) => `${indent}  ${member},\n`).join("")}${indent}}`;
}
