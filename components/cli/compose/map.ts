import { mapCommand } from "./command";
import { take } from "./container";
import type { Context, Wishes } from "./context";
import { mapEnvironment, readEnvironment } from "./environment";
import { extend, type Extended } from "./extend";
import { isTree, type Tree } from "./file";
import { Findings } from "./findings";
import { mapHealth, readCheck } from "./gate";
import { dependenciesOf, mapNetworks, neededServices } from "./network";
import { otherServices, type Other } from "./others";
import { ImportError, type Place, type Problem } from "./problem";
import type { Project } from "./project";
import { mapPorts } from "./publish";
import { findRedis, mapRedis, type Redis } from "./redis";
import * as resources from "./resources";
import { isNothing, ROWS } from "./rows";
import { texts } from "./values";
import { mapVolumes } from "./volumes";
import { findWorkers, mapWorker, readOther } from "./workers";

/** One service as settings. */
export interface Imported {
  findings: Findings;
  others: Other[];
  placeOf: Extended["placeOf"];
}

export function importService(project: Project, name: string, wishes: Wishes): Imported {
  const refuse = (one: Problem): never => {
    throw new ImportError(project.file.name, [{ line: project.file.lineOf(one.place), ...one }]);
  };
  if (!Object.hasOwn(project.services, name)) {
    const all = Object.keys(project.services).join(", ");
    const included = project.content.include === undefined ? "" : ", and what it includes is not read";
    const reason = `has no ${JSON.stringify(name)}: there are ${all || "none"}${included}`;
    refuse({ place: ["services"], reason, next: "give one of them." });
  }
  const { service, placeOf: placeIn } = extend(project.services, name, refuse);
  const placeOf = (from: Place): Place =>
    from[0] === "services" ? readOther(project, String(from[1])).placeOf(from.slice(2)) : placeIn(from);
  const findings = new Findings();
  const refuseAt = (from: Place, reason: string, next: string) =>
    refuse({ place: placeOf(from), reason, next });
  const others = mapService({ findings, project, name, service, wishes, refuse: refuseAt });
  for (const place of project.unknown)
    if (place[0] === "services" && place[1] === name)
      findings.leave(
        place.slice(2),
        "is no key that is known here",
        "if a newer Docker Compose has it, see there what it does.",
      );
  checkBySettings(findings, project, name, service, placeOf);
  return { findings, others, placeOf };
}

/** By the component's own reader of settings. */
function checkBySettings(
  findings: Findings,
  project: Project,
  name: string,
  service: Tree,
  placeOf: Extended["placeOf"],
): void {
  const wrong = findings.dropWhatIsRefused(["blue.image", "green.image"]);
  if (wrong.length === 0) return;
  // Both colors have the same image.
  const distinct = [...new Map(wrong.map((one) => [one.reason, one])).values()];
  const problems = distinct.map(({ reason, from = ["image"] }) => {
    const place = placeOf(from);
    return { place, line: project.file.lineOf(place), reason, next: nextForImage(project, name, service) };
  });
  throw new ImportError(project.file.name, problems);
}

function nextForImage(project: Project, name: string, service: Tree): string {
  const image = typeof service.image === "string" ? service.image.replace(/:latest$/, "") : undefined;
  if (service.build === undefined)
    return `give the version that is to run: --image ${image ?? "IMAGE"}:VERSION.`;
  const built = image ?? `${project.name}-${name}`;
  return `give what was built a tag of its own, and give that: docker tag ${built} REGISTRY/${name}:VERSION, docker push REGISTRY/${name}:VERSION, then --image REGISTRY/${name}:VERSION.`;
}

