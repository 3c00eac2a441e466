import type { Tree } from "./file";
import { isTree } from "./file";
import type { Place, Problem } from "./problem";

// Variables in a compose file: $NAME, ${NAME} and ${NAME…} with one of :- - :+ + :? ?, nested too; $$ is a plain $. As compose-go
// does it, which Docker Compose is made of, and not as a shell does it.

export type Lookup = (name: string) => string | undefined;

/** A template that is wrong, or a variable that has to be set. */
export class TemplateError extends Error {}

const OPERATION = /^([_a-zA-Z][_a-zA-Z0-9]*)(?:(:?[-+?])([^]*))?$/;

/** `unset` is told of each variable that is not set and has no default: what Docker Compose warns of. */
export function substitute(text: string, lookup: Lookup, unset: (name: string) => void = () => {}): string {
  let result = "";
  let rest = text;
  for (;;) {
    const start = rest.indexOf("$");
    if (start === -1) return result + rest;
    result += rest.slice(0, start);
    rest = rest.slice(start);
    const [, name] = /^\$([_a-zA-Z][_a-zA-Z0-9]*)/.exec(rest) ?? [];
    if (rest.startsWith("$$")) {
      result += "$";
      rest = rest.slice(2);
    } else if (name !== undefined) {
      result += valueOf(name, lookup, unset);
      rest = rest.slice(1 + name.length);
    } else if (rest.startsWith("${")) {
      const end = closingBrace(rest);
      if (end === -1) throw new TemplateError(`has a \${ without its }: ${JSON.stringify(text)}`);
      result += operate(rest.slice(2, end), lookup, unset);
      rest = rest.slice(end + 1);
    } else {
      result += "$";
      rest = rest.slice(1);
    }
  }
}

function valueOf(name: string, lookup: Lookup, unset: (name: string) => void): string {
  const value = lookup(name);
  if (value === undefined) unset(name);
  return value ?? "";
}

function closingBrace(text: string): number {
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") open++;
    if (text[i] === "}" && --open === 0) return i;
  }
  return -1;
}

function operate(expression: string, lookup: Lookup, unset: (name: string) => void): string {
  const parts = OPERATION.exec(expression);
  if (parts === null)
    throw new TemplateError(
      `has \${${expression}}, which is no variable of Docker Compose; a plain $ is written as $$`,
    );
  const [, name, operator, operand] = parts as unknown as [string, string, string?, string?];
  if (operator === undefined) return valueOf(name, lookup, unset);
  const value = lookup(name);
  const isSet = value !== undefined && !(operator.startsWith(":") && value === "");
  const inner = () => substitute(operand ?? "", lookup, unset);
  if (operator.endsWith("-")) return isSet ? value : inner();
  if (operator.endsWith("+")) return isSet ? inner() : "";
  if (isSet) return value;
  const why = inner();
  throw new TemplateError(`needs the variable ${name}, which is not set${why === "" ? "" : `: ${why}`}`);
}

/** All texts of a tree, but no keys. */
export function interpolate(
  tree: Tree,
  lookup: Lookup,
  { problem, unset }: { problem: (one: Problem) => void; unset: (name: string, place: Place) => void },
): Tree {
  const visit = (value: unknown, place: Place): unknown => {
    if (Array.isArray(value)) return value.map((inner, i) => visit(inner, [...place, i]));
    if (isTree(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, visit(inner, [...place, key])]),
      );
    if (typeof value !== "string") return value;
    try {
      return substitute(value, lookup, (name) => unset(name, place));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problem({
        place,
        reason: error.message,
        next: "set the variable in .env or in your shell, or mend the value.",
      });
      return value;
    }
  };
  return visit(tree, []) as Tree;
}
