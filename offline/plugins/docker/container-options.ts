import type Docker from "dockerode";
import type { Props } from "../rpc/values.ts";
import { nanoseconds } from "./duration.ts";
import { toMap } from "./labels.ts";

const MIB = 1024 * 1024;

export interface Port {
  internal: number;
  external?: number;
  ip?: string;
  protocol?: string;
}

export interface Attachment {
  name: string;
  aliases?: string[];
  ipv4Address?: string;
}

/** Docker's request for a container with these inputs. */
export function createOptions(inputs: Props): Docker.ContainerCreateOptions {
  const { binds, volumes } = volumesOf(inputs.volumes as Volume[] | undefined);
  const ports = (inputs.ports ?? []) as Port[];
  const capabilities = inputs.capabilities as { adds?: string[]; drops?: string[] } | undefined;
  const securityOpts = inputs.securityOpts as string[] | undefined;
  const logOpts = inputs.logOpts as Record<string, string> | undefined;
  return {
    name: inputs.name as string,
    Image: inputs.image as string,
    Hostname: inputs.hostname as string | undefined,
    User: inputs.user as string | undefined,
    WorkingDir: inputs.workingDir as string | undefined,
    Env: inputs.envs as string[] | undefined,
    Cmd: commandOf(inputs.command as string[] | undefined),
    Entrypoint: inputs.entrypoints as string[] | undefined,
    Labels: toMap(inputs.labels),
    StopSignal: inputs.stopSignal as string | undefined,
    StopTimeout: inputs.stopTimeout as number | undefined,
    Healthcheck: healthcheckOf(inputs.healthcheck as Healthcheck | undefined),
    ExposedPorts: Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    Volumes: volumes,
    HostConfig: {
      Binds: binds,
      Mounts: mountsOf(inputs.mounts as Mount[] | undefined),
      Tmpfs: inputs.tmpfs as Record<string, string> | undefined,
      PortBindings: bindingsOf(ports),
      ExtraHosts: ((inputs.hosts ?? []) as { host: string; ip: string }[]).map(
        ({ host, ip }) => `${host}:${ip}`,
      ),
      NetworkMode: inputs.networkMode as string,
      Dns: inputs.dns as string[] | undefined,
      DnsOptions: inputs.dnsOpts as string[] | undefined,
      DnsSearch: inputs.dnsSearches as string[] | undefined,
      GroupAdd: inputs.groupAdds as string[] | undefined,
      Devices: devicesOf(inputs.devices as Device[] | undefined),
      DeviceRequests: gpusOf(inputs.gpus as string | undefined),
      ShmSize: ((inputs.shmSize ?? 0) as number) * MIB,
      NanoCpus: Math.round(Number(inputs.cpus ?? 0) * 1e9),
      Sysctls: inputs.sysctls as Record<string, string> | undefined,
      Ulimits: ulimitsOf(inputs.ulimits as Ulimit[] | undefined),
      CapAdd: capabilities?.adds,
      CapDrop: capabilities?.drops,
      ...(securityOpts?.length && systemPaths(securityOpts)),
      ReadonlyRootfs: inputs.readOnly === true,
      Init: inputs.init === true,
      AutoRemove: inputs.rm === true,
      LogConfig: {
        Type: (inputs.logDriver ?? "") as string,
        Config: logOpts as Docker.HostConfig["LogConfig"],
      },
      ...resourcesOf(inputs),
    },
  };
}

/** The part that can also be changed while the container runs. */
export function resourcesOf(inputs: Props) {
  const swap = inputs.memorySwap as number | undefined;
  return {
    RestartPolicy: {
      Name: inputs.restart as string,
      MaximumRetryCount: (inputs.maxRetryCount ?? 0) as number,
    },
    Memory: ((inputs.memory ?? 0) as number) * MIB,
    ...(swap && { MemorySwap: swap > 0 ? swap * MIB : swap }),
    CpuShares: (inputs.cpuShares ?? 0) as number,
    CpusetCpus: (inputs.cpuSet ?? "") as string,
  };
}