function mapService(context: Context): Other[] {
  const { findings, project, name, service, wishes } = context;
  mapImage(context);
  const environment = readEnvironment(context);
  const values = new Map([...environment.variables].map(([key, { value }]) => [key, value]));
  const check = readCheck(context, (variable) => values.get(variable));
  mapPorts(context, check, values.get("PORT"));
  if (check !== undefined) mapHealth(context, check);
  const start = mapCommand(context);

  const found = findRedis(project, service, values, name);
  const isShared = found !== undefined && found.sharedWith.length > 0;
  const redis = (wishes.redis ?? (isShared ? "keep" : "own")) === "own" ? found : undefined;
  if (isShared && wishes.redis === undefined)
    findings.remark(
      placeOfRedis(service, found),
      `${found.name} stays in the compose project, since ${found.sharedWith.join(", ")} use${found.sharedWith.length > 1 ? "" : "s"} it too. With --redis own the colors have the component's own`,
    );
  if (redis !== undefined) mapRedis(findings, redis, placeOfRedis(service, redis));
  mapEnvironment(findings, environment, { redis, start });
  for (const key of ["environment", "env_file"])
    if (key in service && !findings.keys.has(key)) findings.holds([key], "adds nothing");

  const workers = findWorkers(context);
  const moved = [...workers.values()].filter((one) => "worker" in one);
  const needed = neededServices([{ context, environment }, ...moved], redis);
  mapDependencies(context, redis, needed);
  const reached = mapNetworks(findings, project, service, needed);
  mapVolumes(context);
  mapRest(context);
  for (const worker of moved) mapWorker(worker, context, environment, redis);
  return otherServices(project, name, service, { redis, reached, workers });
}

function mapImage({ findings, service, wishes }: Context): void {
  const image = wishes.image ?? service.image;
  const from = "image" in service || !("build" in service) ? ["image"] : ["build"];
  findings.set(["activeColor"], "blue", from);
  // Without one, the reader of settings says what is missing.
  if (isNothing(image)) return;
  findings.set(["blue", "image"], image, from);
  findings.set(["green", "image"], image, from);
}

/** What in the service says that it has one. */
function placeOfRedis(service: Tree, { name }: Redis): (string | number)[] {
  if (isTree(service.depends_on) && name in service.depends_on) return ["depends_on", name];
  const listed = texts(service.depends_on).indexOf(name);
  if (Array.isArray(service.depends_on) && listed !== -1) return ["depends_on", listed];
  return ["links", "environment", "env_file"].filter((key) => key in service).slice(0, 1);
}

function mapDependencies({ findings, service }: Context, redis: Redis | undefined, needed: string[]): void {
  const isList = Array.isArray(service.depends_on);
  for (const [i, name] of dependenciesOf(service).entries()) {
    if (name === redis?.name) continue;
    const next = needed.includes(name)
      ? "let it run in the compose project. The gate waits until the service can work."
      : "see what is said of it.";
    findings.leave(["depends_on", isList ? i : name], `${name} is not started by the component`, next);
  }
  for (const [i, link] of texts(service.links).entries()) {
    const [name, alias = name] = link.split(":");
    if (alias === name) findings.holds(["links", i], "on a network each is reached by its name");
    else
      findings.leave(["links", i], `${alias}: another name for ${name} has no setting`, `call it ${name}.`);
  }
  for (const key of ["depends_on", "links"])
    if (key in service && isNothing(service[key])) findings.holds([key], "is empty");
}

function mapRest({ findings, service }: Context): void {
  resources.mapMemory(findings, service);
  resources.mapCapabilities(findings, service);
  const known: { [key: string]: (value: unknown) => void } = {
    security_opt: (value) => resources.mapSecurity(findings, value),
    ulimits: (value) => resources.mapUlimits(findings, value),
    stop_grace_period: (value) => resources.mapStopGrace(findings, value),
    logging: (value) => resources.mapLogging(findings, value),
    tmpfs: (value) => resources.mapTmpfs(findings, value),
    labels: (value) => resources.mapLabels(findings, value),
    restart: (value) => resources.mapRestart(findings, value),
  };
  for (const [key, value] of Object.entries(service)) {
    if (Object.hasOwn(known, key)) known[key](value);
    else if (take(findings, key, value)) continue;
    else if (Object.hasOwn(ROWS, key)) resources.leaveByRow(findings, [key], ROWS[key], value);
    else if (key.startsWith("x-")) findings.holds([key], "is nothing to Docker Compose either");
    if (!findings.keys.has(key))
      findings.leave([key], "is not read", "see what it does, and set that by hand.");
  }
}
