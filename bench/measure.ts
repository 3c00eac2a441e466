import { execFile } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Color } from "../components/settings";
import { failed, Load } from "../tests/support/load";
import type { Contestant } from "./contestant";
import { pidOf, type Lab } from "./lab";

const run = promisify(execFile);

/** What wrk-report.lua prints. */
interface WrkReport {
  requests: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
}

export interface Throughput extends WrkReport {
  perSecond: number;
  /** CPU time of the proxy for each request; hardly depends on what else the machine does. */
  cpuMicroseconds: number;
}

/** As much as the contestant can take, on connections that are kept or on a new one for each request. */
export async function throughput(
  lab: Lab,
  contestant: Contestant,
  connections: "kept" | "new",
  seconds: number,
): Promise<Throughput> {
  const { front, port, proxySide, loadCpus } = contestant;
  const [file, ...within] = await insideOf(front, loadCpus);
  const wrk = [
    "wrk",
    "--threads",
    "1",
    "--connections",
    "64",
    "--duration",
    `${seconds}s`,
    "--timeout",
    "10s",
  ];
  const close = connections === "new" ? ["--header", "Connection: close"] : [];
  const script = ["--script", path.join(__dirname, "wrk-report.lua")];
  const before = await lab.cpuSeconds(proxySide);
  const { stdout } = await run(file, [...within, ...wrk, ...close, ...script, `http://127.0.0.1:${port}/`]);
  const used = (await lab.cpuSeconds(proxySide)) - before;
  const report = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as WrkReport;
  return {
    ...report,
    perSecond: report.requests / report.seconds,
    cpuMicroseconds: (used * 1e6) / report.requests,
  };
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
