import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Context } from "../context";
import { colorRights } from "../rights";
import { namesOf, type Color, type ColorSettings, type Settings } from "../settings";
import { hash } from "../shell";

/** Of each color the first container, and its peers. */
export type Colors = Record<Color, [docker.Container, ...docker.Container[]]>;

/**
 * The containers of a color. The first one is auto-named and created before its predecessor is deleted: that is what makes the
 * engine's own order the order of a release. The names of its peers are made of its name, so they are replaced with it.
 */
export function createColor(
  context: Context,
  color: Color,
  networks: pulumi.Input<string>[],
  before: pulumi.Resource[],
): Colors[Color] {
  const { stopGraceSeconds, restart, colors } = context.settings;
  const { command, memoryMb, replicas } = colors[color];
  const own = { name: color, role: color, command, memoryMb, stopGraceSeconds, restart };
  const first = createContainer(context, color, networks, before, own);
  const peers = namesOf(color, replicas).slice(1);
  return [
    first,
    ...peers.map((name, i) =>
      createContainer(context, color, networks, before, {
        ...own,
        name,
        containerName: first.name.apply((first) => namesOf(first, replicas)[i + 1]),
        labels: { "bluegreen.replica": String(i + 2) },
      }),
    ),
  ];
}

/** What the containers of one color have each otherwise. */
interface Own extends Pick<ColorSettings, "command" | "memoryMb">, Pick<Settings, "stopGraceSeconds"> {
  /** Without the component's own. */
  name: string;
  /** Otherwise Pulumi names it. */
  containerName?: pulumi.Output<string>;
  role: string;
  cpus?: number;
  env?: ColorSettings["env"];
  labels?: { [label: string]: string };
  restart: string;
  healthcheck?: docker.ContainerArgs["healthcheck"];
}

/** A container of a color: its own, or one of its workers. Somebody else starts it, and stops it. */
export function createContainer(
  context: Context,
  color: Color,
  networks: pulumi.Input<string>[],
  before: pulumi.Resource[],
  {
    name,
    containerName,
    role,
    command,
    memoryMb,
    cpus,
    env = {},
    labels = {},
    stopGraceSeconds,
    restart,
    healthcheck,
  }: Own,
): docker.Container {
  const { settings } = context;
  const own = settings.colors[color];
  const container = { ...own.container, cpus: cpus ?? own.container.cpus };
  return new docker.Container(
    `${context.name}-${name}`,
    {
      name: containerName,
      image: context.images[color],
      command,
      envs: environment(context, color, env),
      volumes: settings.volumes,
      uploads: uploads(own),
      ...colorRights({ container, memoryMb }),
      healthcheck,
      networksAdvanced: [...networks, ...own.container.networks].map((name) => ({ name })),
      // The switch and the idle gate start it when its turn has come: what an update made before it failed does not run. A
      // stopped one is idle or has failed its gate, so neither is drift.
      start: false,
      mustRun: false,
      stopTimeout: stopGraceSeconds,
      destroyGraceSeconds: stopGraceSeconds,
      ...context.container(role, {
        ...labels,
        ...commandLabel({ command }),
        ...containerLabel(own),
        ...settings.labels,
      }),
      restart,
      ...logging(own),
    },
    context.onDocker({
      deleteBeforeReplace: false,
      dependsOn: before,
      additionalSecretOutputs: own.files.length > 0 ? ["envs", "uploads"] : ["envs"],
      // The Docker plugin takes a change of it for done, and does nothing.
      replaceOnChanges: ["tmpfs"],
      // Docker adds what the image says of the times of its own check, such as one that Docker 25 was the first to know.
      ignoreChanges: healthcheck === undefined ? undefined : ["healthcheck"],
    }),
  );
}

/** The Docker plugin does not see that a command is no longer given: it takes the one that the container has. It does see a label go. */
const commandLabel = ({ command }: Pick<ColorSettings, "command">) =>
  command === undefined ? undefined : { "bluegreen.command": hash(JSON.stringify(command)) };

/** Of these it does not see one go either; and a change of some it takes for done, and changes nothing. */
function containerLabel({ container }: Pick<ColorSettings, "container">) {
  const { entrypoints, user, workingDir, init, shmSize, cpuSet } = container;
  const unseen = JSON.stringify({ entrypoints, user, workingDir, init, shmSize, cpuSet });
  return unseen === "{}" ? undefined : { "bluegreen.container": hash(unseen) };
}

/** In place of what `logs` says. */
const logging = ({ container: { logDriver, logOpts } }: Pick<ColorSettings, "container">) =>
  logDriver === undefined ? undefined : { logDriver, logOpts };

/** Into the container's own root, before it starts. */
const uploads = ({ files }: Pick<ColorSettings, "files">) =>
  files.length === 0
    ? undefined
    : files.map(({ path, content, permissions }) => ({
        file: path,
        content: pulumi.secret(content),
        permissions,
      }));

/** `worker`: what that has of its own. */
function environment(
  { settings, redisHost }: Context,
  color: Color,
  worker: ColorSettings["env"],
): pulumi.Output<string[]> {
  const { env, colors, timeZone, redis } = settings;
  const password = redis.password === undefined ? {} : { REDIS_PASSWORD: pulumi.secret(redis.password) };
  const url = redis.enabled && { REDIS_URL: redisUrl(redisHost, redis.password) };
  const fromFile = Object.fromEntries(
    Object.entries(colors[color].fromFile.variables).map(([name, value]) => [name, pulumi.secret(value)]),
  );
  const own = {
    COLOR: color,
    PORT: String(colors[color].containerPort),
    TZ: timeZone,
    ...(redis.enabled && { REDIS_HOST: redisHost, REDIS_PORT: "6379", ...password }),
  };
  return pulumi
    .output({ ...url, ...fromFile, ...env, ...colors[color].env, ...worker, ...own })
    .apply((all) => Object.entries(all).map(([name, value]) => `${name}=${value}`));
}

/** What most clients take. Who wants another one, as of another Redis, sets his own. */
const redisUrl = (host: pulumi.Output<string>, password: pulumi.Input<string> | undefined) =>
  password === undefined
    ? pulumi.interpolate`redis://${host}:6379`
    : pulumi
        .all([host, pulumi.secret(password)])
        .apply(([host, password]) => `redis://:${encodeURIComponent(password)}@${host}:6379`);
