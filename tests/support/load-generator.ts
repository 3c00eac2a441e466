import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { count, type Counts } from "./latencies";

// The process behind load.ts: asks until its standard input ends or a bound is reached, and prints its totals as a line of
// JSON four times a second and at the end. It is a process of its own so that nothing in a test delays its clock. Each line
// of its input is an order in JSON.

export interface Options {
  /** Of this machine; 127.0.0.1 where none is said. */
  address?: string;
  port: number;
  /** With TLS: the certificate of the CA, and the name that is asked for. */
  tls?: { ca: string; name: string };
  /** The name that is asked for. */
  host?: string;
  /** Connections that are kept, each used for one request after the other. */
  kept: number;
  /** As many requests at a time on a new connection each. */
  fresh: number;
  /** The longest pause between two requests of a connection: only idle ones can meet a proxy that closes them. */
  pauseMs: number;
  /** A request without a whole answer after this time has failed. */
  timeoutMs: number;
  /** No request is sent after this many, or this many seconds. */
  maxRequests: number;
  maxSeconds: number;
  requests: Request[];
}
export interface Request {
  method: "GET" | "POST";
  path: string;
  body?: string;
}

export interface Totals {
  sent: number;
  /** Whole answers with a 2xx. */
  ok: number;
  /** What was neither, by what happened: "502", "ECONNREFUSED". */
  failures: { [what: string]: number };
  /** The first ten failures: when, from the start, and what was asked. */
  firstFailures: string[];
  /** Connections that were opened. */
  connections: { kept: number; fresh: number };
  /** Answers by what gave them: "blue 1.0.0". */
  answeredBy: { [who: string]: number };
  /** The longest time in which no request was answered well. */
  longestSilenceMs: number;
  /** How long answers took since the last period of latencies began. */
  latencyCounts: Counts;
  /** When the color that is waited for first answered: milliseconds since 1970. */
  firstAnswer?: { color: string; at: number };
  seconds: number;
}

/** A line of standard input. */
export interface Order {
  /** Forget the latencies so far. */
  measure?: true;
  /** Tell when this color first answers. */
  awaitColor?: string;
}

type Kind = keyof Totals["connections"];

function generate(options: Options): void {
  const totals: Totals = {
    sent: 0,
    ok: 0,
    failures: {},
    firstFailures: [],
    connections: { kept: 0, fresh: 0 },
    answeredBy: {},
    longestSilenceMs: 0,
    latencyCounts: {},
    seconds: 0,
  };
  let awaitedColor: string | undefined;
  const started = performance.now();
  let lastAnswer = started;
  let ended = false;
  const { tls } = options;
  const { Agent, request: send } = tls === undefined ? http : https;

  const say = () => {
    const now = performance.now();
    noteSilence(now);
    totals.seconds = (now - started) / 1000;
    process.stdout.write(`${JSON.stringify(totals)}\n`);
  };
  const noteSilence = (now: number) => {
    totals.longestSilenceMs = Math.max(totals.longestSilenceMs, Math.round(now - lastAnswer));
  };

  async function client(kind: Kind, first: number): Promise<void> {
    const secure = tls && { ca: tls.ca, servername: tls.name };
    const agent = new Agent({ keepAlive: kind === "kept", maxSockets: 1, ...secure });
    for (let i = first; !ended && totals.sent < options.maxRequests; i++) {
      const request = options.requests[i % options.requests.length];
      totals.sent++;
      const failure = await ask(kind, agent, request);
      if (failure !== undefined) note(failure, `${kind} ${request.method} ${request.path}`);
      await sleep(Math.random() * options.pauseMs);
    }
    agent.destroy();
  }

  function note(failure: string, what: string): void {
    totals.failures[failure] = (totals.failures[failure] ?? 0) + 1;
    if (totals.firstFailures.length >= 10) return;
    const seconds = (performance.now() - started) / 1000;
    totals.firstFailures.push(`${seconds.toFixed(2)} s: ${what}: ${failure}`);
  }

  function noteArrival(color: string): void {
    totals.firstAnswer = { color, at: Date.now() };
    awaitedColor = undefined;
    say();
  }

  function obey({ measure, awaitColor }: Order): void {
    if (measure) totals.latencyCounts = {};
    if (awaitColor !== undefined) {
      totals.firstAnswer = undefined;
      awaitedColor = awaitColor;
    }
  }

  /** Asks once, whatever happens: a retry would hide what a user without one gets. Resolves with what went wrong. */
  function ask(kind: Kind, agent: http.Agent, { method, path, body }: Request): Promise<string | undefined> {
    const asked = performance.now();
    return new Promise((resolve) => {
      const request = send(
        {
          host: options.address ?? "127.0.0.1",
          port: options.port,
          agent,
          method,
          path,
          headers: {
            ...(options.host !== undefined && { host: options.host }),
            ...(body !== undefined && { "content-type": "application/json", "content-length": body.length }),
          },
        },
        (response) => {
          response.resume();
          response.on("end", () => {
            const status = response.statusCode ?? 0;
            if (status < 200 || status > 299) return settle(statusInWords(response));
            const now = performance.now();
            noteSilence(now);
            lastAnswer = now;
            totals.ok++;
            count(totals.latencyCounts, now - asked);
            const { "x-color": color, "x-version": version } = response.headers;
            // Only the demo app says who it is.
            if (color !== undefined) {
              const who = `${String(color)} ${String(version)}`;
              totals.answeredBy[who] = (totals.answeredBy[who] ?? 0) + 1;
              if (color === awaitedColor) noteArrival(String(color));
            }
            settle(undefined);
          });
          response.on("error", (error) => settle(`${codeOf(error)} in the middle of the answer`));
        },
      );
      const deadline = setTimeout(() => {
        settle(`no answer within ${options.timeoutMs} ms`);
        request.destroy();
      }, options.timeoutMs);
      const settle = (failure: string | undefined) => {
        clearTimeout(deadline);
        resolve(failure);
      };
      request.on("socket", () => {
        if (!request.reusedSocket) totals.connections[kind]++;
      });
      request.on("error", (error) =>
        settle(codeOf(error) + (request.reusedSocket ? " on a connection used before" : "")),
      );
      request.end(body);
    });
  }

  const ticks = setInterval(say, 250);
  const bound = setTimeout(() => (ended = true), options.maxSeconds * 1000);
  createInterface(process.stdin)
    .on("line", (line) => obey(JSON.parse(line) as Order))
    .on("close", () => (ended = true));
  const clients = [
    ...Array.from({ length: options.kept }, (_, i) => client("kept", i)),
    ...Array.from({ length: options.fresh }, (_, i) => client("fresh", i)),
  ];
  void Promise.all(clients).then(() => {
    clearInterval(ticks);
    clearTimeout(bound);
    say();
    process.stdin.destroy();
  });
}

/** Of a 503 also what it says of another try: who says that, is away on purpose. */
function statusInWords({ statusCode, headers }: http.IncomingMessage): string {
  const { "retry-after": after } = headers;
  return statusCode === 503 && after !== undefined ? `503, Retry-After ${after}` : String(statusCode);
}

const codeOf = (error: NodeJS.ErrnoException) => error.code ?? error.message;

if (require.main === module) generate(JSON.parse(process.argv[2]) as Options);
