import { parseImage } from "./image";
import { isTree, type Tree } from "./file";
import type { Findings } from "./findings";
import { nameOnHost, type Project } from "./project";
import { mountOf } from "./mounts";
import { asText, commandOf, mebibytes, pairs, texts } from "./values";

// A Redis of the compose file becomes the component's own: it is not published, no release touches it, and both colors share it.

export interface Redis {
  name: string;
  service: Tree;
  /** Other services that use it. */
  sharedWith: string[];
  /** Its volume, as Docker calls it. */
  volume?: string;
}

/** An official Redis. Others have another command or another form of data. */
const isRedis = (service: unknown): service is Tree =>
  isTree(service) && typeof service.image === "string" && parseImage(service.image).repository === "redis";

/** Whether a value names a service as a host. */
export const namesHost = (value: string, name: string): boolean =>
  new RegExp(`(^|[/@,\\s=])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|[:/,\\s?])`).test(value);

const depends = (service: Tree, name: string): boolean =>
  (isTree(service.depends_on) ? Object.keys(service.depends_on) : texts(service.depends_on)).includes(name) ||
  texts(service.links).some((link) => link.split(":")[0] === name);
const uses = (service: Tree, name: string): boolean =>
  depends(service, name) ||
  pairs(service.environment).some(({ value }) => value !== null && namesHost(value, name));

/** The one that a service uses: it depends on it, or has its name in a variable. */
export function findRedis(
  project: Project,
  service: Tree,
  env: Map<string, string>,
  self: string,
): Redis | undefined {
  const used = (name: string) =>
    depends(service, name) || [...env.values()].some((value) => namesHost(value, name));
  const found = Object.entries(project.services).find(([name, other]) => isRedis(other) && used(name));
  if (found === undefined) return undefined;
  const [name, redis] = found as [string, Tree];
  const mount = (Array.isArray(redis.volumes) ? redis.volumes : [])
    .map(mountOf)
    .find((one) => one?.type === "volume" && one.target === "/data" && one.source !== undefined);
  const others = Object.entries(project.services).filter(([, other]) => other !== project.services[self]);
  return {
    name,
    service: redis,
    sharedWith: others.filter(([, other]) => isTree(other) && uses(other, name)).map(([other]) => other),
    ...(mount?.source !== undefined && { volume: nameOnHost(project, "volumes", mount.source) }),
  };
}

/** `from`: what in the service says that it has one. */
export function mapRedis(findings: Findings, redis: Redis, from: (string | number)[]): void {
  const { service } = redis;
  findings.set(["redis", "enabled"], true, from);
  const image = parseImage(asText(service.image));
  const isVersion = image.digest !== undefined || (image.tag !== undefined && image.tag !== "latest");
  if (isVersion) findings.set(["redis", "image"], service.image, from);
  else
    findings.remark(
      from,
      `${redis.name} has the image ${asText(service.image)}, which is no version. The component's default is used. If its data comes along, give redis.image the version that wrote it: docker compose exec ${redis.name} redis-server --version`,
    );
  readCommand(findings, redis, from);
  findings.remark(
    from,
    redis.volume === undefined
      ? `${redis.name} is replaced by the component's own Redis, which begins empty`
      : `${redis.name} is replaced by the component's own Redis, which begins empty: what is in the volume ${redis.volume} comes along only by docs/compose.md, "An existing Redis volume". With --redis keep it stays in the compose project instead`,
  );
}

/** What `redis-server` is given. */
function readCommand(findings: Findings, { name, service }: Redis, from: (string | number)[]): void {
  const words = service.command === undefined ? [] : (commandOf(service.command)?.words ?? []);
  const all =
    words.length === 1
      ? words[0].split(/\s+/)
      : words.flatMap((word) => (word.includes("redis-server ") ? word.split(/\s+/) : [word]));
  const after = (option: string) => {
    const at = all.indexOf(option);
    return at === -1 ? undefined : all[at + 1]?.replace(/^["']|["']$/g, "");
  };
  const password = after("--requirepass");
  if (password) findings.set(["redis", "password"], password, from, { secret: true });
  const memory = after("--maxmemory");
  const policy = after("--maxmemory-policy");
  const limit = memory === undefined ? undefined : mebibytes(memory.replace(/^(\d+)([kmg])b?$/i, "$1$2"));
  if (policy !== undefined && policy !== "noeviction")
    findings.leave(
      from,
      `${name} has --maxmemory-policy ${policy}: it drops data when it is full, and the component's Redis refuses writes instead`,
      "keep it in the compose project (--redis keep) if it is a cache; else set redis.memoryMb with room to spare.",
    );
  else if (limit !== undefined && limit > 0) findings.set(["redis", "memoryMb"], limit, from);
  if (all.some((word) => word.endsWith(".conf")))
    findings.leave(
      from,
      `${name} has a configuration file, which the component's Redis has not`,
      "see what it sets: redis.password and redis.memoryMb there are, and it always writes an append-only file.",
    );
}
