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

/** The services that stay in the compose project and that this one asks for by name. */
export function neededServices(
  project: Project,
  name: string,
  service: Tree,
  values: string[],
  redis: Redis | undefined,
): string[] {
  const links = texts(service.links).map((link) => link.split(":")[0]);
  const named = [...dependenciesOf(service), ...links];
  return Object.keys(project.services).filter(
    (other) =>
      other !== name &&
      other !== redis?.name &&
      !runsOnce(service, other) &&
      (named.includes(other) || values.some((value) => namesHost(value, other))),
  );
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

function join(findings: Findings, service: Tree, own: Network[], needed: string[], from: Place): string[] {
  const [best, ...others] = [...own].sort(
    (a, b) =>
      Number(a.isInternal) - Number(b.isInternal) ||
      b.reaches.length - a.reaches.length ||
      Number(b.isExternal) - Number(a.isExternal),
  );
  if (best.isInternal) {
    findings.leave(
      from,
      `${best.name} is an internal network, on which Docker publishes no port`,
      "put what the service needs on another network, and name that: network.name.",
    );
    return [];
  }
  findings.set(["network", "name"], best.name, from);
  const reached =
    best.reaches.length > 0 ? `, on which ${best.reaches.join(", ")} can be reached by name` : "";
  findings.remark(
    from,
    `the colors join the network ${best.name}${reached}. It has to be there before 'pulumi up', and 'docker compose down' can't remove it as long as they run`,
  );
  const missing = needed.filter((other) => !best.reaches.includes(other));
  if (missing.length > 0)
    findings.leave(
      from,
      `${missing.join(", ")}: not on ${best.name}, the one network that the component joins`,
      `add ${best.key} to the networks of ${missing.join(", ")} in the compose file, and 'docker compose up -d' there.`,
    );
  for (const { key } of others)
    findings.leave(
      ["networks", isTree(service.networks) ? key : texts(service.networks).indexOf(key)],
      `${key}: the component joins one network, ${best.key}`,
      "put what is needed of it on the other one.",
    );
  mapDetails(findings, service, best.key);
  return best.reaches;
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
