import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { added, percentile, type Counts } from "../tests/support/latencies";
import { bareConfig } from "./contestants/nginx";
import {
  BARE,
  BARE_LOGGING,
  BUSY,
  HAPROXY,
  KAMAL,
  LOADS,
  PROJECT,
  PROJECT_SILENT,
  spread,
  type Figures,
  type LoadName,
  type Occasion,
  type Protocol,
  type ServicesFigures,
  type Spread,
  type Turn,
} from "./figures";
import type { Flips, Throughput } from "./measure";
import { plot } from "./plot";
import { SERVICES, type ServicesTurn } from "./services";
import { PARTS, type Profile } from "./updates";

const DOCUMENT = path.join(__dirname, "../docs/benchmarks.md");
const PLOT = path.join(__dirname, "../docs/benchmarks.svg");

export async function printFigures(figures: Figures): Promise<void> {
  const text = [
    ...throughputTables(figures),
    flipTable(figures),
    updateTable(figures),
    targetTable(targets(figures)),
  ];
  console.log(`\n${await pretty(text.join("\n\n"))}`);
  await printServices(figures.services);
}

export async function printServices(figures: ServicesFigures): Promise<void> {
  console.log(`\n${await pretty(`${servicesTable(figures)}\n\n${targetTable(servicesTargets(figures))}`)}`);
}

export async function writeDocuments(figures: Figures): Promise<void> {
  writeFileSync(PLOT, plot(figures));
  writeFileSync(DOCUMENT, await pretty(document(figures)));
  console.log("written: docs/benchmarks.md, docs/benchmarks.svg");
}

/** Puts these figures in the place of the former ones, and leaves the rest of the document as a whole run wrote it. */
export async function writeServices(figures: ServicesFigures): Promise<void> {
  const document = readFileSync(DOCUMENT, "utf8");
  const former = new RegExp(`^${SERVICES_HEADING}$[^]*?^(?=## )`, "m");
  if (!former.test(document)) throw new Error(`${DOCUMENT} has no part "${SERVICES_HEADING}"`);
  writeFileSync(DOCUMENT, await pretty(document.replace(former, () => `${servicesPart(figures)}\n\n`)));
  console.log(`written: docs/benchmarks.md, the part "${SERVICES_HEADING}"`);
}

async function pretty(markdown: string): Promise<string> {
  return format(markdown, { ...(await resolveConfig(DOCUMENT)), parser: "markdown" });
}

