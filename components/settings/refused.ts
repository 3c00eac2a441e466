import type * as docker from "@pulumi/docker";
import type { ContainerArgs } from "./args";

// What Docker's provider can say of a container, and `container` does not take: why, and what there is instead. One that the
// provider knows and neither has does not compile.

const elsewhere = (setting: string) => `is set by ${setting}`;
const ruled = (why: string) => `is the component's own: ${why}`;
const SWITCH = ruled("the switch starts a color when its turn has come, and Pulumi waits for the gate");
const NAMESPACE =
  "shares what is the host's or another container's with the color, which no release can take back";
/** What to do where there is no other way. */
export const TRANSFORMS =
  "Where the service can't do without, Pulumi's transforms set it: docs/how-to/containers.md";
const NONE = `has no setting. ${TRANSFORMS}`;

export const REFUSED = {
  name: ruled("the old and the new container of a color exist together, so Pulumi names each"),
  image: elsewhere("blue.image and green.image"),
  command: elsewhere("command, of both colors or of one"),
  envs: elsewhere("env and envFile, of both colors or of one"),
  labels: elsewhere("labels"),
  memory: elsewhere("memoryMb, of both colors or of one"),
  memorySwap: elsewhere("memoryMb: a color with a limit has no swap"),
  mounts: elsewhere("volumes, and container.tmpfs"),
  volumes: elsewhere("volumes"),
  uploads: elsewhere("files, of both colors or of one"),
  restart: elsewhere("restart"),
  maxRetryCount: elsewhere("restart"),
  stopTimeout: elsewhere("stopGraceSeconds"),
  destroyGraceSeconds: elsewhere("stopGraceSeconds"),
  healthcheck: elsewhere("health: the gate asks by itself. One that the image has stays"),
  networkMode: ruled(
    "nginx reaches a color by its name on the ingress's network, where one with another mode is not. For more networks: container.networks",
  ),
  networksAdvanced: ruled("it has the ingress's network, and that of Redis. For more: container.networks"),
  ports: ruled(
    "a color publishes no ports. nginx reaches it over the network, and two containers could not have one port of the host. The port inside is containerPort",
  ),
  publishAllPorts: ruled("a color publishes no ports: nginx reaches it over the network"),
  start: SWITCH,
  mustRun: SWITCH,
  wait: SWITCH,
  waitTimeout: SWITCH,
  attach: SWITCH,
  logs: ruled("'docker logs' shows what a color printed"),
  rm: ruled("what a color was is kept until its successor serves"),
  removeVolumes: ruled("Pulumi removes a container with the volumes that have no name"),
  containerReadRefreshTimeoutMilliseconds: SWITCH,
  privileged:
    "gives the color all of the host. Name what it needs: container.capabilities.adds, container.devices, container.securityOpts",
  ipcMode: NAMESPACE,
  pidMode: NAMESPACE,
  usernsMode: NAMESPACE,
  cgroupnsMode: NAMESPACE,
  cgroupParent: NONE,
  cpuPeriod: elsewhere("container.cpus"),
  cpuQuota: elsewhere("container.cpus"),
  deviceCgroupRules: NONE,
  deviceReadBps: NONE,
  deviceReadIops: NONE,
  deviceRequests: elsewhere("container.gpus; other kinds have no setting"),
  deviceWriteBps: NONE,
  deviceWriteIops: NONE,
  domainname: NONE,
  hostname: NONE,
  memoryReservation: NONE,
  platform: NONE,
  runtime: NONE,
  stdinOpen: NONE,
  stopSignal: NONE,
  storageOpts: NONE,
  tty: NONE,
} satisfies Record<Exclude<keyof docker.ContainerArgs, keyof ContainerArgs>, string>;
