import { createHash } from "node:crypto";
import { hasPassed, inContext } from "./history.mjs";

const COLORS = ["blue", "green"];
const HEAL = "npm run heal";

/**
 * What a service does (observe.mjs) beside what its stack says of it (services.mjs). A pure function: all that `status`
 * tells is decided here. `drift` is empty where both agree.
 * @param {import("./report.js").Service} service
 * @param {import("./report.js").Observed} observed
 * @returns {import("./report.js").Report}
 */
export function compare(service, observed) {
  const { containers, edge, proxy } = observed;
  const told = service.switch?.values;
  const serving = [proxy, edge].find((facts) => facts?.listens);
  const through = serving && (serving === proxy ? "nginx" : "edge");
  // What is on the volume that they share, either can tell.
  const facts = [serving, proxy, edge].find((found) => found && !found.error);
  const site = facts && readSite(facts.site);
  const wanted = told && wantedSite(told);
  const health = serving?.health_code && {
    ok: serving.healthy === true,
    answer: serving.health_answer?.trim() ?? "",
  };

  const state = { service, told, containers, edge, proxy, serving, through, facts, site, wanted, health };
  const users = whatUsersGet(state);
  const drift = CHECKS.flatMap((check) => check(state)).map((found) => ({ users, heal: HEAL, ...found }));
  return {
    service: service.name,
    stack: service.stack,
    inOrder: drift.length === 0,
    drift,
    users,
    urls: service.urls,
    servedThrough: through ?? "nobody",
    live: site?.live && side(state, site.live),
    idle: site?.idle && side(state, site.idle),
    liveSince: site?.live && liveSince(facts.journal, site.live.color),
    health,
    configHash: { stack: wanted?.hash, served: site?.hash },
    intent: facts?.intent,
    journal: inContext(facts?.journal ?? []),
    containers: service.containers.map(({ role, name, id }) => ({ ...byId(containers, id), role, name, id })),
  };
}

// --- what differs

const CHECKS = [
  noSwitch,
  unfinishedUpdate,
  containersDown,
  askedInVain,
  runningSwitch,
  whoServes,
  servedSite,
  notLoaded,
  illLiveColor,
  orphans,
];

function noSwitch({ service }) {
  if (service.switch) return [];
  return [
    {
      kind: "no-switch",
      what: "no switch has passed yet: the first release failed, was killed, or is under way",
      heal: "if no update is running: npx pulumi up, which fails again and says why until that is mended",
    },
  ];
}

/** Left by an update that failed or was killed: containers that are not served yet, or not deleted yet. */
function unfinishedUpdate({ service, told, containers }) {
  if (!told) return [];
  const served = COLORS.map((color) => told[color.toUpperCase()]).concat(told.PROXY);
  const released = service.containers.filter(
    ({ role, name, replaced }) => [...COLORS, "proxy"].includes(role) && !replaced && !served.includes(name),
  );
  const left = service.containers.filter(
    ({ id, replaced }) => replaced && byId(containers, id) && !released.length,
  );
  const parts = [
    ...released.map(({ role, name }) => `${role} ${name} was made and has not passed a switch`),
    ...left.map(({ role, name }) => `the former ${role} ${name} is still to be deleted`),
    ...service.pending.map((operation) => `"${operation}" was begun`),
  ];
  if (parts.length === 0) return [];
  return [
    {
      kind: "unfinished-update",
      what: `an update failed or was killed: ${parts.join("; ")}`,
      heal: `mend the cause or set it back, then ${HEAL}`,
    },
  ];
}

function containersDown({ service, told, containers }) {
  return expectedContainers(service, told).flatMap(({ role, name, shouldRun }) => {
    const found = containers.find((container) => container.name === name);
    const what = roleInWords(role, told);
    if (!found) return [{ kind: `${role}-missing`, what: `${what} ${name} is not there` }];
    if (found.status === "running")
      return shouldRun
        ? []
        : [{ kind: `${role}-running`, what: `${what} ${name} runs, and should be stopped` }];
    if (!shouldRun && found.status === "exited") return [];
    const state = `${what} ${name} is ${describeState(found)}`;
    return [
      { kind: `${role}-${found.status}`, what: state, ...(found.error && unableToStart(state, found.error)) },
    ];
  });
}

