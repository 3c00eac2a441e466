// What README.md and Pulumi.yaml say of each setting.
import { readFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import ts from "typescript";
import { parseDocument, type Document } from "yaml";
import { z } from "zod";
import { schema, withoutDefault } from "../../components/settings/schema";

const ROOT = path.join(__dirname, "../..");

export interface Setting {
  path: string;
  type: z.core.$ZodType;
  comment: string;
  /** The first sentence of its comment. */
  what: string;
  default: string;
  unit: string;
  cost: string;
}

type Members = { [member: string]: { comment: string; what: string; type: string } };

/** The interfaces of args.ts. */
function interfaces(): { [name: string]: Members } {
  const file = path.join(ROOT, "components/settings/args.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const all: { [name: string]: Members } = {};
  for (const one of source.statements.filter(ts.isInterfaceDeclaration)) {
    const own = one.members.filter(ts.isPropertySignature).map((member) => {
      const comment = commentOf(member);
      const [what] = /^.*?(?=[.:;](?: |$)|$)/.exec(comment) ?? [""];
      return [member.name.getText(), { comment, what, type: member.type?.getText() ?? "" }] as const;
    });
    // What it extends stands before it.
    const extended = one.heritageClauses?.flatMap(({ types }) => types.map((type) => all[type.getText()]));
    all[one.name.text] = Object.assign({}, ...(extended ?? []), Object.fromEntries(own)) as Members;
  }
  return all;
}

function commentOf(node: ts.Node): string {
  const comments = ts.getJSDocCommentsAndTags(node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "");
  return comments.join(" ").replace(/\s+/g, " ");
}

/** All settings that a person gives a value, in the order of the schema. */
export function settings(): Setting[] {
  const all = interfaces();
  const visit = (type: z.core.$ZodType, members: Members, prefix: string): Setting[] => {
    const shape = (withoutDefault(type) as z.ZodObject).shape as z.ZodRawShape;
    return Object.entries(shape).flatMap(([name, row]) => {
      const { comment, what, type: typeName } = members[name];
      const kind = withoutDefault(row);
      const inner = all[typeName.replace(/^\{ \[name: string\]: (\w+) \}$|\[\]$/, "$1")];
      const place = prefix + name;
      // What a color has otherwise than both stands in the table once, for both.
      const isOwn = z.globalRegistry.get(row)?.cost !== undefined;
      if (kind instanceof z.ZodObject && !isOwn) return visit(kind, inner, `${place}.`);
      const own = { path: place, type: row, comment, what, ...aboutOf(row) };
      if (inner === undefined || own.default === `as \`${name}\``) return [own];
      if (kind instanceof z.ZodArray) return [own, ...visit(kind.element, inner, `${place}[].`)];
      if (kind instanceof z.ZodRecord) return [own, ...visit(kind.valueType, inner, `${place}.NAME.`)];
      return [own];
    });
  };
  return visit(schema, all.BlueGreenServiceArgs, "");
}

function aboutOf(row: z.core.$ZodType): Pick<Setting, "default" | "unit" | "cost"> {
  const {
    cost,
    unit = "",
    otherwise,
  } = z.globalRegistry.get(row) as { cost: string; unit?: string; otherwise?: string };
  return { unit, cost, default: otherwise ?? defaultOf(row) };
}
function defaultOf(row: z.core.$ZodType): string {
  if (row instanceof z.ZodOptional) return "none";
  if (!(row instanceof z.ZodPrefault)) return "required";
  const value: unknown = row.def.defaultValue;
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

// --- README.md

const BEGIN = "<!-- From components/settings/ by `npm run settings`. -->";

function readme(text: string, all: Setting[]): string {
  const cells = all.map((one) => [`\`${one.path}\``, one.default, one.unit, one.what, one.cost]);
  const head = ["Setting", "Default", "Unit", "What it is", "A change costs"];
  const table = [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
  const at = text.indexOf(BEGIN);
  const end = text.indexOf("\n\n", text.indexOf("\n| Setting", at));
  if (at < 0 || end < 0) throw new Error(`README.md has no table after ${BEGIN}`);
  return `${text.slice(0, at)}${BEGIN}\n\n${table}${text.slice(end)}`;
}

// --- Pulumi.yaml

/** What the checkout's own stacks have where they set nothing: every key of a project has a value. */
const VALUES: { [key: string]: unknown } = {
  activeColor: "blue",
  blue: { image: "bluegreen-demo:1.0.0" },
  green: { image: "bluegreen-demo:1.1.0" },
  ingress: "",
  command: [],
  envFile: "",
  memoryMb: 0,
  keepImages: 0,
};

function project(text: string, all: Setting[]): string {
  const file = parseDocument(text);
  const shape = schema.shape as z.ZodRawShape;
  const { BlueGreenServiceArgs: members } = interfaces();
  for (const key of keysOf(file)) if (!(key in shape) && !key.includes(":")) file.deleteIn(["config", key]);
  for (const [key, row] of Object.entries(shape)) {
    const inner = all.filter((one) => one.path.startsWith(`${key}.`) || one.path.startsWith(`${key}[].`));
    const value = VALUES[key] ?? (row instanceof z.ZodPrefault ? row.def.defaultValue : undefined);
    file.setIn(
      ["config", key],
      file.createNode({
        ...typeIn(withoutDefault(row)),
        description: [members[key].what, inner.map((one) => inWords(one, key)).join(", ")]
          .filter(Boolean)
          .join(": "),
        default: value,
      }),
    );
  }
  return file.toString({ lineWidth: 0 });
}

const keysOf = (file: Document) => Object.keys((file.toJS() as { config: object }).config);

/** A setting within another: its name, and its default where there is one. */
function inWords({ path, default: value }: Setting, key: string): string {
  const name = path.slice(key.length).replace(/^(\[\]|\.NAME)?\./, "");
  return /^(none|required)$/.test(value) ? name : `${name} (${value.replaceAll("`", "")})`;
}

function typeIn(kind: z.core.$ZodType | undefined): { type: string; items?: object } {
  if (kind instanceof z.ZodArray) return { type: "array", items: typeIn(kind.element) };
  if (kind instanceof z.ZodNumber) return { type: "integer" };
  if (kind instanceof z.ZodBoolean) return { type: "boolean" };
  return { type: kind instanceof z.ZodObject || kind instanceof z.ZodRecord ? "object" : "string" };
}

// ---

/** Both files, as they should be. */
export async function documents(): Promise<{ [file: string]: string }> {
  const all = settings();
  const written = Object.entries({ "README.md": readme, "Pulumi.yaml": project }).map(
    async ([file, write]) => {
      const filepath = path.join(ROOT, file);
      const text = write(readFileSync(filepath, "utf8"), all);
      return [file, await format(text, { ...(await resolveConfig(filepath)), filepath })] as const;
    },
  );
  return Object.fromEntries(await Promise.all(written));
}
