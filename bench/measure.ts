import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Color } from "../components/settings";
import { docker } from "../tests/support/docker";
import { added, type Counts } from "../tests/support/latencies";
import { failed, Load, type Totals } from "../tests/support/load";
import type { Contestant } from "./contestant";
import type { LOADS, LoadName } from "./figures";
import { pidOf, TLS_NAME, type Lab } from "./lab";

const run = promisify(execFile);

/** What wrk-report.lua prints, and what h2load's figures are brought to. */
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

/** As much as the contestant can take of one kind of load; nothing, if it does not speak that protocol. */
export async function throughput(
  lab: Lab,
  { http, https, loadCpus }: Contestant,
  { protocol, connections }: (typeof LOADS)[LoadName],
  seconds: number,
): Promise<Throughput | undefined> {
  const front = protocol === "http" ? http : https;
  if (front === undefined) return undefined;
  const { container, port, proxySide } = front;
  const within = await insideOf(container, loadCpus);
  const url = protocol === "http" ? `http://127.0.0.1:${port}/` : `https://${TLS_NAME}:${port}/`;
  const before = await lab.cpuSeconds(proxySide);
  const report =
    protocol === "h2"
      ? await h2load(lab, within, url, connections, seconds)
      : await wrk(within, url, connections, seconds);
  const used = (await lab.cpuSeconds(proxySide)) - before;
  return {
    ...report,
    perSecond: report.requests / report.seconds,
    cpuMicroseconds: (used * 1e6) / report.requests,
  };
}

type Connections = "kept" | "new";

async function wrk(
  [file, ...within]: string[],
  url: string,
  connections: Connections,
  seconds: number,
): Promise<WrkReport> {
  const options = ["--threads", "1", "--connections", "64", "--duration", `${seconds}s`, "--timeout", "10s"];
  const close = connections === "new" ? ["--header", "Connection: close"] : [];
  const script = ["--script", path.join(__dirname, "wrk-report.lua")];
  const { stdout } = await run(file, [...within, "wrk", ...options, ...close, ...script, url]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as WrkReport;
}

/** h2load opens no connection twice: it is started anew for each crowd. */
const CROWD = 256;

/** 64 requests at a time on 16 connections; or crowds, all of whom connect at once and ask once. */
async function h2load(
  lab: Lab,
  [file, ...within]: string[],
  url: string,
  connections: Connections,
  seconds: number,
): Promise<WrkReport> {
  const options =
    connections === "kept"
      ? ["--clients", "16", "--max-concurrent-streams", "4", "--duration", String(seconds)]
      : ["--clients", String(CROWD), "--requests", String(CROWD), "--max-concurrent-streams", "1"];
  const log = path.join(lab.folder, "h2load.tsv");
  const total = { requests: 0, seconds: 0, failed: 0 };
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1000;
  do {
    rmSync(log, { force: true });
    const { stdout } = await run(file, [...within, "h2load", ...options, "--log-file", log, url]);
    const [, amount, unit] = /finished in ([\d.]+)(us|ms|s),/.exec(stdout) ?? [];
    const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
    if (succeeded === undefined || amount === undefined)
      throw new Error(`h2load says something else than expected:\n${stdout}`);
    total.requests += Number(succeeded);
    total.failed += Number(failed);
    total.seconds +=
      connections === "kept" ? seconds : Number(amount) * { us: 1e-6, ms: 1e-3, s: 1 }[unit as "s"];
    for (const line of readFileSync(log, "utf8").split("\n"))
      if (line !== "") latencies.push(Number(line.split("\t")[2]) / 1000);
  } while (connections === "new" && performance.now() < until);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))];
  return { ...total, p50Ms: at(0.5), p99Ms: at(0.99) };
}

export interface Flips {
  flips: number;
  /** Latencies while nothing changed, beside a `docker exec` that does nothing in place of each flip, and during the flips. */
  steady: Counts;
  besideExec: Counts;
  during: Counts;
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
/** Flips come in groups, between two calm times each: what the machine does meanwhile hits both alike. */
const GROUP = 5;

export async function flipping(
  { http: { container, port }, loadCpus, flip }: Contestant & Required<Pick<Contestant, "flip">>,
  flips: number,
  steadySeconds: number,
  say: (what: string) => void,
): Promise<Flips> {
  const load = await Load.start({ ...USERS, port }, await insideOf(container, loadCpus));
  const result: Flips = {
    ...{
      flips,
      steady: {},
      besideExec: {},
      during: {},
      failedSteady: 0,
      failed: 0,
      failures: [],
      requests: 0,
    },
    firstAnswers: [],
  };
  const calm: Totals[] = [];
  const besideExec: Totals[] = [];
  const busy: Totals[] = [];
  /** The totals of what is done, with the latencies of just that. */
  const totalsOf = async (what: () => Promise<unknown>, into: Totals[]) => {
    load.measure();
    const before = load.totals;
    await what();
    const after = load.totals;
    into.push({ ...after, sent: after.sent - before.sent });
    if (into !== busy) result.failedSteady += failed(after) - failed(before);
  };
  const flipOnce = async (i: number) => {
    say(`flip ${i + 1} of ${flips}`);
    const to: Color = i % 2 === 0 ? "green" : "blue";
    const started = Date.now();
    const firstAnswer = load.awaitColor(to);
    await flip(to);
    result.firstAnswers.push((await firstAnswer(20)) - started);
    await sleep(BETWEEN_FLIPS_MS);
  };
  const execOnce = async () => {
    await docker("exec", container, "true");
    await sleep(BETWEEN_FLIPS_MS);
  };
  try {
    // The generator's own code is slow until it has run for a while.
    await sleep(WARM_UP_MS);
    const atStart = failed(load.totals);
    for (let from = 0; from < flips; from += GROUP) {
      const to = Math.min(from + GROUP, flips);
      await totalsOf(() => sleep(steadySeconds * 1000), calm);
      await totalsOf(async () => {
        for (let i = from; i < to; i++) await execOnce();
      }, besideExec);
      await totalsOf(async () => {
        for (let i = from; i < to; i++) await flipOnce(i);
      }, busy);
    }
    const end = await load.stop();
    const { failures } = end;
    const latencies = (periods: Totals[]) => added(periods.map(({ latencyCounts }) => latencyCounts));
    return {
      ...result,
      steady: latencies(calm),
      besideExec: latencies(besideExec),
      during: latencies(busy),
      failed: failed(end) - atStart - result.failedSteady,
      failures: Object.keys(failures).sort((a, b) => failures[b] - failures[a]),
      requests: busy.reduce((sum, { sent }) => sum + sent, 0),
    };
  } finally {
    await load.stop();
  }
}

/** The start of a command that is to run in the network of a container, on some cores. */
async function insideOf(container: string, cpus: string): Promise<string[]> {
  return ["nsenter", "--target", String(await pidOf(container)), "--net", "taskset", "--cpu-list", cpus];
}