function document(figures: Figures): string {
  const { toolchain, turns, absent, wrk, wrkSeconds } = figures;
  const rounds = figures.updates.length;
  const flips = spreadOver(figures, PROJECT, ({ flips }) => flips?.flips).median;
  return `# Benchmarks

<!-- Written by \`npm run bench\`, all of it: a change here belongs in bench/report.ts. -->

Made by \`npm run bench\` ${renderOccasion(figures)}. With ${wrk}.
Each figure is the median of ${rounds} rounds, with the lowest and the highest in brackets. A round measures one contestant after the other, so that
what the machine does meanwhile hits all of them.

![Requests per second, latency and failed requests of each contestant.](benchmarks.svg)

## Throughput

wrk with 64 connections for ${wrkSeconds} s, which are kept, or of which each is used for one request. The same for HTTPS with HTTP/1.1, where wrk resumes
its former session with a new connection, as browsers do. For HTTP/2, h2load asks for 64 things at a time on 16 connections for ${wrkSeconds} s; as it can't open connections one after the
other, new ones are measured in crowds: 256 clients connect at once with a whole handshake and ask once, again and again for ${wrkSeconds} s, and requests/s counts from the first
connection to the last answer of each crowd. All show the same ECDSA certificate (P-256). Not in a table is who does not take part in it.

${throughputTables(figures).join("\n\n")}

## Flips

Users with pauses: 64 that keep their connection and 16 that open a new one for each request, about 1,500 requests/s, the same for all. ${flips} flips in each round come in groups of
five, one after the other. Before each group nothing changes for some seconds, and then there is a \`docker exec\` that does nothing for each flip: that is what any command through Docker
costs the users on a machine of this size. A request has failed that got no answer, or one that is not 2xx; nobody asks twice.

${flipTable(figures)}

${PROJECT} is flipped by the script that \`pulumi up\` runs, with one pass of the health gate; kamal-proxy asks for one too, the others do not ask the
app at all. The time is that of the command a user would give, which for all but HAProxy begins with a \`docker exec\`. Memory is that of edge and nginx together: what the processes have for
themselves, and mapped files once.

## Goals

${targetTable(targets(figures))}

${servicesPart(figures.services)}

## How it is measured

- **The app** is an nginx that answers 1 KB from memory: as cheap as an app can be, so that the proxy is what is measured. Blue and green are the same but for a header.
- **Contestants** all run in containers, from an image or as this machine's own binary: ${[...turns.keys()].join("; ")}.${absent.length > 0 ? ` Absent: ${absent.join("; ")}.` : ""}
  HAProxy is the distribution's package; Caddy, kamal-proxy and Traefik are built from their Go modules, Traefik without what could not be
  had where this was written: its DNS providers for certificates, its own library for passwords, and the extensions of its configuration. Not measured: docker-rollout, which has no proxy of its own
  (it scales a compose service behind Traefik or nginx-proxy).
- **Cores**: one for the proxy, the others for app and load. For the app without a proxy the load has the proxy's core. nginx runs one worker, for all contestants: two that share
  a core take turns. HAProxy and the others decide for themselves.${besideHaproxy(turns)}
- **Load** comes from the proxy's own network namespace, to 127.0.0.1: Docker's forwarding of published ports, the same for all, is left out.
- **${PROJECT}** is the stack itself, made by \`pulumi up\`, with its defaults but no Redis; then its containers get their cores, and nginx counts them anew. It logs every request, to a file; kamal-proxy does it
  to its container's log, as the bare nginx with a log does, and the others do not. A second row has \`proxy.accessLog: false\`.
- **How exact this is**: \`sed + reload\` and \`stop old, start new\` have the bare nginx's configuration. How far they are from 1 in the first table is what the machine does to a figure.
- **CPU** is the time that the proxy's containers used for each request. It hardly depends on what else the machine does.
- wrk waits for an answer before it asks again: while nothing answers, it does not ask. Its latencies are those of a proxy at its limit; those under *Flips* are those of one that is not.

The bare nginx, which is the limit of this design. For HTTPS its server listens on port 443 too, with this project's protocols, ciphers and sessions:

\`\`\`nginx
${bareConfig("app").trim()}
\`\`\`

## Where \`pulumi up\` spends its time

From the traces of the ${rounds} updates of each kind above (\`pulumi up --otel-traces\`), in seconds. ${TOOLCHAINS[toolchain] ?? ""}

${profileTable(figures)}

A flip to a warm color adds the switch itself, about one more start of a process for the comparison, and two writes of the state. All else a no-op pays as well: most of it is Node.js reading
JavaScript.
`;
}

const renderOccasion = ({ date, machine, loadBefore }: Occasion) =>
  `on ${date.toISOString().slice(0, 16).replace("T", " ")} UTC: ${machine}. The load average before it was ${loadBefore.toFixed(2)}${loadBefore > BUSY ? ", so **something else used the machine before or meanwhile**: what it costs is in the spread" : ""}`;

const SERVICES_HEADING = "## Services on one ingress";

/** A part of the document that can be measured and written without the rest, so it says when and where that was. */
function servicesPart(figures: ServicesFigures): string {
  const [{ alone }] = figures.turns;
  return `${SERVICES_HEADING}

Made by \`npm run bench\` or \`npm run bench -- --only=services\` ${renderOccasion(figures)}.
Two stacks of one service each, flipped to a warm color: one is alone on its ingress, to the ingress of the other a third stack has added ${SERVICES - 1} services, with a host name and two running colors each. The
flips of one come between those of the other: ${alone.switchMs.length} switches and ${alone.updateSeconds.length} updates of each in a round, of which the median counts, and ${figures.turns.length} rounds. nginx has a worker for each core and no load. However many services
there are, a flip reloads nginx once (\`tests/examples/two-services.test.ts\`).

${servicesTable(figures)}

${targetTable(servicesTargets(figures))}`;
}

function servicesTable({ turns }: ServicesFigures): string {
  const row = (what: string, value: (cost: ServicesTurn["alone"]) => number, digits: number) => [
    what,
    ...(["alone", "among"] as const).map((name) =>
      range(spread(turns.map((turn) => value(turn[name]))), digits),
    ),
  ];
  return table(
    ["", "one service", `${SERVICES} services`],
    [
      row("the switch, which `pulumi up` runs: ms", ({ switchMs }) => spread(switchMs).median, 0),
      row("the whole `pulumi up`: s", ({ updateSeconds }) => spread(updateSeconds).median, 2),
      row("edge and nginx: MB resident", ({ residentMb }) => residentMb, 1),
    ],
  );
}

