import { switchInWords } from "./journal";
import type { Container, Report, Side, Switch } from "./report";

/** A short block for people. */
export function inWords(report: Report): string {
  const { service, stack, urls, live, idle, liveSince, health, servedThrough, containers, journal, drift } =
    report;
  const { workers } = report;
  const redis = containers.find(({ role }) => role === "redis");
  const rows: { [name: string]: (string | false | undefined)[] | undefined } = {
    url: [urls.live],
    preview: [urls.preview],
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
    ...(workers.length > 0 && {
      workers: workers.map(({ name, container, state }) => `${name} (${container}) ${state}`),
    }),
  };
  const facts = Object.entries(rows).map(
    ([name, parts]) => `  ${`${name}:`.padEnd(11)}${parts?.filter(Boolean).join(", ") || "none"}`,
  );
  return [
    `${service} (${stack}): ${drift.length === 0 ? "in order" : `${drift.length} difference(s)`}`,
    ...facts,
    ...lastSwitches(journal),
    ...drift.map(
      ({ what, users, heal }) => `  drift:     ${what}\n    users:   ${users}\n    to heal: ${heal}`,
    ),
  ].join("\n");
}

/** The newest first. */
function lastSwitches(journal: Switch[]) {
  return journal
    .slice(-3)
    .reverse()
    .map((entry, i) => `  ${(i === 0 ? "switches:" : "").padEnd(11)}${entryInWords(entry, 100)}`);
}

/** An entry of the journal in a line. `length`: of how much of its outcome there is room for. */
export function entryInWords(entry: Switch, length = Infinity): string {
  const { at, by, seconds, downtime, outcome = "" } = entry;
  const off = downtime === undefined ? "" : `, downtime ${downtime} s`;
  const took = seconds === undefined ? "" : `, ${seconds} s${off}`;
  const said = outcome.length <= length ? outcome : `${outcome.slice(0, length)} …`;
  return `${at ? `${at}  ${switchInWords(entry)}${took}, by ${by}: ` : ""}${said}`;
}

/** Of several containers, each that is as the first one is needs no word of its own. */
const sideInWords = ({ color, image, container, state, peers }: Side) =>
  [
    `${color} ${image} (${[container, ...peers.map((peer) => peer.container)].join(", ")})`,
    ...(peers.length > 0 ? [`${peers.length + 1} containers`] : []),
    state,
    ...peers.filter((peer) => peer.state !== state).map((peer) => `${peer.container} ${peer.state}`),
  ].join(", ");

/** What became of a container. */
export function describeState({ status, exitCode, outOfMemory, restarts, finishedAt }: Container) {
  const times = restarts > 0 ? `, restarted ${restarts} times` : "";
  if (status === "running") return `running${times}`;
  const memory = outOfMemory ? ", killed for want of memory" : "";
  const since = status === "exited" ? ` since ${finishedAt.slice(0, 19)}Z` : "";
  return `${status}${since}, exit code ${exitCode}${memory}${times}`;
}
