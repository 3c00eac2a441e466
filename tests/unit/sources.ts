import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { parse as parseYaml } from "yaml";

// What the sources say to people, so that it can be compared with what they do.

const ROOT = path.resolve(__dirname, "../..");

function parse(file: string): ts.SourceFile {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** The interfaces of components/args.ts: their members and what is written about each. */
export function documentedArgs(): { [interfaceName: string]: { [member: string]: string } } {
  const interfaces = parse("components/args.ts").statements.filter(ts.isInterfaceDeclaration);
  return Object.fromEntries(
    interfaces.map((one) => [
      one.name.text,
      Object.fromEntries(
        one.members.map((member) => [(member.name as ts.Identifier).text, commentOf(member)]),
      ),
    ]),
  );
}

function commentOf(node: ts.Node): string {
  const comments = ts.getJSDocCommentsAndTags(node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "");
  return comments.join(" ").replace(/\s+/g, " ");
}

/** The keys that config.ts takes, with the inner keys of what is structured. */
export function configShapes(): { [key: string]: string[] } {
  const keys: { [key: string]: string[] } = {};
  const visit = (node: ts.Node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === "shapes") {
      for (const property of (node.initializer as ts.ObjectLiteralExpression).properties) {
        keys[property.name!.getText()] = innerKeys(property);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parse("config.ts"));
  return keys;
}

function innerKeys(node: ts.Node): string[] {
  if (ts.isObjectLiteralExpression(node)) return node.properties.map((property) => property.name!.getText());
  return (
    ts.forEachChild(node, (child) => {
      const found = innerKeys(child);
      return found.length > 0 ? found : undefined;
    }) ?? []
  );
}

export interface ProjectKey {
  type: string;
  description: string;
  /** As text, as the engine hands it over: JSON for what is structured. */
  default: string;
}

/** The configuration of a stack's file in the checkout, as the engine hands it over. */
export function stackConfig(stack: string): { [key: string]: string } {
  const file = parseYaml(readFileSync(path.join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: { [key: string]: unknown };
  };
  return Object.fromEntries(
    Object.entries(file.config).map(([key, value]) => [
      key.replace(/^bluegreen:/, ""),
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** The configuration keys of Pulumi.yaml. The file is plain enough to be read line by line. */
export function projectKeys(): { [key: string]: ProjectKey } {
  const keys: { [key: string]: ProjectKey } = {};
  let current = "";
  for (const line of readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8").split("\n")) {
    const [, key] = /^ {2}(\w+):$/.exec(line) ?? [];
    if (key !== undefined) keys[(current = key)] = { type: "", description: "", default: "missing" };
    const [, field, value] = /^ {4}(type|description|default): (.*)$/.exec(line) ?? [];
    if (field !== undefined) keys[current][field as keyof ProjectKey] = value.replace(/^"(.*)"$/, "$1");
  }
  return keys;
}
