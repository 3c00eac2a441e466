import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { runOnHost } from "../host/command";
import type { Context } from "../context";
import { redisRights } from "../rights";
import { hostScript } from "../shell";

/**
 * The Redis that both colors share; never published on the host. Two of them can't write to one volume, so a new one has
 * to wait until the old one is gone. Before that it has shown that it can read the data. What is given has it answer.
 */
export function createRedis(
  context: Context,
  network: pulumi.Input<string>,
  before: pulumi.Resource[],
): pulumi.Resource[] | undefined {
  const { enabled, image, password, deleteData, memoryMb } = context.settings.redis;
  if (!enabled) return undefined;
  const data = new docker.Volume(
    `${context.name}-redis-data`,
    // With a name of its own, what an earlier stack kept is found again.
    {
      name: pulumi.interpolate`${context.identity.fullName}-redis-data`,
      labels: context.labels("redis-data"),
    },
    context.onDocker({ retainOnDelete: !deleteData, ignoreChanges: MADE_WITH }),
  );
  const config = redisConfig(password, memoryMb);
  const container = new docker.Container(
    `${context.name}-redis`,
    {
      name: context.redisHost,
      image,
      command: ["redis-server", CONFIG_FILE],
      // A file, since everybody on the host can see the command of a process.
      uploads: [{ file: CONFIG_FILE, content: config }],
      volumes: [{ volumeName: data.name, containerPath: "/data" }],
      networksAdvanced: [{ name: network }],
      destroyGraceSeconds: 30,
      ...redisRights(context.settings.redis),
      ...context.container("redis"),
    },
    context.onDocker({
      deleteBeforeReplace: true,
      dependsOn: readableData(context, data, config, before),
      additionalSecretOutputs: ["uploads"],
      // A label is no reason to take it away for some seconds.
      ignoreChanges: ["labels"],
    }),
  );
  return [answering(context, container)];
}

/** Runs when image or configuration change. Neither this nor the next has triggers: they are no reason to replace others. */
function readableData(
  context: Context,
  data: docker.Volume,
  config: pulumi.Input<string>,
  before: pulumi.Resource[],
): pulumi.Resource {
  const stdin = pulumi
    .all([data.name, config, context.identity.id])
    .apply(([VOLUME, CONFIG, SERVICE_ID]) =>
      withSettings(
        { VOLUME, CONFIG, SERVICE_ID, IMAGE: context.settings.redis.image },
        "on-host/redis-check.sh",
      ),
    );
  return runOnHost(context, "redis-check", { stdin }, [...before, data]);
}

/** Runs for each new container. */
function answering(context: Context, container: docker.Container): pulumi.Resource {
  const stdin = container.id.apply((REDIS) => withSettings({ REDIS }, "on-host/redis-ready.sh"));
  return runOnHost(context, "redis-ready", { stdin }, [container]);
}

const withSettings = (values: { [name: string]: string }, file: string): string =>
  hostScript(values, ["on-host/ask-redis.sh", file]);

/** Data that is there already is taken in as it is, whoever has made the volume: Docker can't change these later. */
const MADE_WITH = ["labels", "driver", "driverOpts"];

const CONFIG_FILE = "/etc/bluegreen-redis.conf";

function redisConfig(
  password: pulumi.Input<string> | undefined,
  memoryMb: number | undefined,
): pulumi.Input<string> {
  // Full, it refuses writes. It never drops what it has: a session or a message is no cache.
  const limit = memoryMb === undefined ? "" : `maxmemory ${memoryMb}mb\nmaxmemory-policy noeviction\n`;
  const config = `dir /data\nappendonly yes\nprotected-mode no\n${limit}`;
  if (password === undefined) return config;
  return pulumi.secret(pulumi.output(password).apply((text) => `${config}requirepass ${quoted(text)}\n`));
}

const quoted = (text: string) =>
  `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
