import { execFile } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Color } from "../components/settings";
import { failed, Load } from "../tests/support/load";
import type { Contestant } from "./contestant";
import { HOST, pidOf, sum, type Lab } from "./lab";

const run = promisify(execFile);

/** What a load generator counted. */
interface Counted {
  requests: number;
  seconds: number;
  failed: number;
  /** Of those that tell. */
  p50Ms?: number;
  p99Ms?: number;
}

export interface Throughput extends Counted {
  perSecond: number;
  /** CPU time of the proxy for each request; hardly depends on what else the machine does. */
  cpuMicroseconds: number;
}

/** What is asked on 64 connections, which are kept, or of which each is used for one request. */
export const PLAIN = ["kept", "new"] as const;
export const SECURE = ["kept, HTTP/1.1", "new, HTTP/1.1", "kept, HTTP/2", "new, HTTP/2"] as const;
export type Kind = (typeof PLAIN | typeof SECURE)[number];
export const isSecure = (kind: Kind): boolean => (SECURE as readonly Kind[]).includes(kind);
const CONNECTIONS = 64;
/** Of new connections by HTTP/2, which h2load opens at once. */
const BATCH = 500;

type Generator = (inside: string[], seconds: number, port: number) => Promise<Counted>;
const GENERATORS: { [kind in Kind]: Generator } = {
  kept: (inside, seconds, port) => wrk(inside, seconds, `http://127.0.0.1:${port}/`),
  new: (inside, seconds, port) => wrk(inside, seconds, `http://127.0.0.1:${port}/`, ...CLOSE),
  "kept, HTTP/1.1": (inside, seconds) => wrk(inside, seconds, SECURE_URL),
  "new, HTTP/1.1": (inside, seconds) => wrk(inside, seconds, SECURE_URL, ...CLOSE),
  "kept, HTTP/2": (inside, seconds) =>
    h2load(inside, "--clients", `${CONNECTIONS}`, "--duration", `${seconds}`, "--warm-up-time", "0"),
  // It has no way to open another connection after an answer, so it is started again and again.
  "new, HTTP/2": async (inside, seconds) => {
    const all = { requests: 0, seconds: 0, failed: 0 };
    while (all.seconds < seconds) {
      const one = await h2load(inside, "--clients", `${BATCH}`, "--requests", `${BATCH}`);
      for (const key of ["requests", "seconds", "failed"] as const) all[key] += one[key];
    }
    return all;
  },
};
const SECURE_URL = `https://${HOST}/`;
const CLOSE = ["--header", "Connection: close"];

/** As much as the contestant can take. */
export async function throughput(
  lab: Lab,
  { front, port, proxySide, loadCpus }: Pick<Contestant, "front" | "port" | "proxySide" | "loadCpus">,
  kind: Kind,
  seconds: number,
): Promise<Throughput> {
  const inside = await insideOf(front, loadCpus);
  const before = await lab.cpuSeconds(proxySide);
  const counted = await GENERATORS[kind](inside, seconds, port);
  const used = (await lab.cpuSeconds(proxySide)) - before;
  return {
    ...counted,
    perSecond: counted.requests / counted.seconds,
    cpuMicroseconds: (used * 1e6) / counted.requests,
  };
}

async function wrk(
  [file, ...within]: string[],
  seconds: number,
  url: string,
  ...flags: string[]
): Promise<Counted> {
  const { stdout } = await run(file, [
    ...[...within, "wrk", "--threads", "1", "--connections", `${CONNECTIONS}`, "--duration", `${seconds}s`],
    ...["--timeout", "10s", ...flags, "--script", path.join(__dirname, "wrk-report.lua"), url],
  ]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Counted;
}

/** One request at a time on each connection. */
async function h2load([file, ...within]: string[], ...flags: string[]): Promise<Counted> {
  const { stdout } = await run(file, [
    ...within,
    "h2load",
    "--max-concurrent-streams",
    "1",
    ...flags,
    SECURE_URL,
  ]);
  const figures = (pattern: RegExp) => (pattern.exec(stdout) ?? []).slice(1).map(Number);
  const [perSecond] = figures(/^finished in \S+, ([\d.]+) req\/s/m);
  const [requests, ...failed] = figures(/(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/);
  if (!(perSecond > 0)) throw new Error(`h2load did not tell what it counted:\n${stdout}`);
  return { requests, seconds: requests / perSecond, failed: sum(failed) };
}

export interface Flips {
  flips: number;
  steady: { p50Ms: number; p99Ms: number };
  during: { p50Ms: number; p99Ms: number };
  /** Requests that got no answer or one that is not 2xx, while nothing changed and during the flips. */
  failedSteady: number;
  failed: number;
  /** What happened to them, the most frequent first. */
  failures: string[];
  requests: number;
  /** From the start of each command to the first answer of the new color, in ms. */
  firstAnswers: number[];
}

/** Users with pauses between their requests: 64 keep their connection, 16 open a new one each time. */
const USERS = {
  kept: 64,
  fresh: 16,
  pauseMs: 100,
  maxSeconds: 150,
  maxRequests: 400_000,
  requests: [{ method: "GET" as const, path: "/" }],
};
const WARM_UP_MS = 2000;
const BETWEEN_FLIPS_MS = 300;

export async function flipping(
  { front, port, loadCpus, flip }: Contestant & Required<Pick<Contestant, "flip">>,
  flips: number,
  steadySeconds: number,
  say: (what: string) => void,
): Promise<Flips> {
  const load = await Load.start({ ...USERS, port }, await insideOf(front, loadCpus));
  try {
    // The generator's own code is slow until it has run for a while.
    await sleep(WARM_UP_MS);
    load.measure();
    const atStart = failed(load.totals);
    await sleep(steadySeconds * 1000);
    const steady = load.totals;

    load.measure();
    const firstAnswers: number[] = [];
    for (let i = 0; i < flips; i++) {
      say(`flip ${i + 1} of ${flips}`);
      const to: Color = i % 2 === 0 ? "green" : "blue";
      const started = Date.now();
      const firstAnswer = load.awaitColor(to);
      await flip(to);
      firstAnswers.push((await firstAnswer(20)) - started);
      await sleep(BETWEEN_FLIPS_MS);
    }
    const end = await load.stop();
    return {
      flips,
      steady: inMs(steady.latencyMs),
      during: inMs(end.latencyMs),
      failedSteady: failed(steady) - atStart,
      failed: failed(end) - failed(steady),
      failures: Object.keys(end.failures).sort((a, b) => end.failures[b] - end.failures[a]),
      requests: end.sent - steady.sent,
      firstAnswers,
    };
  } finally {
    await load.stop();
  }
}

const inMs = ({ p50, p99 }: { p50: number; p99: number }) => ({ p50Ms: p50, p99Ms: p99 });

/** The start of a command that is to run in the network of a container, on some cores. */
async function insideOf(container: string, cpus: string): Promise<string[]> {
  return ["nsenter", "--target", String(await pidOf(container)), "--net", "taskset", "--cpu-list", cpus];
}
