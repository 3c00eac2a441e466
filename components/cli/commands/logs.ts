import { Argument, Option, type Command } from "commander";
import { showDocker } from "../docker";
import { Failure, say } from "../failure";
import { lookAt } from "../look";
import type { Report } from "../report";
import { oneService, stackCommand, type WhichStack } from "../stack";
import { wholeNumber } from "./history";

interface Options extends WhichStack {
  service?: string;
  follow?: boolean;
  tail?: number;
  requests?: boolean;
  worker?: string;
  replica?: number;
}

const WHOSE = ["live", "idle", "blue", "green", "nginx", "edge", "redis"] as const;
type Whose = (typeof WHOSE)[number];

export function registerLogs(program: Command): void {
  stackCommand(program, "logs", "shows what a container printed, or nginx's log of requests")
    .addArgument(new Argument("[whose]", "whose log").choices(WHOSE).default("live"))
    .option("--service <name>", "which service, where the stack has several")
    .option("-f, --follow", "goes on as more comes")
    .option("-n, --tail <lines>", "only the last lines", wholeNumber)
    .option("-w, --worker <name>", "of a worker of that color")
    .option("-r, --replica <number>", "of one of the color's containers, where it has several", wholeNumber)
    .addOption(new Option("--requests", "the log of requests, which nginx writes for itself"))
    .action(logs);
}

async function logs(
  whose: Whose,
  { service: name, follow, tail, requests, worker, replica, ...which }: Options,
): Promise<void> {
  const service = await oneService(which, name);
  const { report } = await lookAt(service);
  const all =
    worker === undefined
      ? containersOf(report, requests ? "nginx" : whose)
      : [workerOf(report, whose, worker)];
  if (replica !== undefined && all[replica - 1] === undefined)
    throw new Failure(`${service.name} has no container ${replica} of \`${whose}\`, but ${all.length}.`);
  // What follows does not end, so it is one of them.
  const chosen = replica !== undefined ? [all[replica - 1]] : follow ? all.slice(0, 1) : all;
  const following = follow ? ["--follow"] : [];
  for (const container of chosen) {
    if (all.length > 1) say(`${container}, ${all.indexOf(container) + 1} of ${all.length} (--replica)`);
    const args = requests
      ? // nginx's log is emptied in place when it is full, and `tail` goes on at its new end.
        ["exec", container, "tail", ...following, "--lines", String(tail ?? "+1"), "/bluegreen/access.log"]
      : ["logs", ...following, ...(tail === undefined ? [] : ["--tail", String(tail)]), container];
    if (!(await showDocker(service, args)))
      throw new Failure(`Docker at ${service.host} does not show the log of ${container}, see above.`);
  }
}

/** Those that are served, where there are others: an update that failed leaves some. */
function containersOf({ live, idle, containers, service, nginx }: Report, whose: Whose): string[] {
  const sides = { live, idle };
  const served =
    whose === "live" || whose === "idle" ? sides[whose] : [live, idle].find((side) => side?.color === whose);
  if (served !== undefined) return [served.container, ...served.peers.map(({ container }) => container)];
  const found = whose === "nginx" ? nginx : containers.find((container) => container.role === whose)?.name;
  if (found !== undefined) return [found];
  throw new Failure(`${service} has no container for \`${whose}\`: \`npx bluegreen status\` says more.`);
}

/** The one that its color has now: a former one is listed before it. */
function workerOf(report: Report, whose: Whose, worker: string): string {
  const { service, containers, workers } = report;
  const color = whose === "live" || whose === "idle" ? report[whose]?.color : whose;
  const found =
    (whose === "live" ? workers.find(({ name }) => name === worker)?.container : undefined) ??
    containers.findLast(({ role }) => role === `${color}-${worker}`)?.name;
  if (found !== undefined) return found;
  throw new Failure(
    `${service} has no worker ${worker} of \`${whose}\`: \`npx bluegreen status\` says which there are.`,
  );
}
