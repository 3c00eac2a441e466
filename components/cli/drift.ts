import { COLORS, isColor, type Color } from "../settings/color";
import type { State } from "./compare";
import {
  firstDifference,
  isOneAtATime,
  servedIdleOf,
  toldNames,
  toldReplicas,
  writtenBy,
  type Told,
} from "./served";
import { PULUMI } from "./stack";
import { describeState } from "./words";
import type { Container, Drift, Entry, Service } from "./report";

export const HEAL = "npx bluegreen heal";

/** What users notice and how it is healed are the same for most. */
type Found = Pick<Drift, "kind" | "what"> & Partial<Drift>;

/** What differs from what the stack says. */
export const findDrift = (state: State): Found[] => CHECKS.flatMap((check) => check(state));

const CHECKS: ((state: State) => Found[])[] = [
  noSwitch,
  unfinishedUpdate,
  closedSite,
  containersDown,
  askedInVain,
  runningSwitch,
  whoServes,
  servedSite,
  notLoaded,
  illLiveColor,
  orphans,
];

function noSwitch({ service }: State) {
  if (service.switch) return [];
  return [
    {
      kind: "no-switch",
      what: "no switch has passed yet: the first release failed, was killed, or is under way",
      heal: `if no update is running: ${PULUMI} up, which fails again and says why until that is mended`,
    },
  ];
}

