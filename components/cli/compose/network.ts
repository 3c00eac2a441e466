import type { Context } from "./context";
import type { Environment } from "./environment";
import { isTree, type Tree } from "./file";
import type { Findings } from "./findings";
import { nameOnHost, type Project } from "./project";
import { namesHost, type Redis } from "./redis";
import { isNothing } from "./rows";
import type { Place } from "./problem";
import { asText, flag, texts } from "./values";

// Which network the colors have to join, so that they reach what stays in the compose project under the names that it has there.

export const dependenciesOf = (service: Tree): string[] =>
  isTree(service.depends_on) ? Object.keys(service.depends_on) : texts(service.depends_on);

/** The networks of a service, as the compose file calls them. */
const networksOf = ({ networks }: Tree): string[] =>
  isNothing(networks) ? ["default"] : isTree(networks) ? Object.keys(networks) : texts(networks);

/** Services that stay in the compose project, and that one of those that leave it asks for by name. */
export function neededServices(
  all: { context: Context; environment: Environment }[],
  redis: Redis | undefined,
): string[] {
  const [{ project }] = all.map(({ context }) => context);
  const leaving = [...all.map(({ context }) => context.name), redis?.name];
  return Object.keys(project.services).filter(
    (other) =>
      !leaving.includes(other) &&
      all.some(({ context: { service }, environment }) => asksFor(service, environment, other)),
  );
}
function asksFor(service: Tree, { variables }: Environment, other: string): boolean {
  const links = texts(service.links).map((link) => link.split(":")[0]);
  const named = [...dependenciesOf(service), ...links];
  const isNamed =
    named.includes(other) || [...variables.values()].some(({ value }) => namesHost(value, other));
  return isNamed && !runsOnce(service, other);
}

/** A job that is over before the service begins. */
export function runsOnce({ depends_on: depends }: Tree, other: string): boolean {
  const one = isTree(depends) ? depends[other] : undefined;
  return isTree(one) && one.condition === "service_completed_successfully";
}

/** It gives those of the needed services that the colors reach. */
export function mapNetworks(findings: Findings, project: Project, service: Tree, needed: string[]): string[] {
  if (service.network_mode !== undefined) {
    const mode = asText(service.network_mode);
    findings.leave(
      ["network_mode"],
      mode === "host"
        ? 'is "host": two colors can\'t listen on one port of the host'
        : `is ${JSON.stringify(mode)}, which has no setting`,
      "the service listens on containerPort, nginx publishes proxy.port; other containers are reached on a network: network.name.",
    );
    if ("networks" in service) findings.holds(["networks"], "network_mode takes their place");
    return [];
  }
  const own = networksOf(service).map((key) => describe(project, key, needed));
  if (needed.length === 0 && !own.some(({ isExternal }) => isExternal)) {
    if ("networks" in service)
      findings.holds(["networks"], "nothing else on them is used; the component makes a network of its own");
    return [];
  }
  const from = ["networks", "depends_on", "links", "environment", "env_file"].filter((key) => key in service);
  return join(findings, service, own, needed, from.slice(0, 1));
}

interface Network {
  key: string;
  /** As Docker calls it. */
  name: string;
  isExternal: boolean;
  isInternal: boolean;
  /** Of the services that are needed, those that are on it. */
  reaches: string[];
}

function describe(project: Project, key: string, needed: string[]): Network {
  const all = project.content.networks;
  const one = isTree(all) && isTree(all[key]) ? all[key] : {};
  return {
    key,
    name: nameOnHost(project, "networks", key),
    isExternal: isTree(one.external) || flag(one.external) === true,
    isInternal: flag(one.internal) === true,
    reaches: needed.filter((other) => networksOf(project.services[other] as Tree).includes(key)),
  };
}

/** One that is not internal becomes the ingress's, with nginx on it: Docker publishes no port on an internal one. */
function join(findings: Findings, service: Tree, own: Network[], needed: string[], from: Place): string[] {
  const useful = own.filter(({ reaches, isExternal }) => reaches.length > 0 || isExternal);
  const joined = useful.length > 0 ? useful : own.slice(0, 1);
  const [first] = joined
    .filter(({ isInternal }) => !isInternal)
    .sort((a, b) => b.reaches.length - a.reaches.length || Number(b.isExternal) - Number(a.isExternal));
  const placeOf = ({ key }: Network): Place => {
    if (isNothing(service.networks)) return from;
    return ["networks", isTree(service.networks) ? key : texts(service.networks).indexOf(key)];
  };
  for (const [i, one] of own.entries()) {
    if (!joined.includes(one)) findings.holds(placeOf(one), `${one.key}: nothing that is needed is on it`);
    else if (one === first) findings.set(["network", "name"], one.name, placeOf(one));
    else findings.set(["container", "networks", i], one.name, placeOf(one));
    mapDetails(findings, service, one.key);
  }
  const reached = needed.filter((other) => joined.some(({ reaches }) => reaches.includes(other)));
  const [names, they] = [
    joined.map(({ name }) => name).join(", "),
    joined.length > 1 ? "They have" : "It has",
  ];
  findings.remark(
    from,
    `the colors join ${names}${reached.length > 0 ? `, on which ${reached.join(", ")} can be reached by name` : ""}. ${they} to be there before 'pulumi up', and 'docker compose down' can't remove what they are on`,
  );
  const missing = needed.filter((other) => !reached.includes(other));
  if (missing.length > 0)
    findings.leave(
      from,
      `${missing.join(", ")}: on no network of this service`,
      `add ${joined[0].key} to the networks of ${missing.join(", ")} in the compose file, and 'docker compose up -d' there.`,
    );
  return reached;
}

/** Aliases and addresses. */
function mapDetails(findings: Findings, { networks }: Tree, name: string): void {
  const details = isTree(networks) && isTree(networks[name]) ? networks[name] : {};
  for (const key of Object.keys(details))
    findings.leave(
      ["networks", name, key],
      "has no setting: two colors can't have one name or address",
      "others reach the service at proxy.port of the host.",
    );
}