/** `systempaths=unconfined` is for the client: it empties two lists of the request, where the engine would fill in its own. */
function systemPaths(securityOpts: string[]) {
  const SecurityOpt = securityOpts.filter((option) => option !== "systempaths=unconfined");
  if (SecurityOpt.length === securityOpts.length) return { SecurityOpt };
  return { SecurityOpt, MaskedPaths: [], ReadonlyPaths: [] };
}

function commandOf(command: string[] | undefined): string[] | undefined {
  if (command?.includes("")) throw new Error("values for command may not be empty");
  return command;
}

interface Volume {
  volumeName?: string;
  hostPath?: string;
  containerPath?: string;
  readOnly?: boolean;
  selinuxRelabel?: string;
}

function volumesOf(list: Volume[] = []) {
  const binds: string[] = [];
  const volumes: Record<string, object> = {};
  for (const { volumeName, hostPath, containerPath, readOnly, selinuxRelabel } of list) {
    if (!containerPath) throw new Error("volume entry without container path or source container");
    volumes[containerPath] = {};
    const source = hostPath || volumeName;
    const mode = [readOnly ? "ro" : "rw", selinuxRelabel].filter(Boolean).join(",");
    if (source) binds.push(`${source}:${containerPath}:${mode}`);
  }
  return { binds, volumes };
}

interface Device {
  hostPath: string;
  containerPath?: string;
  permissions?: string;
}

function devicesOf(list: Device[] | undefined) {
  return list?.map(({ hostPath, containerPath, permissions }) => ({
    PathOnHost: hostPath,
    PathInContainer: containerPath || hostPath,
    CgroupPermissions: permissions,
  }));
}

/** As the Docker client reads `--gpus`, for a single field of it. */
function gpusOf(gpus: string | undefined) {
  if (!gpus) return undefined;
  const device = /^device=(.*)$/.exec(gpus)?.[1];
  const which =
    device === undefined ? { Count: gpus === "all" ? -1 : Number(gpus) } : { DeviceIDs: [device] };
  return [{ ...which, Capabilities: [["gpu"]], Options: {} }] as unknown as Docker.DeviceRequest[];
}

interface Mount {
  type: "bind" | "volume" | "tmpfs";
  target: string;
  source?: string;
  readOnly?: boolean;
}

function mountsOf(list: Mount[] = []): Docker.MountSettings[] {
  return list.map(({ type, target, source = "", readOnly }) => ({
    Type: type,
    Target: target,
    Source: source,
    ReadOnly: readOnly === true,
  }));
}

function portKey({ internal, protocol = "tcp" }: Port): string {
  return `${internal}/${protocol}`;
}

function bindingsOf(ports: Port[]) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const own = (bindings[portKey(port)] ??= []);
    own.push({ HostIp: port.ip ?? "", HostPort: String(port.external ?? 0) });
  }
  return bindings;
}

interface Ulimit {
  name: string;
  soft: number;
  hard: number;
}

/** As the official plugin does, an empty list is none: the daemon's own limits hold. */
function ulimitsOf(list: Ulimit[] = []) {
  if (list.length === 0) return undefined;
  return list.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }));
}

interface Healthcheck {
  tests?: string[];
  interval?: string;
  timeout?: string;
  startPeriod?: string;
  startInterval?: string;
  retries?: number;
}

function healthcheckOf(check: Healthcheck | undefined) {
  if (!check) return undefined;
  return {
    Test: check.tests ?? [],
    Interval: nanoseconds(check.interval),
    Timeout: nanoseconds(check.timeout),
    StartPeriod: nanoseconds(check.startPeriod),
    StartInterval: nanoseconds(check.startInterval),
    Retries: check.retries ?? 0,
  };
}