function besideHaproxy(turns: Figures["turns"]): string {
  if (!turns.has(HAPROXY)) return "";
  const of = (load: LoadName, value?: typeof cpu) => range(ratioOf(turns, HAPROXY, BARE, load, value), 2);
  return ` HAProxy's requests are ${of("kept")} of the bare nginx's on kept
  connections and ${of("fresh")} on new ones, for ${of("kept", cpu)} and ${of("fresh", cpu)} of its CPU time for each.`;
}

const TOOLCHAINS: { [kind: string]: string } = {
  own: "With the Pulumi CLI of this machine and the official plugins.",
  official: "With the official CLI and plugins.",
  offline:
    "With the CLI built from its Go module and the stand-in plugins of `offline/`, which are Node.js programs; the official ones start faster.",
};

// --- tables

/** A table for each protocol. */
function throughputTables(figures: Figures): string[] {
  return [...new Set(Object.values(LOADS).map(({ protocol }) => protocol))].flatMap((protocol) => [
    `### ${PROTOCOLS[protocol]}`,
    throughputTable(figures, protocol),
  ]);
}

const PROTOCOLS: Record<Protocol, string> = {
  http: "HTTP",
  https: "HTTPS, HTTP/1.1",
  h2: "HTTPS, HTTP/2",
};

function throughputTable({ turns }: Figures, protocol: Protocol): string {
  const loads = LOAD_NAMES.filter((load) => LOADS[load].protocol === protocol);
  const rows = [...turns].flatMap(([name, rounds]) => {
    const part = (load: LoadName) => {
      const of = (value: (measured: Throughput) => number) =>
        spread(rounds.flatMap(({ loads }) => (loads[load] ? [value(loads[load])] : [])));
      return [
        range(of(({ perSecond }) => perSecond)),
        name === BARE ? "1" : range(ratioOf(turns, name, BARE, load), 2),
        `${number(of(({ p50Ms }) => p50Ms).median, 1)} / ${number(of(({ p99Ms }) => p99Ms).median, 1)}`,
        rounds[0].residentMb === undefined ? "" : number(of((one) => one.cpuMicroseconds).median, 1),
      ];
    };
    return loads.every((load) => rounds.every((turn) => turn.loads[load]))
      ? [[name, ...loads.flatMap(part)]]
      : [];
  });
  return table(
    [
      "",
      ...loads.flatMap((load) => [
        `${LOADS[load].connections}: requests/s`,
        "of bare nginx",
        "p50 / p99 ms",
        "CPU µs each",
      ]),
    ],
    rows,
  );
}

const LOAD_NAMES = Object.keys(LOADS) as LoadName[];

function flipTable({ turns }: Figures): string {
  const rows = [...turns].flatMap(([name, rounds]) => {
    const memory = rounds.flatMap(({ residentMb }) => residentMb ?? []);
    if (memory.length === 0) return [];
    const resident = number(spread(memory).median, 0);
    const flips = rounds.flatMap(({ flips }) => flips ?? []);
    if (flips.length === 0) return [[name, "", "", "", "", "", "", resident]];
    return [
      [
        name,
        latency(flips.map(({ steady }) => steady)),
        latency(flips.map(({ during }) => during)),
        range(p99Ratio(flips, "during"), 2),
        range(p99Ratio(flips, "besideExec"), 2),
        failures(flips),
        range(spread(flips.flatMap(({ firstAnswers }) => firstAnswers))),
        resident,
      ],
    ];
  });
  return table(
    [
      "",
      "p50 / p99 ms, steady",
      "during flips",
      "p99, flips : steady",
      "exec : steady",
      "failed in 100 flips",
      "new color after ms",
      "memory, MB",
    ],
    rows,
  );
}

/** p50 and p99 of the latencies of all rounds together. */
function latency(rounds: Counts[]): string {
  const all = added(rounds);
  return `${number(percentile(all, 0.5), 1)} / ${number(percentile(all, 0.99), 1)}`;
}

/** Of the latencies of all rounds together, which is steadier than the middle of the rounds; the ends are those of rounds. */
function p99Ratio(flips: Flips[], period: "during" | "besideExec"): Spread {
  const ratio = (some: typeof flips) => {
    const p99 = (period: "steady" | "during" | "besideExec") =>
      percentile(added(some.map((one) => one[period])), 0.99);
    return p99(period) / p99("steady");
  };
  return { ...spread(flips.map((one) => ratio([one]))), median: ratio(flips) };
}

