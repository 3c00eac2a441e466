import { take } from "./container";
import type { Context } from "./context";
import { mapEnvironment, readEnvironment, type Environment } from "./environment";
import { extend, type Extended } from "./extend";
import { isTree, type Tree } from "./file";
import { Findings } from "./findings";
import { parseImage } from "./image";
import { runsOnce } from "./network";
import { ImportError, type Place } from "./problem";
import type { Project } from "./project";
import { namesHost, type Redis } from "./redis";
import { mapMemory, mapStopGrace } from "./resources";
import { isNothing } from "./rows";
import { holdsSecret } from "./secrets";
import { commandOf, integer, texts } from "./values";

// Services of the file that are the same program and work for the one that is imported: they become its workers.

// A web server's option --worker-class makes none.
const WORKS =
  /(?<![-\w])(sidekiq|celery|worker|queue|resque|rq|bullmq?|cron|beat|scheduler|clockwork|horizon|delayed_job|good_job|solid_queue|jobs)(?![-\w])/i;
const MIGRATES = /\b(migrate|migration|db:prepare|db:setup|alembic|prisma|flyway|liquibase)\b/i;

export type Kind = "runs-once" | "worker" | "same-image" | "another";

/** What another service is to this one. */
export function kindOf(name: string, other: Tree, service: Tree): Kind {
  const said = [...texts(other.command), ...texts(other.entrypoint)].join(" ");
  const isPart = isSameBuild(other, service) || isSameRepository(other, service);
  if (runsOnce(service, name) || (isPart && MIGRATES.test(said))) return "runs-once";
  if (!isPart) return "another";
  // What extends the service has its ports, too.
  const isAsked = (["ports", "expose"] as const).some(
    (key) => texts(other[key]).length > 0 && JSON.stringify(other[key]) !== JSON.stringify(service[key]),
  );
  const works = [said, name, name.replaceAll(/[-_]/g, " ")].some((text) => WORKS.test(text));
  return works && !isAsked ? "worker" : "same-image";
}

const isSameBuild = (other: Tree, service: Tree): boolean =>
  other.build !== undefined && JSON.stringify(other.build) === JSON.stringify(service.build);
const isSameRepository = (other: Tree, service: Tree): boolean => {
  const [one, two] = [other, service].map(({ image }) =>
    typeof image === "string" ? parseImage(image).repository : undefined,
  );
  return one !== undefined && one === two;
};

/** With what it extends. One that can't be read so is read as it stands: it is not what is imported. */
export function readOther({ services }: Project, name: string): Extended {
  try {
    return extend(services, name, (problem) => {
      throw new ImportError(name, [problem]);
    });
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return { service: services[name] as Tree, placeOf: (place) => ["services", name, ...place] };
  }
}

/** A service that becomes a worker. */
export interface Moved {
  worker: string;
  command: string[];
  context: Context;
  environment: Environment;
}
/** One that can't, and why. */
export interface NotMoved {
  reason: string;
}

/** By the name of the service. */
export type Workers = Map<string, Moved | NotMoved>;

export function findWorkers(main: Context): Workers {
  const found: Workers = new Map();
  for (const name of Object.keys(main.project.services)) {
    const { service } = readOther(main.project, name);
    if (name === main.name || kindOf(name, service, main.service) !== "worker") continue;
    const refuse: Context["refuse"] = (from, ...why) => main.refuse(["services", name, ...from], ...why);
    const context = { ...main, name, service, refuse };
    const command = isNothing(service.command) ? [] : (commandOf(service.command)?.words ?? []);
    const reason = whyNot(main, service, command);
    found.set(
      name,
      reason === undefined
        ? { worker: nameOf(name), command, context, environment: readEnvironment(context) }
        : { reason },
    );
  }
  return found;
}

const nameOf = (service: string): string => {
  const words = service.toLowerCase().match(/[a-z][a-z0-9]*/g) ?? ["worker"];
  return words.join("-").slice(0, 30).replace(/-$/, "");
};

function whyNot({ project, service }: Context, other: Tree, command: string[]): string | undefined {
  if (command.length === 0) return "it has no command of its own";
  if (holdsSecret(command, project)) return "its command has a secret in it";
  if (!isSameBuild(other, service) && other.image !== service.image)
    return "it has another version of the image";
  if (JSON.stringify(other.entrypoint) !== JSON.stringify(service.entrypoint))
    return "it has another entrypoint, and a worker has that of its color";
  return undefined;
}

/** What is no worker's, and what the component does by itself. */
const OF_NO_MATTER =
  /^(image|build|command|entrypoint|environment|env_file|depends_on|links|restart|container_name|hostname|healthcheck|ports|expose|stop_grace_period|mem_limit|cpus|deploy|scale|labels|profiles|extends|x-.*)$/;

/** After the rest of the service: a worker has what its color has, but for what is set here. */
export function mapWorker(
  { worker, command, context, environment }: Moved,
  main: Context,
  common: Environment,
  redis: Redis | undefined,
): void {
  const { findings, name, service } = context;
  const placeOf = (place: Place): Place => ["services", name, ...place];
  const set = (path: Place, value: unknown, from: Place, secret = false) =>
    findings.set(["workers", worker, ...path], value, placeOf(from), { secret });

  set(["command"], command, ["command"]);

  const variables = [...environment.variables].filter(
    ([variable, { value }]) =>
      value !== common.variables.get(variable)?.value ||
      (redis !== undefined && namesHost(value, redis.name)),
  );
  const own = new Findings();
  own.set(["containerPort"], findings.value("containerPort"), []);
  mapEnvironment(
    own,
    { variables: new Map(variables), unset: [] },
    { redis, start: { words: command, by: "command" } },
  );
  for (const { path, value, from, secret } of own.settings)
    if (path[0] === "env") set(path, value, from, secret);
    else if (path[0] === "timeZone") set(["env", "TZ"], value, from);
  for (const { from, reason, next } of own.leftOut) findings.leave(placeOf(from), reason, next);
  for (const { from, text } of own.remarks) findings.remark(placeOf(from), text);

  mapLimits(context, set);
  const { scale, deploy } = service;
  const count = integer(scale ?? (isTree(deploy) ? deploy.replicas : undefined)) ?? 1;
  if (count > 1)
    findings.remark(
      placeOf([scale === undefined ? "deploy" : "scale"]),
      `runs ${count} times, and a worker is one container. For more, set more workers with the same command`,
    );
  const others = Object.keys(service).filter(
    (key) => !OF_NO_MATTER.test(key) && JSON.stringify(service[key]) !== JSON.stringify(main.service[key]),
  );
  if (others.length > 0)
    findings.leave(
      placeOf([]),
      `differs from ${main.name} in ${others.join(", ")}, and a worker has what its color has`,
      `give ${main.name} what its worker needs of that, too.`,
    );
}

/** Without one of its own, a worker has the limit of its color. */
function mapLimits(
  { findings, service }: Context,
  set: (path: Place, value: unknown, from: Place) => void,
): void {
  const limits = new Findings();
  mapMemory(limits, service);
  if ("cpus" in service) take(limits, "cpus", service.cpus);
  if ("stop_grace_period" in service) mapStopGrace(limits, service.stop_grace_period);
  for (const [setting, path, none] of [
    ["memoryMb", ["memoryMb"], 0],
    ["cpus", ["container", "cpus"], undefined],
    ["stopGraceSeconds", ["stopGraceSeconds"], undefined],
  ] as const) {
    const value = limits.value(...path) ?? none;
    if (value !== undefined && value !== (findings.value(...path) ?? none))
      set([setting], value, limits.origin(...path) ?? []);
  }
}
