import { createInterface } from "node:readline";
import { problemOfNames } from "../../names";
import { findViolations } from "../../settings";
import { AUTONAMING } from "./files";

/** What a new program is made of. */
export interface Answers {
  name: string;
  image: string;
  containerPort: number;
  healthPath: string;
  stack: string;
}

type Key = "name" | "image" | "containerPort" | "healthPath";

interface Question {
  key: Key;
  flag: string;
  words: string;
  usual?: (folder: string) => string;
}

export const QUESTIONS: Question[] = [
  { key: "name", flag: "--name", words: "Name of the project", usual: nameFrom },
  { key: "image", flag: "--image", words: "Image, with a version (such as registry.example.com/shop:1.4.2)" },
  {
    key: "containerPort",
    flag: "--container-port",
    words: "Port that the service listens on in its container",
    usual: () => "3000",
  },
  {
    key: "healthPath",
    flag: "--health-path",
    words: "Path that answers 2xx when the service can work",
    usual: () => "/health",
  },
];

function nameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return name === "" ? "service" : name.slice(0, 20);
}

/** As texts, from flags or from the keyboard. */
export type Texts = { [K in Key]?: string };

/** What is wrong with one of them, in words. */
export function problemWith(key: Key, text: string, stack: string): string | undefined {
  if (key === "name") {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(text))
      return `is ${JSON.stringify(text)}, but must be letters, digits, - and _ with a letter first, and no more than 40`;
    return problemOfNames(
      { project: text, stack, component: "service", autonaming: JSON.stringify(AUTONAMING) },
      false,
    );
  }
  const right: Required<Texts> = {
    name: "",
    image: "shop:1.0.0",
    containerPort: "3000",
    healthPath: "/health",
  };
  right[key] = text;
  const { image, containerPort, healthPath } = right;
  const color = { image };
  const [violation] = findViolations({
    activeColor: "blue",
    blue: color,
    green: color,
    containerPort: containerPort.trim() === "" ? Number.NaN : Number(containerPort),
    health: { path: healthPath },
  });
  return violation?.reason;
}

export function complete(texts: Required<Texts>, stack: string): Answers {
  return { ...texts, containerPort: Number(texts.containerPort), stack };
}

export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream;
}

/** Asks for what is missing, and again for what is wrong. Undefined: whoever was asked has gone. */
export async function ask(
  given: Texts,
  { stack, folder }: { stack: string; folder: string },
  { input, output }: Terminal,
): Promise<Required<Texts> | undefined> {
  const reader = createInterface({ input, output });
  const lines = reader[Symbol.asyncIterator]();
  const texts: Texts = { ...given };
  try {
    for (const { key, words, usual } of QUESTIONS) {
      while (texts[key] === undefined) {
        const otherwise = usual?.(folder);
        output.write(`${words}${otherwise === undefined ? "" : ` [${otherwise}]`}: `);
        const { value, done } = await lines.next();
        if (done === true) return undefined;
        const text = value.trim() || (otherwise ?? "");
        const problem = problemWith(key, text, stack);
        if (problem === undefined) texts[key] = text;
        else output.write(`  That ${problem}.\n`);
      }
    }
    return texts as Required<Texts>;
  } finally {
    reader.close();
  }
}
