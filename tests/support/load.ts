import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Options, Order, Totals } from "./load-generator";

export type { Options, Totals } from "./load-generator";

/** What users of the demo app ask: something quick, something that is under way during a change, and something to write. */
const DEMO_REQUESTS: Options["requests"] = [
  { method: "GET", path: "/" },
  { method: "POST", path: "/messages", body: '{"text":"load"}' },
  { method: "GET", path: "/" },
  { method: "GET", path: "/slow?ms=300" },
];

/**
 * 64 kept connections, and 16 requests at a time on new ones, each with a short pause after every answer; a longer one where several
 * loads run at a time (scripts/test.mjs).
 */
const DEFAULTS = {
  kept: 64,
  fresh: 16,
  pauseMs: Number(process.env.BLUEGREEN_LOAD_PAUSE_MS ?? 100),
  timeoutMs: 10_000,
  maxRequests: 300_000,
  maxSeconds: 180,
  requests: DEMO_REQUESTS,
};

/** Load on this machine from a process of its own, until it is stopped. It never asks twice for the same thing. */
export class Load {
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;
  private last: Totals | undefined;

  /** `within` is a command before the generator's own, such as one that enters a network namespace. */
  constructor(options: Partial<Options> & { port: number }, within: string[] = []) {
    const generator = [
      path.join(__dirname, "load-generator.ts"),
      JSON.stringify({ ...DEFAULTS, ...options }),
    ];
    const [file, ...args] = [...within, process.execPath, "--import", "tsx", ...generator];
    this.child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.closed = once(this.child, "close");
    assert.ok(this.child.stdout);
    createInterface(this.child.stdout).on("line", (line) => (this.last = JSON.parse(line) as Totals));
  }

  /** Starts one and waits for the first answers. */
  static async start(...args: ConstructorParameters<typeof Load>): Promise<Load> {
    const load = new Load(...args);
    try {
      await load.until("the first answers", ({ ok }) => ok > 0, 20);
    } catch (error) {
      await load.stop();
      throw error;
    }
    return load;
  }

  /** The totals of at most a quarter of a second ago. */
  get totals(): Totals {
    if (this.last === undefined) throw new Error("the load generator has not said anything yet");
    return this.last;
  }

  /** Waits until the totals are as wanted. */
  async until(what: string, holds: (totals: Totals) => boolean, seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (this.last === undefined || !holds(this.last)) {
      if (this.child.exitCode !== null || performance.now() > deadline) {
        throw new Error(
          `${what}: not within ${seconds} s\n${this.last ? describeTotals(this.last) : "no totals"}`,
        );
      }
      await sleep(100);
    }
  }

  /** From now on the latencies are those of a new period. */
  measure(): void {
    this.order({ measure: true });
  }

  /** The function that it gives waits for the first answer of this color from now on, and tells when that came. */
  awaitColor(color: string): (seconds: number) => Promise<number> {
    const from = Date.now();
    this.order({ awaitColor: color });
    const at = () => (this.last?.firstAnswer?.color === color ? this.last.firstAnswer.at : 0);
    return async (seconds) => {
      await this.until(`an answer of ${color}`, () => at() >= from, seconds);
      return at();
    };
  }

  private order(order: Order): void {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Waits until `count` more requests have been answered well: the load has seen what was just done. */
  async more(count = 200, seconds = 20): Promise<void> {
    const from = this.totals.ok;
    await this.until(`${count} more answers`, ({ ok }) => ok >= from + count, seconds);
  }

  /** Waits until that many answers came without a failure between them. */
  async calm(count = 400, seconds = 60): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const before = failed(this.totals);
      await this.more(count, seconds);
      if (failed(this.totals) === before) return;
      if (performance.now() > deadline) throw new Error(`still failing:\n${describeTotals(this.totals)}`);
    }
  }

  /** Ends the load, lets requests under way finish, and gives what came of all of them. Can be called again. */
  async stop(): Promise<Totals> {
    this.child.stdin?.end();
    await this.closed;
    return this.totals;
  }
}

export const failed = ({ failures }: Totals): number =>
  Object.values(failures).reduce((sum, n) => sum + n, 0);

export function describeTotals(totals: Totals): string {
  const { sent, ok, connections, seconds, longestSilenceMs, answeredBy, failures } = totals;
  const counts = (of: { [what: string]: number }) =>
    Object.entries(of)
      .map(([what, count]) => `${count} by ${what}`)
      .join(", ");
  return [
    `${sent} requests in ${seconds.toFixed(0)} s (${Math.round(sent / seconds)}/s) on ${connections.kept} kept and ${connections.fresh} new connections: ${ok} ok, ${failed(totals)} failed`,
    `  answered: ${counts(answeredBy) || ok}; longest silence ${longestSilenceMs} ms`,
    ...(failed(totals) > 0 ? [`  failed: ${counts(failures)}`] : []),
  ].join("\n");
}

/**
 * Runs a change under load, says what came of the load, and fails if a single request failed. Also after the change
 * there is load for a moment: what it broke may show only then.
 */
export async function losesNothing(
  port: number,
  change: (load: Load) => Promise<unknown>,
  options: Partial<Options> = {},
): Promise<Totals> {
  const load = await Load.start({ port, ...options });
  try {
    await load.more();
    await change(load);
    await load.more();
    await sleep(1000);
  } finally {
    await load.stop();
  }
  return nothingLost(load);
}

/** Says what came of a load that has ended, and fails if a single request failed. */
export function nothingLost({ totals }: Load): Totals {
  console.log(indent(describeTotals(totals)));
  assert.equal(failed(totals), 0, [describeTotals(totals), ...totals.firstFailures].join("\n"));
  assert.equal(totals.ok, totals.sent);
  assert.ok(totals.connections.kept >= 64, "fewer than 64 connections were kept");
  assert.ok(totals.connections.fresh > 50, "hardly a new connection was opened");
  return totals;
}

export const indent = (text: string): string => text.replace(/^/gm, "      ");
