import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A word that a POSIX shell takes as this very text, whatever it contains. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Assignments that a shell can eval: every value is data. */
export function assignments(values: { [name: string]: string | number }): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(String(value))}\n`)
    .join("");
}

/**
 * A shell function that prints the text as it is. The end of a here-document is a line of its own; with the text's own
 * hash in it, no text can contain it.
 */
export function printingFunction(name: string, text: string): string {
  const end = `END_${hash(text)}`;
  return `${name}() {\n  cat <<'${end}'\n${text.endsWith("\n") ? text : `${text}\n`}${end}\n}\n`;
}

export const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** A script or a configuration, by its place in this folder: the first part says where it runs. */
export const shellFile = (place: string): string => readFileSync(join(__dirname, place), "utf8");

/**
 * All that "sh -s" reads on the host: the function settings, further functions that print a text each, and then the scripts that
 * call them.
 */
export const hostScript = (
  settings: { [name: string]: string | number },
  scripts: string[],
  functions: { [name: string]: string } = {},
): string =>
  [
    printingFunction("settings", assignments(settings)),
    ...Object.entries(functions).map(([name, text]) => printingFunction(name, text)),
    shellFiles(...scripts),
  ].join("\n");

/** Several of them as one script: what others use comes first. */
export const shellFiles = (...places: string[]): string => places.map(shellFile).join("\n");
