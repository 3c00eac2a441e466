import { isTree } from "./file";

// Values as Docker Compose takes them. What it would refuse is undefined.

const NANOSECONDS: { [unit: string]: number } = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 24 * 3600e9,
  w: 7 * 24 * 3600e9,
};

/** Seconds of "1m30s". */
export function seconds(value: unknown): number | undefined {
  const text = String(value);
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    sum += Number(number) * NANOSECONDS[unit];
  return sum / 1e9;
}

const UNITS = "bkmgtp";

/** Bytes of "512m" or "1.5 GiB". A unit is 1,024 times the one below it. */
export function bytes(value: unknown): number | undefined {
  const [, number, unit = "b"] = /^(\d+(?:\.\d+)?) ?([bkmgtp])?(?:ib|b)?$/i.exec(String(value)) ?? [];
  return number === undefined
    ? undefined
    : Math.trunc(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
}

export const mebibytes = (value: unknown): number | undefined => {
  const found = bytes(value);
  return found === undefined ? undefined : Math.ceil(found / 1024 ** 2);
};

/** Docker Compose reads these words as YAML 1.1 has them, where a flag is meant. */
export function flag(value: unknown): boolean | undefined {
  const text = String(value).toLowerCase();
  if (["true", "y", "yes", "on"].includes(text)) return true;
  return ["false", "n", "no", "off"].includes(text) ? false : undefined;
}

export function integer(value: unknown): number | undefined {
  const number =
    typeof value === "number" ? value : /^-?\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

export const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]).map(String);

/** A map, or a list of "NAME=value". Each with its place below; null is a name without a value. */
export function pairs(value: unknown): { name: string; value: string | null; at: string | number }[] {
  if (Array.isArray(value))
    return value.map(String).map((text, at) => {
      const cut = text.indexOf("=");
      return cut === -1
        ? { name: text, value: null, at }
        : { name: text.slice(0, cut), value: text.slice(cut + 1), at };
    });
  if (!isTree(value)) return [];
  return Object.entries(value).map(([name, inner]) => ({
    name,
    value: inner === null || inner === undefined ? null : asText(inner),
    at: name,
  }));
}

export const asText = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "");

export interface Words {
  words: string[];
  /** What Docker Compose drops without a word: all from the first unquoted ; & | < or > on. */
  dropped: string;
}

/**
 * A command that is one text, in words, by the rules of Docker Compose: no shell's, though nearly. Undefined: it refuses it.
 * `$(…)` and backticks hold a word together, and nothing runs them.
 */
export function wordsOf(text: string): Words | undefined {
  const words: string[] = [];
  let word = "";
  let begun = false;
  let quote = "";
  const end = () => {
    if (begun) words.push(word);
    word = "";
    begun = false;
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    const next = afterLetter(quote, letter, word);
    if (letter === "\\" && quote !== "'") {
      if (++i === text.length) return undefined;
      word += text[i];
      begun = true;
    } else if (quote === "" && /\s/.test(letter)) end();
    else if (next === undefined) return undefined;
    else if (quote === "" && ";&|<>".includes(letter)) {
      end();
      return { words, dropped: text.slice(i) };
    } else {
      if (next === quote || !`'"`.includes(quote + next)) word += letter;
      begun = true;
      quote = next;
    }
  }
  if (quote !== "") return undefined;
  end();
  return { words, dropped: "" };
}

/** What is open after a letter: a quote, a backtick, "(" for $(, or nothing. Undefined where the letter can't stand there. */
function afterLetter(open: string, letter: string, word: string): string | undefined {
  if (open === "'" || open === '"') return letter === open ? "" : open;
  if (open === "`") return letter === "`" ? "" : open;
  if (open === "(") return letter === ")" ? "" : letter === "(" ? undefined : open;
  if (letter === "(") return word.endsWith("$") ? "(" : undefined;
  // One alone opens what only a second one closes.
  if (letter === ")") return "(";
  return `'"\``.includes(letter) ? letter : "";
}

/** A command: its words, or what is wrong with it. */
export function commandOf(value: unknown): Words | undefined {
  return Array.isArray(value) ? { words: value.map(String), dropped: "" } : wordsOf(String(value));
}
