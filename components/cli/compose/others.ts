import { isTree, type Tree } from "./file";
import { shortName } from "./image";
import { dependenciesOf } from "./network";
import type { Project } from "./project";
import { namesHost, type Redis } from "./redis";
import { pairs, texts } from "./values";
import { kindOf, readOther, type Moved, type NotMoved, type Workers } from "./workers";

// The services of the file that are not imported, and what takes the place of each.

export interface Other {
  name: string;
  text: string;
}

const PROXIES =
  /^(nginx|nginx-proxy|nginx-proxy-manager|openresty|traefik|caddy|caddy-docker-proxy|haproxy|envoy|swag|acme-companion|letsencrypt-nginx-proxy-companion|docker-letsencrypt-nginx-proxy-companion|certbot)$/;
const UPDATERS = /^(watchtower|ouroboros|diun|whats-up-docker|wud)$/;

export function otherServices(
  project: Project,
  name: string,
  service: Tree,
  { redis, reached, workers }: { redis?: Redis; reached: string[]; workers: Workers },
): Other[] {
  return Object.keys(project.services).flatMap((other) => {
    if (other === name || other === redis?.name) return [];
    if (other === baseOf(project.services[name]))
      return [{ name: other, text: `it is what ${name} extends, which is in the settings` }];
    const moved = workers.get(other);
    if (moved !== undefined) return [{ name: other, text: tellWorker(moved) }];
    return [
      { name: other, text: describe(other, readOther(project, other).service, name, service, reached) },
    ];
  });
}

function baseOf(service: unknown): unknown {
  const given = isTree(service) ? service.extends : undefined;
  return isTree(given) ? given.service : given;
}

function describe(other: string, one: Tree, name: string, service: Tree, reached: string[]): string {
  const image = typeof one.image === "string" ? shortName(one.image) : "";
  const stays = reached.includes(other)
    ? "it stays in the compose project, and the colors reach it by its name"
    : "it stays in the compose project";
  if (PROXIES.test(image) && (refersTo(one, name) || isFoundBy(service)))
    return "the component's nginx takes its place: it holds proxy.port, and tls.names has it end TLS. Stop it when its ports are to be the component's";
  if (PROXIES.test(image))
    return `${stays}. If users reach ${name} through it, the component's nginx takes its place: it holds proxy.port, and tls.names has it end TLS`;
  if (UPDATERS.test(image))
    return "nothing takes its place: a release changes blue.image or green.image, and is gated";
  switch (kindOf(other, one, service)) {
    case "runs-once":
      return "it runs once before the service: the component has no step for that; run it before a release, so that both colors can live with it (docs/migrations.md)";
    case "same-image":
      return `it has the same image: ${stays}, where a release has to change its image too; or import it on its own. If it works for the service, it can be one of its workers (docs/how-to/workers.md)`;
    default:
      return stays;
  }
}

const tellWorker = (moved: Moved | NotMoved): string =>
  "worker" in moved
    ? `it becomes workers.${moved.worker}, and moves with each release. Stop it in the compose project before 'pulumi up', or there are two of it`
    : `it is a worker of the same image, but ${moved.reason}: set it by hand (docs/how-to/workers.md), or let it stay in the compose project, where a release has to change its image too`;

/** Whether it depends on a service, or names it. */
const refersTo = (one: Tree, name: string): boolean =>
  dependenciesOf(one).includes(name) ||
  texts(one.links).some((link) => link.split(":")[0] === name) ||
  pairs(one.environment).some(({ value }) => value !== null && namesHost(value, name));

/** Whether a proxy on the host finds it by its labels or variables. */
const isFoundBy = (service: Tree): boolean =>
  pairs(service.labels).some(({ name }) => /^(traefik|caddy)([._]|$)/.test(name)) ||
  pairs(service.environment).some(({ name }) => name === "VIRTUAL_HOST");