/** Docker tried and could not, and will not be able to before somebody has changed something. */
function unableToStart(state, error) {
  const taken = /port is already allocated|address already in use|ports are not available/i.test(error);
  const mend = taken
    ? "free the port, or choose another: npx pulumi config set --path proxy.port PORT (or proxy.previewPort, tls.port)"
    : "mend what Docker says";
  return {
    what: `${state}; Docker could not start it: ${error}`,
    heal: `${mend}. Then ${HEAL}`,
  };
}

/** Colors and nginx are those that the last switch was told of; what a failed update made beside them is no part of it. */
function expectedContainers(service, told) {
  const others = service.containers.filter(
    ({ role, replaced }) => ["edge", "redis"].includes(role) && !replaced,
  );
  if (!told) return others.map((container) => ({ ...container, shouldRun: true }));
  const runs = (color) => color === told.LIVE_COLOR || told.IDLE === "running";
  return [
    ...others.map(({ role, name }) => ({ role, name, shouldRun: true })),
    { role: "proxy", name: told.PROXY, shouldRun: true },
    ...COLORS.map((color) => ({
      role: color,
      name: told[color.toUpperCase()],
      shouldRun: runs(color),
    })).filter(
      // None has passed the idle gate yet.
      ({ name }) => name !== undefined,
    ),
  ];
}

/** A container that runs and in which nothing can be asked: it is paused, or of another making. */
function askedInVain({ edge, proxy }) {
  return Object.entries({ edge, proxy }).flatMap(([role, facts]) =>
    facts?.error ? [{ kind: `${role}-silent`, what: `${role} could not be asked: ${facts.error}` }] : [],
  );
}

function runningSwitch({ facts }) {
  if (facts?.lock_held)
    return [
      {
        kind: "switch-running",
        what: `a switch is running: ${facts.lock_holder}${intentInWords(facts.intent)}`,
        heal: "wait until it has ended",
      },
    ];
  if (facts?.intent)
    return [
      {
        kind: "intent-left",
        what: `a switch was killed and nobody has settled it${intentInWords(facts.intent)}`,
      },
    ];
  return [];
}
const intentInWords = (intent) => (intent ? ` (to ${intent.to}, by ${intent.by}, since ${intent.at})` : "");

function whoServes({ told, edge, proxy, serving, facts }) {
  if (!told || !facts || facts.lock_held) return [];
  if (!serving) return [{ kind: "nobody-serves", what: "neither nginx nor the edge has its ports open" }];
  if (!proxy || proxy.error) return [];
  if (proxy.owner !== proxy.id)
    return [{ kind: "other-owner", what: `the ports belong to another nginx than ${told.PROXY}` }];
  if (serving === edge) return [{ kind: "edge-serves", what: "the edge serves, although nginx runs" }];
  return [];
}

/** Whom the served site serves, and whether it is as a switch wrote it. */
function servedSite({ told, site, facts, wanted }) {
  if (!told || !site) return [];
  if (!site.live) return [{ kind: "nothing-live", what: "the served site names no live color" }];
  const entry = writtenBy(facts.journal, site.hash);
  const writer = entry ? `, as a switch by ${entry.by} wrote it at ${entry.at}` : "";
  if (site.live.color !== told.LIVE_COLOR)
    return [
      { kind: "color", what: `${site.live.color} is served, the stack says ${told.LIVE_COLOR}${writer}` },
    ];
  const containers = [site.live, site.idle].flatMap((served) => {
    const wanted = told[served?.color.toUpperCase()];
    if (served?.container === wanted) return [];
    const what = `${served?.color ?? "the idle color"} is served from ${served?.container ?? "nowhere"}, the stack says ${wanted}${writer}`;
    return [{ kind: "container", what }];
  });
  if (containers.length > 0 || site.hash === wanted.hash) return containers;
  const [line, served, written] = firstDifference(site.text, wanted.text);
  const first = `first in line ${line}: "${served}" instead of "${written}"`;
  return entry
    ? [{ kind: "site", what: `the served site is another than the stack's${writer}; ${first}` }]
    : [{ kind: "site-edited", what: `the served site was changed by hand, ${first}` }];
}

function notLoaded({ serving, facts }) {
  if (!serving || facts.lock_held || serving.files === serving.running) return [];
  return [
    {
      kind: "not-loaded",
      what: "nginx's files were changed since it loaded them: a restart would load something else than it runs",
    },
  ];
}

