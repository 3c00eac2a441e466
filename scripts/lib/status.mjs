import { parseArgs } from "node:util";
import { compare } from "./drift.mjs";
import { Failure } from "./log.mjs";
import { observe } from "./observe.mjs";
import { servicesOf } from "./services.mjs";

/** Options that status and heal have in common: which stack. */
export const whichStack = {
  stack: { type: "string", short: "s" },
  cwd: { type: "string", short: "C", default: process.cwd() },
};

export function readOptions(options, usage) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Failure(`${error.message}. Nothing was changed.\n\n${usage}`);
  }
}

/** What status tells of every service of the stack, with what it was told from. */
export async function look(which) {
  const services = await servicesOf(which);
  return Promise.all(
    services.map(async (service) => ({ service, report: compare(service, await observe(service)) })),
  );
}

/** A short block for people. */
export function inWords(report, history = 3) {
  const { service, stack, live, idle, liveSince, health, servedThrough, containers, journal, drift } = report;
  const redis = containers.find(({ role }) => role === "redis");
  const rows = {
    live: live && [
      sideInWords(live),
      health && (health.ok ? "healthy" : "ILL"),
      liveSince && `since ${liveSince}`,
    ],
    idle: idle && [sideInWords(idle)],
    "served by": [
      { nginx: "nginx", edge: "the edge, which stands in for nginx", nobody: "nobody" }[servedThrough],
    ],
    redis: redis && [redis.status ?? "not there"],
  };
  const facts = Object.entries(rows).map(
    ([name, parts]) => `  ${`${name}:`.padEnd(11)}${parts ? parts.filter(Boolean).join(", ") : "none"}`,
  );
  return [
    `${service} (${stack}): ${drift.length === 0 ? "in order" : `${drift.length} difference(s)`}`,
    ...facts,
    ...historyInWords(journal, history),
    ...drift.map(
      ({ what, safe, heal }) => `  drift:     ${what}\n    safe:    ${safe}\n    to heal: ${heal}`,
    ),
  ].join("\n");
}

/** The newest first. Some of them are for a look; only all of them have their whole outcome. */
function historyInWords(journal, count) {
  const last = journal.slice(-count).reverse();
  return last.map(({ at, by, from, to, seconds, outcome }, i) => {
    const move = from === to ? `${to} stays` : `${from || "none"} -> ${to}`;
    const took = seconds === undefined ? "" : `, ${seconds} s`;
    const said = count === Infinity || outcome.length <= 100 ? outcome : `${outcome.slice(0, 100)} …`;
    return `  ${(i === 0 ? "switches:" : "").padEnd(11)}${at ? `${at}  ${move}${took}, by ${by}: ` : ""}${said}`;
  });
}

const sideInWords = ({ color, image, container, state }) => `${color} ${image} (${container}), ${state}`;