const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);

function failures(flips: NonNullable<Turn["flips"]>[]): string {
  const failed = total(flips.map(({ failed }) => failed));
  const per100 = (100 * failed) / total(flips.map(({ flips }) => flips));
  const steady = total(flips.map(({ failedSteady }) => failedSteady));
  const of = `${number(failed)} of ${number(total(flips.map(({ requests }) => requests)))} requests`;
  const kinds = [...new Set(flips.flatMap(({ failures }) => failures.slice(0, 2)))];
  const notes = [of + (failed > 0 ? `: ${kinds.join(", ")}` : "")];
  if (steady > 0) notes.push(`${steady} while nothing changed`);
  return `${number(per100, per100 > 0 && per100 < 10 ? 1 : 0)} (${notes.join("; ")})`;
}

function updateTable({ updates }: Figures): string {
  const same = spread(updates.map(({ same }) => same.seconds));
  const flip = spread(updates.map(({ flip }) => flip.seconds));
  const ratio = spread(updates.map(({ same, flip }) => flip.seconds / same.seconds));
  return table(
    ["`pulumi up`", "seconds"],
    [
      ["nothing to do", range(same, 2)],
      ["a flip to a warm color", range(flip, 2)],
      ["ratio", range(ratio, 2)],
    ],
  );
}

function profileTable({ updates }: Figures): string {
  const seconds = (kind: "same" | "flip", part: keyof Profile) =>
    number(spread(updates.map((update) => update[kind].profile[part])).median / 1000, 2);
  const parts = (Object.keys(PARTS) as (keyof Profile)[]).map((part) => [
    PARTS[part],
    seconds("same", part),
    seconds("flip", part),
  ]);
  const whole = (kind: "same" | "flip") => range(spread(updates.map((update) => update[kind].seconds)), 2);
  return table(["", "nothing to do", "flip"], [...parts, ["**all**", whole("same"), whole("flip")]]);
}

// --- goals

interface Target {
  goal: string;
  reached: (value: number) => boolean;
  measured: Spread;
  digits: number;
  /** What stands in the way, said where it is not reached. */
  obstacle: string;
}

function targetTable(targets: Target[]): string {
  const rows = targets.map(({ goal, reached, measured, digits, obstacle }) => {
    const verdict = reached(measured.median) ? "yes" : `**no**: ${obstacle}`;
    return [goal, range(measured, digits), verdict];
  });
  return table(["Goal", "Measured", "Reached"], rows);
}

const BESIDES_LOG = "headers about the client are added to each request";