/** Left by an update that failed or was killed: containers that are not served yet, or not deleted yet. */
function unfinishedUpdate({ service, told, containers }: State) {
  if (!told) return [];
  const served = [...COLORS.flatMap((color) => toldNames(told, color)), told.NGINX];
  const released = service.containers.filter(
    ({ role, name, replaced }) => [...COLORS, "proxy"].includes(role) && !replaced && !served.includes(name),
  );
  const left = service.containers.filter(
    ({ id, replaced }) => replaced && byId(containers, id) && !released.length,
  );
  const parts = [
    ...released.map(({ role, name }) => `${role} ${name} was made and has not passed a switch`),
    ...notMoved(service, told).map(
      ({ worker, name }) => `the worker ${worker} was made, and has not moved to ${name}`,
    ),
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

/** Workers of the live color that no move which passed was told of. */
const notMoved = ({ containers, workers }: Service, { LIVE_COLOR }: Told) =>
  containers.filter(
    ({ role, name, worker, replaced }) =>
      worker !== undefined &&
      role.startsWith(`${LIVE_COLOR}-`) &&
      !replaced &&
      !workers.some(({ container }) => container === name),
  );

/** One at a time: neither of two containers serves. */
function closedSite({ site, facts }: State): Found[] {
  if (!site?.closed || facts?.lock_held) return [];
  const { color, container } = site.closed;
  return [
    {
      kind: "closed",
      what: `${color} (${container}) was stopped for another container to take its place, and the update that did it was killed, or could not start either`,
    },
  ];
}

function containersDown({ service, told, containers }: State): Found[] {
  return expectedContainers(service, told).flatMap(({ role, name, shouldRun, worker }) => {
    const found = containers.find((container) => container.name === name);
    const what = worker === undefined ? roleInWords(role, told) : `the worker ${worker}:`;
    if (!found) return [{ kind: `${role}-missing`, what: `${what} ${name} is not there` }];
    if (found.status === "running")
      return shouldRun
        ? []
        : [{ kind: `${role}-running`, what: `${what} ${name} runs, and should be stopped` }];
    // A worker's is not started before its turn has come, nor one at a time before the switch.
    const mayBeNew = worker !== undefined || isOneAtATime(told);
    if (!shouldRun && (found.status === "exited" || (mayBeNew && found.status === "created"))) return [];
    const state = `${what} ${name} is ${describeState(found)}`;
    return [
      { kind: `${role}-${found.status}`, what: state, ...(found.error && unableToStart(state, found.error)) },
    ];
  });
}

/** Docker tried and could not, and will not be able to before somebody has changed something. */
function unableToStart(state: string, error: string) {
  const taken = /port is already allocated|address already in use|ports are not available/i.test(error);
  const mend = taken
    ? `free the port, or choose another: ${PULUMI} config set --path proxy.port PORT (or proxy.previewPort, tls.port)`
    : "mend what Docker says";
  return {
    what: `${state}; Docker could not start it: ${error}`,
    heal: `${mend}. Then ${HEAL}`,
  };
}

/** Colors and nginx are those that the last switch was told of; what a failed update made beside them is no part of it. */
function expectedContainers(
  service: Service,
  told: Told | undefined,
): { role: string; name: string; shouldRun: boolean; worker?: string }[] {
  const others = service.containers.filter(
    ({ role, replaced }) => ["edge", "redis"].includes(role) && !replaced,
  );
  if (!told) return others.map((container) => ({ ...container, shouldRun: true }));
  const runs = (color: Color) => color === told.LIVE_COLOR || told.IDLE === "running";
  return [
    ...others.map(({ role, name }) => ({ role, name, shouldRun: true })),
    ...expectedWorkers(service, told),
    ...(told.NGINX === undefined ? [] : [{ role: "proxy", name: told.NGINX, shouldRun: true }]),
    ...COLORS.flatMap((color) =>
      toldNames(told, color).map((name) => ({ role: color, name, shouldRun: runs(color) })),
    ),
  ];
}

/** Where a move has failed, some have moved and others have gone back. */
function expectedWorkers(service: Service, told: Told): ReturnType<typeof expectedContainers> {
  if (notMoved(service, told).length > 0) return [];
  return service.containers
    .filter(({ worker, replaced }) => worker !== undefined && !replaced)
    .map(({ name, worker }) => ({
      role: "worker",
      name,
      worker,
      shouldRun: service.workers.some(({ container }) => container === name),
    }));
}

/** A container that runs and in which nothing can be asked: it is paused, or of another making. */
function askedInVain({ edge, proxy }: State) {
  return Object.entries({ edge, proxy }).flatMap(([role, facts]) =>
    facts && "error" in facts
      ? [{ kind: `${role}-silent`, what: `${role} could not be asked: ${facts.error}` }]
      : [],
  );
}

function runningSwitch({ facts }: State) {
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
const intentInWords = (intent: Entry | undefined) =>
  intent ? ` (to ${intent.to}, by ${intent.by}, since ${intent.at})` : "";

function whoServes({ told, edge, proxy, nginx, serving, facts }: State) {
  if (!told || !facts || facts.lock_held) return [];
  if (!serving) return [{ kind: "nobody-serves", what: "neither nginx nor the edge has its ports open" }];
  if (!proxy || "error" in proxy) return [];
  if (proxy.owner !== proxy.id)
    return [{ kind: "other-owner", what: `the ports belong to another nginx than ${nginx}` }];
  if (serving === edge) return [{ kind: "edge-serves", what: "the edge serves, although nginx runs" }];
  return [];
}

/** Whom the served site serves, and whether it is as a switch wrote it. */
function servedSite({ told, site, facts, wanted }: State): Found[] {
  if (!told || !site || !facts || !wanted) return [];
  if (site.closed) return [];
  if (!site.live) return [{ kind: "nothing-live", what: "the served site names no live color" }];
  const entry = writtenBy(facts.journal, site.hash);
  const writer = entry ? `, as a switch by ${entry.by} wrote it at ${entry.at}` : "";
  if (site.live.color !== told.LIVE_COLOR)
    return [
      { kind: "color", what: `${site.live.color} is served, the stack says ${told.LIVE_COLOR}${writer}` },
    ];
  const containers = [site.live, site.idle].flatMap((served) => {
    if (served === undefined) {
      if (servedIdleOf(told) === undefined) return [];
      return [
        {
          kind: "container",
          what: `the idle color is served from nowhere, the stack says ${servedIdleOf(told)}${writer}`,
        },
      ];
    }
    const { color, container, replicas } = served;
    const wanted = told[color.toUpperCase()];
    if (container === wanted) {
      const count = toldReplicas(told, color);
      if (replicas === count) return [];
      return [
        {
          kind: "replicas",
          what: `${color} is served from ${replicas} container(s), the stack says ${count}${writer}`,
        },
      ];
    }
    const what = `${color} is served from ${container}, the stack says ${wanted}${writer}`;
    return [{ kind: "container", what }];
  });
  if (containers.length > 0 || site.hash === wanted.hash) return containers;
  const [line, served, written] = firstDifference(site.text, wanted.text);
  const first = `first in line ${line}: "${served}" instead of "${written}"`;
  return entry
    ? [{ kind: "site", what: `the served site is another than the stack's${writer}; ${first}` }]
    : [{ kind: "site-edited", what: `the served site was changed by hand, ${first}` }];
}

function notLoaded({ serving, facts }: State) {
  if (!serving || facts?.lock_held || serving.files === serving.running) return [];
  return [
    {
      kind: "not-loaded",
      what: "nginx's files were changed since it loaded them: a restart would load something else than it runs",
    },
  ];
}

function illLiveColor({ health, site }: State) {
  if (!health || health.ok || !site?.live) return [];
  const { color, replicas } = site.live;
  const container = health.container ?? site.live.container;
  return [
    {
      kind: "ill",
      what: `the live color ${color}${replicas > 1 ? ` (${container})` : ""} fails its health request: ${health.answer}`,
      heal: `${HEAL}, if it does not run; else see docker logs ${container}, or roll back`,
    },
  ];
}

/** What a killed update left, or the containers of a stack of the same name somewhere else: so they are only named. */
function orphans({ service, containers }: State) {
  const known = new Set(service.containers.map(({ id }) => id));
  return containers
    .filter(({ id }) => !known.has(id))
    .map(({ name, role, status }) => ({
      kind: "orphan",
      what: `${role} ${name} (${status}) has the labels of this stack, which does not know it`,
      heal: `if no other checkout uses it: docker rm -f ${name}`,
    }));
}

function roleInWords(role: string, told: Told | undefined) {
  if (!isColor(role)) return { edge: "the edge", proxy: "nginx", redis: "Redis" }[role] ?? role;
  return `the ${role === told?.LIVE_COLOR ? "live" : "idle"} color ${role}:`;
}

const byId = (containers: Container[], wanted: string) => containers.find(({ id }) => id === wanted);
