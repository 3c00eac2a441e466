import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { certificateMount } from "./certificate";
import { runOnHost, UNTIL_DELETED } from "../host/command";
import type { IngressContext } from "../context";
import { ingressRecord } from "../release/former";
import { stateVolumeOf } from "../identity";
import { publishedPorts } from "./ports";
import { nginxRights } from "../rights";
import type { IngressSettings } from "../settings";
import { hostScript, shellFile, shellFiles } from "../shell";

/** What holds the ports of a host, of a service alone or of several. */
export interface Ingress {
  state: docker.Volume;
  nginx: docker.Container;
  /** The take-over: after it, this nginx has the ports. */
  ready: pulumi.Resource;
}

/** `before`: what has to be there first. */
export function createIngress(
  context: IngressContext,
  network: pulumi.Input<string>,
  before: pulumi.Resource[],
): Ingress {
  const state = createStateVolume(context);
  const edge = createEdge(context, network, state, before);
  const nginx = createNginx(context, edge, state, before);
  return { state, nginx, ready: takeOver(context, nginx) };
}

/** What is served and by whom: outlives each nginx. */
function createStateVolume(context: IngressContext): docker.Volume {
  const labels = context.labels("proxy-state");
  return new docker.Volume(
    `${context.name}-proxy-state`,
    { name: context.ingress.apply(stateVolumeOf), labels },
    // A label is no reason to replace it. Version 0.1.0 gave it another name.
    context.onDocker({ ignoreChanges: ["labels", "name"] }),
  );
}

/**
 * Owns the published ports and the network namespace that nginx joins, so that nginx can be replaced while they stay open.
 * Two containers can't publish one port: the edge alone is deleted before it is replaced, which is downtime.
 */
function createEdge(
  context: IngressContext,
  network: pulumi.Input<string>,
  state: docker.Volume,
  before: pulumi.Resource[],
): docker.Container {
  const { proxy, allowDowntime } = context.settings;
  return new docker.Container(
    `${context.name}-edge`,
    {
      image: proxy.edgeImage,
      ...nginx(context, "edge", state),
      networksAdvanced: [{ name: network }],
      ports: context.ipv6.apply((ipv6) =>
        publishedPorts(context.settings, ipv6).map(({ internal, port, address }) => ({
          internal,
          external: port,
          ip: address,
        })),
      ),
      sysctls: proxy.migrateConnections ? { "net.ipv4.tcp_migrate_req": "1" } : undefined,
    },
    context.onDocker({
      deleteBeforeReplace: true,
      // What may fail without harm comes first: an update that has deleted the edge must get to its end.
      dependsOn: before,
      ignoreChanges: allowDowntime ? [] : NO_REASON_FOR_DOWNTIME,
    }),
  );
}

/**
 * nginx. It is created before its predecessor is deleted, and takes the open ports over from it. It depends on a service's colors
 * where it is that service's own, so that of all that is deleted at the end of an update the old nginx is the first.
 */
function createNginx(
  context: IngressContext,
  edge: docker.Container,
  state: docker.Volume,
  before: pulumi.Resource[],
): docker.Container {
  return new docker.Container(
    `${context.name}-proxy`,
    {
      image: context.settings.proxy.image,
      ...nginx(context, "proxy", state, certificateMount(context.settings)),
      networkMode: pulumi.interpolate`container:${edge.id}`,
    },
    context.onDocker({ deleteBeforeReplace: false, dependsOn: before }),
  );
}

/** Runs for each new nginx: with it the ports, and so the traffic of all services, go from the old one to the new one. */
function takeOver(context: IngressContext, nginx: docker.Container): pulumi.Resource {
  const { identity, ingress, settings } = context;
  const stdin = pulumi
    .all([nginx.name, ingress, identity.path, identity.id])
    .apply(([nginxContainer, name, stack, id]) =>
      renderTakeOver({ nginxContainer, ingress: name, stack, id, settings }),
    );
  const record = ingressRecord({ nginx: settings.proxy.image, binding: context.binding }, identity);
  const triggers = [record, nginx.id, ...settings.proxy.proxyProtocol];
  return runOnHost(context, "take-over", { stdin, triggers }, [nginx]);
}

/** All that "sh -s" reads for the take-over. */
export function renderTakeOver({
  nginxContainer,
  ingress,
  stack,
  id,
  settings,
}: {
  nginxContainer: string;
  ingress: string;
  /** Whose it is: project/stack/component. */
  stack: string;
  id: string;
  settings: Pick<IngressSettings, "tlsPort" | "drainSeconds" | "proxy">;
}): string {
  const values = {
    NGINX: nginxContainer,
    INGRESS: ingress,
    SERVICE_ID: id,
    STACK: stack,
    TLS_PORT: settings.tlsPort ?? "",
    PROXY_PROTOCOL: settings.proxy.proxyProtocol.join(" "),
    DRAIN_SECONDS: settings.drainSeconds,
  };
  const inContainer = ["common.sh", "drain.sh", "takeover.sh"].map((file) => `in-nginx/piped/${file}`);
  return hostScript(values, ["on-host/containers.sh", "on-host/takeover.sh"], {
    in_container_script: shellFiles(...inContainer),
    answers_script: shellFile("in-nginx/piped/answers.sh"),
  });
}

/**
 * Stands before all of an ingress, so that it is deleted first: not while services of other components are on it. `own` is the
 * service that it was made for.
 */
export function guardIngress(
  context: IngressContext,
  own: pulumi.Input<string>,
  after: pulumi.Resource[],
): pulumi.Resource {
  const stdin = pulumi
    .all([context.ingress, context.identity.id, own])
    .apply(([INGRESS, SERVICE_ID, SERVICE]) =>
      hostScript({ INGRESS, SERVICE_ID, SERVICE }, ["on-host/containers.sh", "on-host/ingress-guard.sh"]),
    );
  return runOnHost(context, "ingress-guard", { ...UNTIL_DELETED, stdin }, after);
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
  context: IngressContext,
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
export function nginxOptions(settings: Pick<IngressSettings, "proxy" | "tls">, role: "edge" | "proxy") {
  return {
    // No command: with both, the Docker plugin takes a container whose start failed (a taken port) for one that runs.
    entrypoints: ["sh", "/bluegreen/entrypoint.sh", role],
    uploads: [
      "entrypoint.sh",
      "nginx.sh",
      "sites.awk",
      "journal.sh",
      "settle.sh",
      "tls.sh",
      "nginx.conf",
    ].map((file) => ({
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
