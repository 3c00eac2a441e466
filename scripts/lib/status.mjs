import { compare } from "./drift.mjs";
import { switchInWords } from "./history.mjs";
import { observe } from "./observe.mjs";
import { servicesOf } from "./services.mjs";

/** Options that status and heal have in common: which stack. */
export const whichStack = {
  stack: { type: "string", short: "s" },
  cwd: { type: "string", short: "C", default: process.cwd() },
};

/** What status tells of every service of the stack, with what it was told from. */
export async function look(which) {
  const services = await servicesOf(which);
  return Promise.all(
    services.map(async (service) => ({ service, report: compare(service, await observe(service)) })),
  );
}

/** What is true for users after a command that failed, in a sentence for its message. */
export async function whatIsServed(which) {
  try {
    const found = await look(which);
    return found.map(({ report: { service, users } }) => `Users of ${service} now: ${users}.`).join(" ");
  } catch {
    return "What users get now can't be told: `npm run status` says why.";
  }
}

/** A short block for people. */
export function inWords(report, history = 3) {
  const { service, stack, urls, live, idle, liveSince, health, servedThrough, containers, journal, drift } =
    report;
  const redis = containers.find(({ role }) => role === "redis");
  const rows = {
    url: urls.live && [urls.live],
    preview: urls.preview && [urls.preview],
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
      ({ what, users, heal }) => `  drift:     ${what}\n    users:   ${users}\n    to heal: ${heal}`,
    ),
  ].join("\n");
}

/** The newest first. Some of them are for a look; only all of them have their whole outcome. */
function historyInWords(journal, count) {
  const last = journal.slice(-count).reverse();
  return last.map((entry, i) => {
    const { at, by, seconds, outcome } = entry;
    const took = seconds === undefined ? "" : `, ${seconds} s`;
    const said = count === Infinity || outcome.length <= 100 ? outcome : `${outcome.slice(0, 100)} …`;
    return `  ${(i === 0 ? "switches:" : "").padEnd(11)}${at ? `${at}  ${switchInWords(entry)}${took}, by ${by}: ` : ""}${said}`;
  });
}

const sideInWords = ({ color, image, container, state }) => `${color} ${image} (${container}), ${state}`;
