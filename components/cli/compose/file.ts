import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type ScalarTag,
  type YAMLMap,
} from "yaml";
import { ImportError, type Place } from "./problem";

export type Tree = { [key: string]: unknown };

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The YAML of a compose file: its values as Docker Compose reads them, and the line of each. */
export class ComposeFile {
  readonly content: Tree;
  private readonly document: Document.Parsed;
  private readonly lines = new LineCounter();

  constructor(
    readonly name: string,
    text: string,
  ) {
    this.document = parseDocument(text, {
      merge: true,
      intAsBigInt: true,
      lineCounter: this.lines,
      customTags: (tags) => [...AS_GO_READS, ...tags],
      // Tags such as !reset are no mistake, and nothing is to be printed by a library.
      logLevel: "error",
    });
    this.refuseMistakes();
    removeWhatIsReset(this.document);
    this.content = this.read();
  }

  private refuseMistakes(): void {
    const problems = this.document.errors.map(({ message, linePos }) => ({
      place: [],
      line: linePos?.[0].line,
      reason: `is no YAML: ${message.split("\n")[0].replace(/ at line \d+, column \d+:?$/, "")}`,
      next: "mend the file; 'docker compose config' says what Docker Compose finds in it.",
    }));
    if (problems.length > 0) throw new ImportError(this.name, problems);
  }

  private read(): Tree {
    const refuse = (reason: string) => {
      const next = "give a compose file: one with the key 'services' at its top.";
      throw new ImportError(this.name, [{ place: [], reason, next }]);
    };
    let content: unknown;
    try {
      content = plain(this.document.toJS());
    } catch (error) {
      // An alias without an anchor, or aliases of aliases that would not fit into memory.
      return refuse(`can't be read: ${(error as Error).message}`);
    }
    return isTree(content) ? content : refuse("has no keys at its top");
  }

  /** The line of a place, or of the nearest thing around it that is there. */
  lineOf(place: Place): number | undefined {
    let found: number | undefined;
    let at: Node | null | undefined = this.document.contents;
    for (const step of place) {
      const next = this.childOf(at, step);
      if (next === undefined) break;
      found = next.line ?? found;
      at = next.node;
    }
    return found;
  }

  private childOf(node: Node | null | undefined, step: string | number): Child | undefined {
    const at = this.resolved(node);
    if (isSeq(at) && typeof step === "number") {
      const item = at.items[step] as Node | undefined;
      return item === undefined ? undefined : { node: item, line: this.lineOfNode(item) };
    }
    return isMap(at) ? this.memberOf(at, String(step)) : undefined;
  }

  private memberOf(map: YAMLMap, key: string): Child | undefined {
    for (const { key: name, value } of map.items)
      if (isScalar(name) && String(name.value) === key)
        return { node: value as Node | null, line: this.lineOfNode(name) };
    for (const { key: name, value } of map.items) {
      if (!isScalar(name) || !isMerge(name.value)) continue;
      const merged = this.resolved(value as Node | null);
      for (const one of isSeq(merged) ? (merged.items as Node[]) : [merged]) {
        const found = this.childOf(one, key);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  private resolved(node: Node | null | undefined): Node | null | undefined {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  private lineOfNode(node: Node): number | undefined {
    return node.range ? this.lines.linePos(node.range[0]).line : undefined;
  }
}

interface Child {
  node: Node | null;
  line: number | undefined;
}

/** The library gives the key "<<" a symbol as its value. */
const isMerge = (key: unknown) => key === "<<" || (typeof key === "symbol" && key.description === "<<");

const int = (test: RegExp, resolve: (text: string) => bigint): ScalarTag => ({
  tag: "tag:yaml.org,2002:int",
  default: true,
  test,
  resolve,
});
const signed = (text: string, prefix: string) =>
  text.startsWith("-") ? -BigInt(prefix + text.slice(1)) : BigInt(prefix + text.replace("+", ""));

/** Numbers that Docker Compose knows although YAML 1.2 does not: its library takes 0644 for octal, and 1_000 for 1000. */
const AS_GO_READS: ScalarTag[] = [
  int(/^[-+]?0[0-7]+$/, (text) => signed(text, "0o")),
  int(/^[-+]?[1-9]\d*(_\d+)+$/, (text) => signed(text.replaceAll("_", ""), "")),
  int(/^0b[01]+$/, (text) => BigInt(text)),
];

/** In a single file, `!reset` takes away what an anchor or `extends` would bring, and `!override` has nothing to override. */
function removeWhatIsReset(document: Document.Parsed): void {
  visit(document, {
    Pair: (_, { value }) => ((value as Node | null)?.tag === "!reset" ? visit.REMOVE : undefined),
  });
}

/** Without big integers. A number that JavaScript would write otherwise than Docker Compose does is text. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return asGoWrites(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Go writes 1000000.0 as 1e+06. */
function asGoWrites(value: number): number | string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (value === 0 || (exponent >= -4 && exponent < 6)) return value;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
