import { substitute, type Lookup } from "./interpolate";

// Files of variables, .env and env_file, as compose-go reads them. Other libraries differ: in what a quote means, what is a
// comment, and that a variable in a value is looked up outside of the file first.

/** A line that is no variable. The message begins with it. */
export class EnvFileError extends Error {}

const ESCAPES: { [letter: string]: string } = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Adds the variables of a file to `known`, which values in it can name, after what `lookup` knows. */
export function parseEnvFile(text: string, known: Map<string, string>, lookup: Lookup): void {
  const find: Lookup = (name) => lookup(name) ?? known.get(name);
  const source = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(source.slice(at))![0].length;
    if (at >= source.length) return;
    if (source[at] === "#") {
      const end = source.indexOf("\n", at);
      if (end === -1) return;
      at = end;
      continue;
    }
    const { name, inherited, next } = readName(source, at);
    if (inherited) {
      const value = find(name);
      if (value !== undefined) known.set(name, value);
      at = next;
      continue;
    }
    const { value, end } = readValue(source, next, find);
    known.set(name, value);
    at = end;
  }
}

const lineAt = (source: string, at: number) => source.slice(0, at).split("\n").length;

function readName(source: string, at: number) {
  const [whole] = /^(export[^\S\n]+)?/.exec(source.slice(at))!;
  const start = at + whole.length;
  // "NAME" alone on its line stands for the value that it has outside.
  const [line, name, separator] = /^([^=:\n]*)([=:\n]|$)/.exec(source.slice(start)) as unknown as string[];
  const trimmed = name.trimEnd();
  if (!/^[\p{L}\p{N}_.\-[\]]+$/u.test(trimmed))
    throw new EnvFileError(
      `line ${lineAt(source, start)}: ${JSON.stringify(trimmed)} is no name of a variable`,
    );
  const next = start + line.length;
  const inherited = separator !== "=" && separator !== ":";
  return {
    name: trimmed,
    inherited,
    next: inherited ? next : next + /^[^\S\n]*/.exec(source.slice(next))![0].length,
  };
}

function readValue(source: string, at: number, find: Lookup): { value: string; end: number } {
  const quote = source[at];
  if (quote === '"' || quote === "'") return readQuoted(source, at, quote, find);
  const newline = source.indexOf("\n", at);
  const end = newline === -1 ? source.length : newline;
  const [plain] = source.slice(at, end).split(" #");
  return { value: substitute(plain.trimEnd(), find), end };
}

function readQuoted(source: string, at: number, quote: string, find: Lookup): { value: string; end: number } {
  let value = "";
  for (let i = at + 1; i < source.length; i++) {
    const letter = source[i];
    if (letter === quote)
      return { value: quote === '"' ? substitute(unescaped(value), find) : value, end: i + 1 };
    if (letter === "\\" && i + 1 < source.length) {
      const escaped = source[++i];
      value += escaped === quote ? quote : `\\${escaped}`;
    } else value += letter;
  }
  throw new EnvFileError(`line ${lineAt(source, at)}: a value begins with ${quote} and does not end`);
}

/** `\$` becomes `$$`, which stands for a plain $ where variables are put in. */
const unescaped = (text: string) =>
  text.replace(/\\(0[0-7]{0,3}|[abcfnrtv$"\\])/g, (whole, escape: string) => {
    if (escape === "$") return "$$";
    if (escape.startsWith("0")) return escape.length === 4 ? String.fromCharCode(parseInt(escape, 8)) : whole;
    return ESCAPES[escape] ?? (escape === "c" ? whole : escape);
  });
