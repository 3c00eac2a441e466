import { findDrift, HEAL } from "./drift";
import { hasPassed, inContext } from "./journal";
import { describeState } from "./words";
import {
  idleOf,
  isOneAtATime,
  namesServed,
  readSite,
  wantedSite,
  type Served,
  type Site,
  type Told,
} from "./served";
import { other, type Color } from "../settings/color";
import type { Container, Entry, Facts, Observed, Report, Service, Side } from "./report";

export interface State {
  service: Service;
  told?: Told;
  containers: Container[];
  edge: Observed["edge"];
  proxy: Observed["proxy"];
  nginx: Observed["nginx"];
  /** The nginx that has the ports, with what it says. */
  serving?: Facts;
  through?: "nginx" | "edge";
  /** Of whichever could be asked: what is on the volume that they share, either can tell. */
  facts?: Facts;
  site?: Site;
  /** What the stack says is served. */
  wanted?: Pick<Site, "text" | "hash">;
  health?: Report["health"];
}

/**
 * What a service does (observe.ts) beside what its stack says of it (services.ts). A pure function: all that `status` tells
 * is decided here. `drift` is empty where both agree.
 */
export function compare(service: Service, { containers, edge, proxy, nginx }: Observed): Report {
  const told = service.switch?.values;
  const [asked, askedEdge] = [proxy, edge].map((found) => (found && "id" in found ? found : undefined));
  const serving = [asked, askedEdge].find((found) => found?.listens);
  const through = serving && (serving === asked ? "nginx" : "edge");
  const facts = serving ?? asked ?? askedEdge;
  const site = facts && readSite(facts.site);
  const wanted = told && wantedSite(told);
  const health =
    serving?.health_code !== undefined
      ? {
          ok: serving.healthy === true,
          answer: serving.health_answer?.trim() ?? "",
          container: serving.health_from,
        }
      : undefined;

  const state: State = {
    service,
    told,
    containers,
    edge,
    proxy,
    nginx,
    serving,
    through,
    facts,
    site,
    wanted,
    health,
  };
  const users = whatUsersGet(state);
  const drift = findDrift(state).map((found) => ({ users, heal: HEAL, ...found }));
  return {
    service: service.name,
    stack: service.stack,
    inOrder: drift.length === 0,
    drift,
    users,
    urls: service.urls,
    servedThrough: through ?? "nobody",
    live: site?.live && side(state, site.live),
    idle: idleSide(state),
    liveSince: site?.live && liveSince(facts?.journal ?? [], site.live.color),
    workers: service.workers.map(({ name, container }) => {
      const found = containers.find((one) => one.name === container);
      return { name, container, image: found?.image, state: found ? describeState(found) : "not there" };
    }),
    health,
    configHash: { stack: wanted?.hash, served: site?.hash },
    intent: facts?.intent,
    journal: inContext(byTime([...(facts?.nginxes ?? []), ...(facts?.journal ?? [])])),
    nginx,
    containers: service.containers.map(({ role, name, id }) => ({
      ...containers.find((found) => found.id === id),
      role,
      name,
      id,
    })),
  };
}

/** What the users of the service notice, which is not always nothing. */
function whatUsersGet({ service, containers, serving, through, site, health }: State) {
  if (!service.switch) {
    const edge = containers.find(({ role }) => role === "edge");
    return edge?.status === "running"
      ? "no color is live yet: each request gets a 503"
      : "no color is live yet: nothing answers";
  }
  if (!serving) return "nothing answers";
  if (!site?.live) return "no color is live: each request gets a 503";
  const way = through === "edge" ? ", through the edge" : "";
  if (!health || health.ok) return `${site.live.color} answers${way}`;
  if (["none", "502", "504"].includes(serving.health_code ?? ""))
    return `OUTAGE: ${site.live.color} is live${way}, but does not answer`;
  return site.live.replicas > 1
    ? `${site.live.color} answers${way}, but not each of its containers is well`
    : `${site.live.color} answers${way}, but not as its health request should be answered`;
}

/** One at a time, no site names it: it is the other one that the stack has. */
function idleSide(state: State): Side | undefined {
  const { site, told } = state;
  if (site?.idle) return side(state, site.idle);
  if (site?.live === undefined || told === undefined || !isOneAtATime(told)) return undefined;
  const container = idleOf(told);
  return container === undefined
    ? undefined
    : side(state, { color: other(told.LIVE_COLOR as Color), container, replicas: 1 });
}

const byTime = (entries: Entry[]) => entries.sort((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));

/** Since when a color has been live without a break, as far back as the journal goes. */
function liveSince(journal: Entry[], color: Color) {
  const passed = journal.filter(hasPassed);
  const last = passed.findLastIndex(({ to }) => to !== color);
  return passed[last + 1]?.at;
}

function side({ facts, containers }: State, served: Served): Side {
  const { color, container } = served;
  const find = (wanted: string) => containers.find(({ name }) => name === wanted);
  const stateOf = (wanted: string) => {
    const found = find(wanted);
    return found ? describeState(found) : "not there";
  };
  const found = find(container);
  return {
    color,
    container,
    image: found?.image ?? facts?.journal.findLast((entry) => entry[color] && hasPassed(entry))?.[color],
    state: stateOf(container),
    peers: namesServed(served)
      .slice(1)
      .map((name) => ({ container: name, state: stateOf(name) })),
  };
}
