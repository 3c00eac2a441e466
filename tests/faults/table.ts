import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { docker } from "../support/docker";
import { describeTotals, failed, indent, type Totals } from "../support/load";

/** What a case tells of itself for the table of faults. */
export interface Told {
  happened: string;
  /** The load that ran during the case. */
  requests?: Totals;
  /** From the fault until everything was as it has to be. */
  healSeconds?: number[];
}

interface Row extends Partial<Told> {
  group: string;
  fault: string;
}
const rows: Row[] = [];

/** A test that is a row of the table, also when it fails. What it tells is printed too. */
export function fault(name: string, act: (this: Mocha.Context) => Promise<Told>): void {
  it(name, async function () {
    const row: Row = { group: this.test?.parent?.titlePath().join(": ") ?? "", fault: name };
    rows.push(row);
    Object.assign(row, await act.call(this));
    const { happened, requests, healSeconds } = row;
    if (happened !== undefined) console.log(indent(happened));
    if (requests !== undefined) console.log(indent(describeTotals(requests)));
    if (healSeconds !== undefined) console.log(indent(`healed within ${describeSeconds(healSeconds)}`));
  });
}

// Only the whole suite writes the table, which names the file: a part of it would drop rows.
after("the table of faults", async () => {
  const file = process.env.BLUEGREEN_FAULTS_TABLE;
  if (file === undefined || rows.length === 0) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const text = renderTable(await describeMachine());
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
});

async function describeMachine(): Promise<string> {
  const engine = await docker("version", "--format", "{{.Server.Version}}");
  const [{ model }] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model}, ${gigabytes} GB, Docker ${engine}, Node.js ${process.versions.node}`;
}

function renderTable(machine: string): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const lines = groups.flatMap((group) => [
    `## ${group}`,
    "",
    "| Case | What happened | Requests lost | Time to heal |",
    "| --- | --- | --- | --- |",
    ...rows.filter((row) => row.group === group).map(renderRow),
    "",
  ]);
  return [
    "# Faults",
    "",
    "Written by `npm run test:faults`, which fails when a case does not end as it has to: one color serves, nothing is left over,",
    "and the state, the proxy and its journal agree after the next switch.",
    "",
    `${new Date().toISOString().slice(0, 10)}, ${machine}.`,
    "",
    ...lines,
  ].join("\n");
}

function renderRow({ fault, happened, requests, healSeconds }: Row): string {
  const lost = requests === undefined ? "–" : `${failed(requests)} of ${requests.sent}`;
  const heal = healSeconds === undefined ? "–" : describeSeconds(healSeconds);
  const cells = [fault, happened ?? "**failed**", lost, heal];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** One is told as it is, of many the middle one and the longest. */
function describeSeconds(seconds: number[]): string {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (index: number) => sorted[index].toFixed(1);
  if (sorted.length === 1) return `${at(0)} s`;
  return `${at(Math.floor(sorted.length / 2))} s, at most ${at(sorted.length - 1)} s`;
}
