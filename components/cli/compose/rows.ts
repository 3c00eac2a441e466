import { TRANSFORMS } from "../../settings/refused";
import { isTree } from "./file";
import { flag, integer } from "./values";

// Keys of a compose service for which the component has no setting: why, and what to do instead.

interface Row {
  reason: string;
  next: string;
  /** Where that holds anyway, so that nothing is left out. */
  holds?: (value: unknown) => boolean;
}

const off = (value: unknown) => flag(value) === false;
const IN_IMAGE = "put it into the image's Dockerfile: ";
const ON_HOST =
  "if the service needs it, it is no service for this component, which gives a color its own namespaces.";
const NONE = "there is no setting for it.";
const BY_HAND = `${TRANSFORMS}.`;
const NOT_RUN = "is for developing with Docker Compose";

export const ROWS: { [key: string]: Row } = {
  annotations: { reason: "has no setting", next: "Docker labels are: labels." },
  attach: {
    reason: "is about what 'docker compose up' prints",
    next: "docker logs NAME shows what a color printed.",
  },
  blkio_config: { reason: "has no setting: the disk is shared as it comes", next: BY_HAND },
  build: {
    reason: "nothing is built here, and a release needs an image with a tag of its own",
    next: "build and push it before a release: docker build -t REGISTRY/NAME:VERSION .",
  },
  cgroup: { reason: "has no setting", next: ON_HOST },
  cgroup_parent: { reason: "has no setting", next: BY_HAND },
  container_name: {
    reason: "can't be kept: two colors can't have one name",
    next: "the outputs blueContainer and greenContainer have the names; 'docker ps' shows them.",
  },
  cpu_count: { reason: "is for Windows", next: NONE },
  cpu_percent: { reason: "is for Windows", next: NONE },
  cpu_period: {
    reason: "is a limit of the CPU in another form",
    next: "set container.cpus.",
  },
  cpu_quota: {
    reason: "is a limit of the CPU in another form",
    next: "set container.cpus.",
  },
  cpu_rt_period: { reason: "has no setting", next: NONE },
  cpu_rt_runtime: { reason: "has no setting", next: NONE },
  credential_spec: { reason: "is for Windows", next: NONE },
  develop: { reason: NOT_RUN, next: "nothing." },
  device_cgroup_rules: {
    reason: "has no setting",
    next: "name each device: container.devices.",
  },
  domainname: {
    reason: "has no setting",
    next: BY_HAND,
  },
  external_links: {
    reason: "has no setting",
    next: "name the network of that container: container.networks.",
  },
  hostname: {
    reason: "has no setting: two colors have two",
    next: "a name that the app needs is an environment variable's matter.",
  },
  ipc: { reason: "has no setting", next: ON_HOST },
  isolation: { reason: "is for Windows", next: NONE },
  label_file: {
    reason: "is not read",
    next: "write its labels under 'labels', or set them by hand: labels.",
  },
  mac_address: { reason: "can't be kept: two colors can't have one", next: NONE },
  mem_reservation: {
    reason: "has no setting: it reserves nothing on one host",
    next: "memoryMb is the limit.",
  },
  mem_swappiness: { reason: "has no setting: a color with a limit has no swap", next: NONE },
  memswap_limit: {
    reason: "has no setting: with memoryMb a color has no swap",
    next: "raise memoryMb if it needs more.",
  },
  models: { reason: "has no setting", next: "name the model's address in env." },
  oom_kill_disable: { reason: "has no setting", next: "memoryMb is the limit.", holds: off },
  oom_score_adj: {
    reason: "has no setting",
    next: "memoryMb is the limit.",
    holds: (value) => integer(value) === 0,
  },
  pid: { reason: "has no setting", next: ON_HOST },
  pids_limit: {
    reason: "has no setting for the container",
    next: 'container.ulimits with "nproc" limits the processes of one user.',
    holds: (value) => [0, -1].includes(integer(value) ?? 1),
  },
  platform: {
    reason: "has no setting: an image is pulled for the host's own platform",
    next: "give the image of that platform by its digest.",
  },
  post_start: {
    reason: "has no setting: nothing runs in a color after its start",
    next: "do it in the command, before the service begins; for a migration: docs/migrations.md.",
  },
  pre_start: {
    reason: "has no setting: nothing runs in a color before its start",
    next: "do it in the command, before the service begins; for a migration: docs/migrations.md.",
  },
  pre_stop: {
    reason: "has no setting",
    next: "do it on SIGTERM. Connections are drained before that (drainSeconds).",
  },
  privileged: {
    reason: "has no setting: a color gets no rights of the host",
    next: "name the capabilities that it needs: container.capabilities.adds.",
    holds: off,
  },
  profiles: {
    reason: "is about what 'docker compose up' starts",
    next: "nothing: a service of a stack runs.",
  },
  provider: { reason: "is no container", next: "it stays in the compose project." },
  pull_policy: {
    reason: "has no setting: what the host lacks is pulled before anything is touched",
    next: "a new version gets a new tag.",
  },
  pull_refresh_after: { reason: "has no setting", next: "a new version gets a new tag." },
  runtime: {
    reason: "has no setting: Docker's default runtime is used",
    next: "set it on the host: in Docker's daemon.json, 'default-runtime'.",
  },
  stdin_open: { reason: "has no setting: a service reads no terminal", next: "nothing.", holds: off },
  stop_signal: {
    reason: "has no setting: Docker sends SIGTERM, or the image's own signal",
    next: `${IN_IMAGE}STOPSIGNAL.`,
    holds: (value) => /^(SIG)?TERM$|^15$/.test(String(value)),
  },
  storage_opt: { reason: "has no setting", next: BY_HAND },
  tty: {
    reason: "has no setting: a service has no terminal",
    next: "an app that only prints with one has an option for it, such as PYTHONUNBUFFERED=1.",
    holds: off,
  },
  use_api_socket: {
    reason: "has no setting",
    next: "mount /var/run/docker.sock by volumes, if the service may rule the host.",
    holds: off,
  },
  userns_mode: { reason: "has no setting", next: ON_HOST },
  uts: { reason: "has no setting", next: ON_HOST },
  volumes_from: { reason: "has no setting", next: "name the same volumes: volumes." },
};

/** What `deploy` says that is no limit of memory and no restart. */
export const DEPLOY_ROWS: { [key: string]: Row } = {
  endpoint_mode: { reason: "is for Swarm", next: "nothing." },
  job: { reason: "is for Swarm", next: "a job stays in the compose project." },
  labels: { reason: "are those of a Swarm service", next: "those of containers are: labels." },
  mode: { reason: "is for Swarm", next: "nothing." },
  placement: { reason: "is for Swarm", next: "host.address says on which host it runs." },
  rollback_config: { reason: "is for Swarm", next: "a rollback is a flip back: activeColor." },
  update_config: {
    reason: "is for Swarm",
    next: "a release is gated (health) and can be watched (watch.seconds).",
  },
};

/** What holds as it is. */
export const OFF = "so it is without a setting";

/** Whether an empty thing stands there: nothing is lost with it. */
export const isNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (Array.isArray(value) && value.length === 0) ||
  (isTree(value) && Object.keys(value).length === 0);
