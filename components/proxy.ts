import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { certificateMount } from "./certificate";
import type { Colors } from "./color";
import type { Context } from "./context";
import { publishedPorts } from "./ports";
import { nginxRights } from "./rights";
import { COLORS, type Settings } from "./settings";
import { shellFile } from "./shell";

/** What is served and by whom: outlives each nginx. */
export function createStateVolume(context: Context): docker.Volume {
  const labels = context.labels("proxy-state");
  return new docker.Volume(
    `${context.name}-proxy-state`,
    { labels },
    // A label is no reason to replace it.
    context.onDocker({ ignoreChanges: ["labels"] }),
  );
}

/**
 * Owns the published ports and the network namespace that nginx joins, so that nginx can be replaced while they stay open.
 * Two containers can't publish one port: the edge alone is deleted before it is replaced, which is downtime.
 */
export function createEdge(
  context: Context,
  network: pulumi.Input<string>,
  state: docker.Volume,
  colors: Colors,
  guard: pulumi.Resource,
): docker.Container {
  const { proxy, allowDowntime } = context.settings;
  return new docker.Container(
    `${context.name}-edge`,
    {
      image: proxy.edgeImage,
      ...nginx(context, "edge", state),
      networksAdvanced: [{ name: network }],
      ports: publishedPorts(context.settings).map(({ internal, port, address }) => ({
        internal,
        external: port,
        ip: address,
      })),
      sysctls: proxy.migrateConnections ? { "net.ipv4.tcp_migrate_req": "1" } : undefined,
    },
    context.onDocker({
      deleteBeforeReplace: true,
      // What may fail without harm comes first: an update that has deleted the edge must get to its end.
      dependsOn: [guard, colors.blue, colors.green],
      ignoreChanges: allowDowntime ? [] : NO_REASON_FOR_DOWNTIME,
    }),
  );
}

/**
 * nginx. It is created before its predecessor is deleted, and takes the open ports over from it. It depends on both colors,
 * so that of all that is deleted at the end of an update the old nginx is the first.
 */
export function createNginx(
  context: Context,
  edge: docker.Container,
  state: docker.Volume,
  colors: Colors,
): docker.Container {
  return new docker.Container(
    `${context.name}-proxy`,
    {
      image: context.settings.proxy.image,
      ...nginx(context, "proxy", state, certificateMount(context.settings)),
      networkMode: pulumi.interpolate`container:${edge.id}`,
    },
    context.onDocker({ deleteBeforeReplace: false, dependsOn: COLORS.map((color) => colors[color]) }),
  );
}

/** What of the edge can change without its ports and network: taken along when there is leave for downtime. */
const NO_REASON_FOR_DOWNTIME = [
  "image",
  "entrypoints",
  "uploads",
  "capabilities",
  "securityOpts",
  "healthcheck",
  "tmpfs",
  "ulimits",
  "init",
  "stopSignal",
  "logDriver",
  "logOpts",
  "labels",
];

/**
 * Twice what nginx asks for (write_workers in nginx.sh), since another number is a new edge. Not more: an engine that may not
 * have as many itself starts no container with them.
 */
const OPEN_FILES = 16_384;

/** What edge and proxy have in common. */
function nginx(
  context: Context,
  role: "edge" | "proxy",
  state: docker.Volume,
  mounts: docker.types.input.ContainerVolume[] = [],
) {
  return {
    ...nginxOptions(context.settings, role),
    volumes: [{ volumeName: state.name, containerPath: "/bluegreen/state" }, ...mounts],
    ...context.container(role),
  };
}

/** The part that is the same in every stack; the tests of the shell make their containers with it too. */
export function nginxOptions(settings: Pick<Settings, "proxy" | "tls">, role: "edge" | "proxy") {
  return {
    // No command: with both, the Docker plugin takes a container whose start failed (a taken port) for one that runs.
    entrypoints: ["sh", "/bluegreen/entrypoint.sh", role],
    uploads: ["entrypoint.sh", "nginx.sh", "sites.awk", "journal.sh", "tls.sh", "nginx.conf"].map((file) => ({
      file: `/bluegreen/${file}`,
      content: shellFile(`in-nginx/uploaded/${file}`),
    })),
    // In memory: what a container needs to serve must not depend on a disk that may be full.
    tmpfs: { "/run/bluegreen": "size=16m" },
    // For nginx's connections: a new Docker gives 1024, an old one what the daemon has.
    ulimits: [{ name: "nofile", soft: OPEN_FILES, hard: OPEN_FILES }],
    init: true,
    stopSignal: "SIGQUIT",
    destroyGraceSeconds: 10,
    ...nginxRights(settings, role),
  };
}
