import type { Context } from "./context";
import { isTree, type Tree } from "./file";
import { httpCheck, type HttpCheck } from "./health";
import type { Place } from "./problem";
import { holdsSecret, leaveSecret } from "./secrets";
import { asText, integer, seconds, texts } from "./values";

// A health check becomes the gate: where it asks by HTTP, the gate asks the same; else it runs the same command.

/** What is no plain request, and why it is none. */
interface CommandCheck {
  command: string[];
  why: string;
  port?: undefined;
}
export type Check = HttpCheck | CommandCheck;

const TEST: Place = ["healthcheck", "test"];
const ADVICE = "set health.path to one that answers 2xx only when the service can work";

export function readCheck(
  { findings, service, name }: Context,
  env: (name: string) => string | undefined,
): Check | undefined {
  const { healthcheck, hostname = name } = service;
  if (!isTree(healthcheck)) {
    const from = "healthcheck" in service ? ["healthcheck"] : [];
    findings.remark(from, `there is no health check. The default is /health: ${ADVICE}`);
    return undefined;
  }
  const { test } = healthcheck;
  const isNone = test === undefined || test === null || [test].flat()[0] === "NONE";
  if (healthcheck.disable === true || isNone) {
    findings.leave(["healthcheck"], "has no test, and no release goes live without its gate", `${ADVICE}.`);
    return undefined;
  }
  const found = httpCheck(test, [name, asText(hostname)], env);
  return "why" in found ? { ...found, command: commandOf(test) } : found;
}

/** As Docker runs it. */
function commandOf(test: unknown): string[] {
  const [first, ...rest] = texts(test);
  if (!Array.isArray(test)) return ["sh", "-c", first];
  return first === "CMD-SHELL" ? ["sh", "-c", rest.join(" ")] : rest;
}

export function mapHealth(context: Context, check: Check): void {
  const words = "command" in check ? check.command : [check.path];
  if (holdsSecret(words, context.project)) leaveSecret(context.findings, TEST);
  else if ("command" in check) mapByCommand(context, check);
  else mapByHttp(context, check);
  mapTimes(context.findings, context.service.healthcheck as Tree);
}

function mapByCommand({ findings }: Context, { command, why }: CommandCheck): void {
  findings.set(["health", "kind"], "command", TEST);
  findings.set(["health", "command"], command, TEST);
  findings.remark(TEST, `${why}. The gate runs it in the container, as Docker does. Better: ${ADVICE}`);
}

function mapByHttp({ findings, project }: Context, check: HttpCheck): void {
  const port = (findings.value("containerPort") as number | undefined) ?? 3000;
  if (check.port !== port) findings.set(["health", "port"], check.port, TEST);
  findings.set(["health", "path"], check.path, TEST);
  if (check.hostHeader !== undefined) findings.set(["health", "hostHeader"], check.hostHeader, TEST);
  if (check.bodyText !== undefined) findings.set(["health", "bodyText"], check.bodyText, TEST);
  for (const one of check.beyond)
    findings.leave(
      TEST,
      `has ${holdsSecret([one], project) ? one.split(" ")[0] : one}, which the gate does not do`,
      "see that a plain GET is answered with 2xx; headers are health.headers.",
    );
  if (check.isScript)
    findings.remark(TEST, `is a script: the gate sends a plain GET to the address in it, and wants 2xx`);
}

function mapTimes(findings: Context["findings"], healthcheck: Tree): void {
  const timeout = seconds(healthcheck.timeout);
  if (timeout !== undefined && timeout > 0)
    findings.set(["health", "timeoutSeconds"], timeout, ["healthcheck", "timeout"]);
  const start = seconds(healthcheck.start_period) ?? 0;
  // As long as Docker takes to call it ill.
  const longest = start + (integer(healthcheck.retries) ?? 3) * (seconds(healthcheck.interval) ?? 30);
  const from = ["healthcheck", "start_period"];
  if (start > 0 && longest > 60) findings.set(["health", "gateTimeoutSeconds"], Math.ceil(longest), from);
  else if (start > 0) findings.holds(from, "the gate waits 60 s");
  for (const key of ["interval", "retries", "start_interval"])
    if (key in healthcheck)
      findings.holds(["healthcheck", key], "the gate asks every second and wants 2 passes in a row");
}
