import { isTree, type Tree } from "./file";
import { shortName } from "./image";
import { dependenciesOf, runsOnce } from "./network";
import type { Project } from "./project";
import { namesHost, type Redis } from "./redis";
import { pairs, texts } from "./values";

// The services of the file that are not imported, and what takes the place of each.

export interface Other {
  name: string;
  text: string;
}

const PROXIES =
  /^(nginx|nginx-proxy|nginx-proxy-manager|openresty|traefik|caddy|caddy-docker-proxy|haproxy|envoy|swag|acme-companion|letsencrypt-nginx-proxy-companion|docker-letsencrypt-nginx-proxy-companion|certbot)$/;
const UPDATERS = /^(watchtower|ouroboros|diun|whats-up-docker|wud)$/;
const WORKERS =
  /\b(sidekiq|celery|worker|queue|resque|rq|bullmq?|cron|beat|scheduler|clockwork|horizon|delayed_job|good_job|solid_queue)\b/i;
const MIGRATIONS = /\b(migrate|migration|db:prepare|db:setup|alembic|prisma|flyway|liquibase)\b/i;

export function otherServices(
  project: Project,
  name: string,
  service: Tree,
  { redis, reached }: { redis?: Redis; reached: string[] },
): Other[] {
  return Object.entries(project.services).flatMap(([other, one]) => {
    if (other === name || other === redis?.name) return [];
    if (other === baseOf(project.services[name]))
      return [{ name: other, text: `it is what ${name} extends, which is in the settings` }];
    return [{ name: other, text: describe(other, isTree(one) ? one : {}, name, service, reached) }];
  });
}

function baseOf(service: unknown): unknown {
  const given = isTree(service) ? service.extends : undefined;
  return isTree(given) ? given.service : given;
}

function describe(other: string, one: Tree, name: string, service: Tree, reached: string[]): string {
  const image = typeof one.image === "string" ? shortName(one.image) : "";
  const command = [...texts(one.command), ...texts(one.entrypoint)].join(" ");
  const stays = reached.includes(other)
    ? "it stays in the compose project, and the colors reach it by its name"
    : "it stays in the compose project";
  if (PROXIES.test(image) && (refersTo(one, name) || isFoundBy(service)))
    return "the component's nginx takes its place: it holds proxy.port, and tls.names has it end TLS. Stop it when its ports are to be the component's";
  if (PROXIES.test(image))
    return `${stays}. If users reach ${name} through it, the component's nginx takes its place: it holds proxy.port, and tls.names has it end TLS`;
  if (UPDATERS.test(image))
    return "nothing takes its place: a release changes blue.image or green.image, and is gated";
  const isSame =
    image !== "" && image === (typeof service.image === "string" ? shortName(service.image) : undefined);
  const isPart =
    isSame || (one.build !== undefined && JSON.stringify(one.build) === JSON.stringify(service.build));
  if (runsOnce(service, other) || (isPart && MIGRATIONS.test(command)))
    return "it runs once before the service: the component has no step for that; run it before a release, so that both colors can live with it (docs/migrations.md)";
  if (isPart && (WORKERS.test(command) || WORKERS.test(other)))
    return `it is a worker of the same image: it stays in the compose project, where a release has to change its image too; both versions run for a while (docs/migrations.md)`;
  if (isPart)
    return `it has the same image: ${stays}, where a release has to change its image too; or import it on its own`;
  return stays;
}

/** Whether it depends on a service, or names it. */
const refersTo = (one: Tree, name: string): boolean =>
  dependenciesOf(one).includes(name) ||
  texts(one.links).some((link) => link.split(":")[0] === name) ||
  pairs(one.environment).some(({ value }) => value !== null && namesHost(value, name));

/** Whether a proxy on the host finds it by its labels or variables. */
const isFoundBy = (service: Tree): boolean =>
  pairs(service.labels).some(({ name }) => /^(traefik|caddy)([._]|$)/.test(name)) ||
  pairs(service.environment).some(({ name }) => name === "VIRTUAL_HOST");