function targets(figures: Figures): Target[] {
  const { turns, updates } = figures;
  const atLeast = (least: number) => (value: number) => value >= least;
  const atMost = (most: number) => (value: number) => value <= most;
  const flips = (value: (flips: NonNullable<Turn["flips"]>) => number) =>
    spreadOver(figures, PROJECT, ({ flips }) => flips && value(flips));
  const flipsOfProject = (turns.get(PROJECT) ?? []).flatMap(({ flips }) => flips ?? []);
  return [
    {
      goal: "requests on kept connections: 0.95 of the bare nginx",
      reached: atLeast(0.95),
      measured: ratioOf(turns, PROJECT, BARE, "kept"),
      digits: 2,
      obstacle: `each request is logged, and ${BESIDES_LOG}`,
    },
    {
      goal: "the same, compared with a bare nginx that logs to its container's log",
      reached: atLeast(0.95),
      measured: ratioOf(turns, PROJECT, BARE_LOGGING, "kept"),
      digits: 2,
      obstacle: BESIDES_LOG,
    },
    {
      goal: "the same with `proxy.accessLog: false`, compared with the bare nginx",
      reached: atLeast(0.95),
      measured: ratioOf(turns, PROJECT_SILENT, BARE, "kept"),
      digits: 2,
      obstacle: BESIDES_LOG,
    },
    ...LOAD_NAMES.filter((load) => LOADS[load].protocol !== "http").map((load) => ({
      goal: `${PROTOCOLS[LOADS[load].protocol]}, ${LOADS[load].connections} connections: 0.95 of the bare nginx`,
      reached: atLeast(0.95),
      measured: ratioOf(turns, PROJECT, BARE, load),
      digits: 2,
      obstacle: `with \`proxy.accessLog: false\` it is ${range(ratioOf(turns, PROJECT_SILENT, BARE, load), 2)}; compared with a bare nginx that logs too, ${range(ratioOf(turns, PROJECT, BARE_LOGGING, load), 2)}; the proxy's CPU time for each is ${range(ratioOf(turns, PROJECT, BARE, load, cpu), 2)} of the bare one's`,
    })),
    ...(turns.has(KAMAL)
      ? [
          {
            goal: "2 times the requests of kamal-proxy, on kept connections",
            reached: atLeast(2),
            measured: ratioOf(turns, PROJECT, KAMAL, "kept"),
            digits: 2,
            obstacle: "each request is logged",
          },
        ]
      : []),
    {
      goal: "p99 during flips: at most 1.2 times the steady one",
      reached: atMost(1.2),
      measured: p99Ratio(flipsOfProject, "during"),
      digits: 2,
      obstacle: `a \`docker exec\` that does nothing: ${range(p99Ratio(flipsOfProject, "besideExec"), 2)}; the rest are the programs that the switch starts, and nginx's new workers`,
    },
    {
      goal: "failed requests during flips: 0",
      reached: atMost(0),
      measured: flips(({ failed }) => failed),
      digits: 0,
      obstacle: "see the table of flips",
    },
    {
      goal: "first answer of the new color: at most 500 ms after the start of the switch",
      reached: atMost(500),
      measured: spread((turns.get(PROJECT) ?? []).flatMap(({ flips }) => flips?.firstAnswers ?? [])),
      digits: 0,
      obstacle:
        "the calls of the Docker client before the gate, and the processes of the gate, one after the other",
    },
    {
      goal: "`pulumi up` of a flip: at most 1.3 times a no-op",
      reached: atMost(1.3),
      measured: spread(updates.map(({ same, flip }) => flip.seconds / same.seconds)),
      digits: 2,
      obstacle: "the switch itself; see the profile",
    },
    {
      goal: "edge and proxy: at most 25 MB resident",
      reached: atMost(25),
      measured: spreadOver(figures, PROJECT, ({ residentMb }) => residentMb),
      digits: 1,
      obstacle: "two nginx",
    },
  ];
}

function servicesTargets({ turns }: ServicesFigures): Target[] {
  const ratio = (value: (cost: ServicesTurn["alone"]) => number[]) =>
    spread(turns.map(({ alone, among }) => spread(value(among)).median / spread(value(alone)).median));
  return [
    {
      goal: `a flip with ${SERVICES} services on the ingress: at most 1.5 times as long as with one`,
      reached: (value) => value <= 1.5,
      measured: ratio(({ switchMs }) => switchMs),
      digits: 2,
      obstacle: "the test and the load of a longer configuration",
    },
    {
      goal: "the same for its whole `pulumi up`",
      reached: (value) => value <= 1.5,
      measured: ratio(({ updateSeconds }) => updateSeconds),
      digits: 2,
      obstacle: "the switch",
    },
    {
      goal: "each further service: at most 1 MB of edge and nginx",
      reached: (value) => value <= 1,
      measured: spread(
        turns.map(({ alone, among }) => (among.residentMb - alone.residentMb) / (SERVICES - 1)),
      ),
      digits: 2,
      obstacle: "the configuration of its servers, and the zones of its colors",
    },
  ];
}

const cpu = ({ cpuMicroseconds }: Throughput) => cpuMicroseconds;

/** Requests per second (or something else) of one in those of another, round by round. */
function ratioOf(
  turns: Figures["turns"],
  one: string,
  other: string,
  load: LoadName,
  value = ({ perSecond }: Throughput) => perSecond,
): Spread {
  const others = turns.get(other) ?? [];
  return spread(
    (turns.get(one) ?? []).flatMap(({ loads }, i) => {
      const [mine, theirs] = [loads[load], others[i].loads[load]];
      return mine && theirs ? [value(mine) / value(theirs)] : [];
    }),
  );
}

function spreadOver({ turns }: Figures, name: string, value: (turn: Turn) => number | undefined): Spread {
  return spread((turns.get(name) ?? []).flatMap((turn) => value(turn) ?? []));
}

// --- text

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

function range({ median, min, max }: Spread, digits = 0): string {
  const [middle, low, high] = [median, min, max].map((value) => number(value, digits));
  return low === high ? middle : `${middle} (${low}–${high})`;
}