function illLiveColor({ health, site }) {
  if (!health || health.ok || !site.live) return [];
  const { color, container } = site.live;
  return [
    {
      kind: "ill",
      what: `the live color ${color} fails its health request: ${health.answer}`,
      heal: `${HEAL}, if it does not run; else see docker logs ${container}, or roll back`,
    },
  ];
}

/** What a killed update left, or the containers of a stack of the same name somewhere else: so they are only named. */
function orphans({ service, containers }) {
  const known = new Set(service.containers.map(({ id }) => id));
  return containers
    .filter(({ id }) => !known.has(id))
    .map(({ name, role, status }) => ({
      kind: "orphan",
      what: `${role} ${name} (${status}) has the labels of this stack, which does not know it`,
      heal: `if no other checkout uses it: docker rm -f ${name}`,
    }));
}

// --- what it is made of

/** What the users of the service notice, which is not always nothing. */
function whatUsersGet({ service, containers, serving, through, site, health }) {
  if (!service.switch) {
    const edge = containers.find(({ role }) => role === "edge");
    return edge?.status === "running"
      ? "no color is live yet: each request gets a 503"
      : "no color is live yet: nothing answers";
  }
  if (!serving) return "nothing answers";
  if (!site.live) return "no color is live: each request gets a 503";
  const way = through === "edge" ? ", through the edge" : "";
  if (!health || health.ok) return `${site.live.color} answers${way}`;
  return ["none", "502", "504"].includes(serving.health_code)
    ? `OUTAGE: ${site.live.color} is live${way}, but does not answer`
    : `${site.live.color} answers${way}, but not as its health request should be answered`;
}

/** Two lines of a site say whom it serves. */
function readSite(text) {
  const served = (role) => {
    const found = new RegExp(`^# ${role}: (\\w+) (\\S+)$`, "m").exec(text);
    return found ? { color: found[1], container: found[2] } : undefined;
  };
  return { text, hash: hashOf(text), live: served("live"), idle: served("idle") };
}

/** The site that the stack says is served: filled in as fill_site in components/shell/in-nginx/piped/steps.sh does. */
function wantedSite(told) {
  const idle = told.LIVE_COLOR === "blue" ? "green" : "blue";
  const idleContainer = told[idle.toUpperCase()];
  const text = `${told.SITE_TEMPLATE}\n${idleContainer ? told.PREVIEW_TEMPLATE : told.NO_PREVIEW}`
    .replaceAll("<live-color>", told.LIVE_COLOR)
    .replaceAll("<live>", told.LIVE)
    .replaceAll("<idle-color>", idle)
    .replaceAll("<idle>", idleContainer ?? "")
    .replace(/\n*$/, "\n");
  return { text, hash: hashOf(text) };
}

const hashOf = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);

const writtenBy = (journal, hash) =>
  journal.findLast(({ config, outcome }) => config === hash && !outcome.startsWith("failed"));

/** Number of the line, and both. */
function firstDifference(one, other) {
  const [ours, theirs] = [one.split("\n"), other.split("\n")];
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  const i = at === -1 ? ours.length : at;
  return [i + 1, ours[i]?.trim() ?? "", theirs[i]?.trim() ?? ""];
}

/** Since when a color has been live without a break, as far back as the journal goes. */
function liveSince(journal, color) {
  const passed = journal.filter(hasPassed);
  const last = passed.findLastIndex(({ to }) => to !== color);
  return passed[last + 1]?.at;
}

function side({ told, containers }, { color, container }) {
  const found = containers.find(({ name }) => name === container);
  return {
    color,
    container,
    image: found?.image ?? told?.[`${color.toUpperCase()}_IMAGE`],
    state: found ? describeState(found) : "not there",
  };
}

function describeState({ status, exitCode, outOfMemory, restarts, finishedAt }) {
  const times = restarts > 0 ? `, restarted ${restarts} times` : "";
  if (status === "running") return `running${times}`;
  const memory = outOfMemory ? ", killed for want of memory" : "";
  const since = status === "exited" ? ` since ${finishedAt.slice(0, 19)}Z` : "";
  return `${status}${since}, exit code ${exitCode}${memory}${times}`;
}

function roleInWords(role, told) {
  if (!COLORS.includes(role)) return { edge: "the edge", proxy: "nginx", redis: "Redis" }[role];
  return `the ${role === told.LIVE_COLOR ? "live" : "idle"} color ${role}:`;
}

const byId = (containers, wanted) => containers.find(({ id }) => id === wanted);
