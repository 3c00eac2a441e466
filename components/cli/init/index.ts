import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure } from "../failure";
import { ask, complete, problemWith, QUESTIONS, type Terminal, type Texts } from "./answers";
import { filesFor } from "./files";
import type { Language } from "./languages";
import { nextSteps, ownPackage } from "./next";

export interface Options extends Texts {
  language: Language;
  stack: string;
}

/** Writes the program, and says what is next. */
export async function init(folder: string, options: Options, terminal: Terminal): Promise<string> {
  const { language, stack } = options;
  // Pulumi names its files after it.
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(stack))
    throw new Failure(
      `--stack is ${JSON.stringify(stack)}, but must be letters, digits and _.- only. Nothing was written.`,
    );
  refuseFolder(folder, language, stack);
  const given: Texts = {};
  const wrong: string[] = [];
  for (const { key, flag } of QUESTIONS) {
    const text = options[key];
    if (text === undefined) continue;
    const problem = problemWith(key, text, stack);
    if (problem === undefined) given[key] = text;
    else wrong.push(`  ${flag}: ${problem}`);
  }
  if (wrong.length > 0) throw new Failure(`Nothing was written. What is wrong:\n${wrong.join("\n")}`);
  const texts = await theRest(given, { stack, folder: path.basename(folder) }, terminal);
  const files = filesFor(language, complete(texts, stack), ownPackage().archive);
  if (existsSync(path.join(folder, "package.json"))) files.delete("package.json");
  write(folder, files);
  return `Written: ${[...files.keys()].join(", ")}.\n${nextSteps(folder, stack, process.env)}\n`;
}

async function theRest(
  given: Texts,
  about: { stack: string; folder: string },
  terminal: Terminal,
): Promise<Required<Texts>> {
  const missing = QUESTIONS.filter(({ key }) => given[key] === undefined);
  if (missing.length === 0) return given as Required<Texts>;
  if (terminal.input.isTTY !== true)
    throw new Failure(
      `There is no terminal to ask on. Nothing was written. What to do next: give ${missing.map(({ flag }) => flag).join(", ")}.`,
    );
  const texts = await ask(given, about, terminal);
  if (texts === undefined) throw new Failure("The questions were not answered. Nothing was written.");
  return texts;
}

/** What would be overwritten, or would be run in place of what is written. */
function refuseFolder(folder: string, language: Language, stack: string): void {
  const programs = language === "yaml" ? [] : ["index.ts", "index.js"];
  const names = ["Pulumi.yaml", "Pulumi.yml", `Pulumi.${stack}.yaml`, ...programs];
  const there = names.filter((name) => existsSync(path.join(folder, name)));
  if (there.length > 0)
    throw new Failure(
      `These files are there already: ${there.join(", ")}. Nothing was written. What to do next: run it in an empty folder (mkdir deploy && cd deploy).`,
    );
  const problem = language === "yaml" ? undefined : problemOfPackage(path.join(folder, "package.json"));
  if (problem !== undefined)
    throw new Failure(
      `package.json ${problem}. Nothing was written. What to do next: run it in an empty folder (mkdir deploy && cd deploy).`,
    );
}

/** What in it would keep Pulumi from running the program. */
function problemOfPackage(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { main, type } = JSON.parse(readFileSync(file, "utf8")) as { main?: string; type?: string };
    if (main !== undefined && !/^(\.\/)?index(\.[jt]s)?$/.test(main))
      return `says "main": ${JSON.stringify(main)}, which Pulumi would run`;
    if (type === "module") return 'says "type": "module", and the program is none';
    return undefined;
  } catch (error) {
    return `can't be read: ${(error as Error).message}`;
  }
}

/** All or nothing. */
function write(folder: string, files: Map<string, string>): void {
  const written: string[] = [];
  for (const [name, text] of files) {
    const file = path.join(folder, name);
    try {
      writeFileSync(file, text, { flag: "wx" });
      written.push(file);
    } catch (error) {
      for (const done of written) rmSync(done);
      throw new Failure(`${name} can't be written: ${(error as Error).message}. Nothing was written.`);
    }
  }
}
