import type { BlueGreenServiceArgs } from "../../settings/args";
import { findViolations } from "../../settings";
import { schema } from "../../settings/schema";
import { pathOf } from "../../settings/violations";
import type { Tree } from "./file";
import type { Place } from "./problem";

/** A setting, and what in the compose file it comes from. */
interface Found {
  /** A number is an item of a list; how they are counted is of no matter, only their order. */
  path: Place;
  value: unknown;
  from: Place;
  /** Not to be printed: `pulumi config set --secret` gets it. */
  secret: boolean;
}

/** What is not in the settings, why, and what to do instead. */
export interface LeftOut {
  from: Place;
  reason: string;
  next: string;
}

/** What a reader has to know although nothing is left out. */
export interface Remark {
  from: Place;
  text: string;
}

/**
 * What a compose service becomes. Places are those in the service: ["ports", 0]; in another one, those in the file: ["services", "jobs"].
 * Each of its keys has to be in one of these lists at the end.
 */
export class Findings {
  private found: Found[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly remarks: Remark[] = [];
  /** What holds without a setting. */
  readonly same: Remark[] = [];

  set(path: Place, value: unknown, from: Place, { secret = false } = {}): void {
    this.found = this.found.filter((one) => pathOf(one.path) !== pathOf(path));
    this.found.push({ path, value, from, secret });
  }
  leave(from: Place, reason: string, next: string): void {
    this.leftOut.push({ from, reason, next });
  }
  remark(from: Place, text: string): void {
    this.remarks.push({ from, text });
  }
  holds(from: Place, text: string): void {
    this.same.push({ from, text });
  }

  get settings(): readonly Found[] {
    return this.found;
  }
  value(...path: string[]): unknown {
    return this.found.find((one) => pathOf(one.path) === pathOf(path))?.value;
  }
  /** Where a setting comes from. */
  origin(...path: string[]): Place | undefined {
    return this.found.find((one) => pathOf(one.path) === pathOf(path))?.from;
  }
  get secrets(): Place[] {
    return this.found.filter(({ secret }) => secret).map(({ path }) => path);
  }
  /** Keys of the service that something is said of. */
  get keys(): Set<string> {
    return new Set(
      [...this.found, ...this.leftOut, ...this.remarks, ...this.same].map(({ from }) => String(from[0])),
    );
  }

  /** In the order of the schema. `of` gives each value, or undefined to leave it out. */
  args(
    of: (path: Place, value: unknown, secret: boolean) => unknown = (_, value) => value,
  ): BlueGreenServiceArgs {
    const tree: Tree = {};
    for (const { path, value, secret } of this.found) {
      const shown = of(path, value, secret);
      if (shown !== undefined) put(tree, path, shown);
    }
    const order = Object.keys(schema.shape);
    const sorted = Object.entries(tree).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    return Object.fromEntries(sorted) as unknown as BlueGreenServiceArgs;
  }

  /** What the component's own reader refuses becomes something that is left out; what can't be gives the reason. */
  dropWhatIsRefused(needed: string[]): { setting: string; reason: string; from?: Place }[] {
    for (;;) {
      const violations = findViolations(this.args());
      const fatal = violations.filter(
        ({ propertyPath }) => needed.includes(propertyPath) || this.at(propertyPath) === undefined,
      );
      if (fatal.length > 0)
        return fatal.map(({ propertyPath, reason }) => ({
          setting: propertyPath,
          reason,
          from: this.at(propertyPath)?.from,
        }));
      if (violations.length === 0) return [];
      // Items of a list are counted anew where one is gone.
      const refused = new Map(violations.map(({ propertyPath, reason }) => [this.at(propertyPath), reason]));
      this.found = this.found.filter((one) => !refused.has(one));
      for (const [one, reason] of refused) {
        if (one === undefined) continue;
        this.leave(
          one.from,
          `would be ${pathOf(one.path)}, which ${reason}`,
          "set it by hand, as the component takes it.",
        );
      }
    }
  }

  /** What was set there, or within it, or around it. */
  private at(propertyPath: string): Found | undefined {
    const [, list, index] = /^([\w.]+)\[(\d+)\]/.exec(propertyPath) ?? [];
    if (list !== undefined) {
      const items = this.found.filter(
        ({ path }) => typeof path.at(-1) === "number" && pathOf(path.slice(0, -1)) === list,
      );
      if (items[Number(index)] !== undefined) return items[Number(index)];
    }
    const within = (outer: string, inner: string) =>
      inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
    return (
      this.found.find(({ path }) => within(pathOf(path), propertyPath)) ??
      this.found.find(({ path }) => within(propertyPath, pathOf(path)))
    );
  }
}

function put(tree: Tree | unknown[], [step, ...rest]: Place, value: unknown): void {
  if (Array.isArray(tree)) tree.push(value);
  else if (rest.length === 0)
    // A variable may be called __proto__.
    Object.defineProperty(tree, step, { value, enumerable: true, configurable: true, writable: true });
  else put((tree[step] ??= typeof rest[0] === "number" ? [] : {}) as Tree | unknown[], rest, value);
}
