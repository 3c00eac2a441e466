import type Docker from "dockerode";
import type { Props } from "../rpc/values.ts";
import type { Port } from "./container-options.ts";
import { table } from "./container-table.ts";
import { goDuration } from "./duration.ts";
import { saved, type When } from "./saved.ts";

const MIB = 1024 * 1024;

/**
 * A container's outputs: what Docker reports, and from `before` (the inputs or the saved outputs) what the
 * official plugin doesn't read back: environment, labels, networks, volumes, uploads.
 */
export function stateOf(container: Docker.ContainerInspectInfo, before: Props, when: When): Props {
  const { Config: config, HostConfig: host, State: now, NetworkSettings: network } = container;
  const extra = config as typeof config & {
    Healthcheck?: Health | null;
    StopSignal?: string;
    StopTimeout?: number;
  };
  const running = now.Running;
  const state: Props = {
    ...before,
    id: container.Id,
    name: container.Name.replace(/^\//, ""),
    // An image given by its id is read back as an id.
    image: (before.image as string).startsWith("sha256:") ? container.Image : config.Image,
    command: config.Cmd ?? [],
    entrypoints: config.Entrypoint ?? [],
    hostname: config.Hostname,
    domainname: config.Domainname,
    user: config.User,
    workingDir: config.WorkingDir,
    tty: config.Tty,
    stdinOpen: config.OpenStdin,
    stopSignal: extra.StopSignal ?? "",
    stopTimeout: extra.StopTimeout ?? 0,

    bridge: (network as typeof network & { Bridge?: string }).Bridge ?? "",
    networkDatas: Object.entries(network.Networks ?? {}).map(([networkName, endpoint]) => ({
      networkName,
      ipAddress: endpoint.IPAddress,
      ipPrefixLength: endpoint.IPPrefixLen,
      gateway: endpoint.Gateway,
      globalIpv6Address: endpoint.GlobalIPv6Address,
      globalIpv6PrefixLength: endpoint.GlobalIPv6PrefixLen,
      ipv6Gateway: endpoint.IPv6Gateway,
      macAddress: endpoint.MacAddress,
    })),
    networkMode: host.NetworkMode,

    rm: host.AutoRemove,
    readOnly: host.ReadonlyRootfs,
    restart: host.RestartPolicy?.Name,
    maxRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    init: host.Init ?? false,
    memory: (host.Memory ?? 0) / MIB,
    memoryReservation: (host.MemoryReservation ?? 0) / MIB,
    memorySwap: inMib(host.MemorySwap ?? 0),
    shmSize: (host.ShmSize ?? 0) / MIB,
    cpuShares: host.CpuShares,
    cpuSet: host.CpusetCpus,
    privileged: host.Privileged,
    publishAllPorts: host.PublishAllPorts,
    runtime: host.Runtime,
    platform: container.Platform,
    ipcMode: host.IpcMode,
    usernsMode: host.UsernsMode,
    securityOpts: host.SecurityOpt ?? [],
    sysctls: host.Sysctls ?? undefined,
    tmpfs: host.Tmpfs ?? undefined,
    hosts: ((host.ExtraHosts ?? []) as string[]).map(extraHost),
    mounts: (host.Mounts ?? []).map(({ Type, Target, Source, ReadOnly }) => ({
      type: Type,
      target: Target,
      source: Source ?? "",
      readOnly: ReadOnly || undefined,
    })),
    logDriver: host.LogConfig?.Type,
    // Unsupported or unset, but the official plugin saves them; missing, they would be a change to it.
    wait: before.wait ?? false,
    attach: false,
    logs: false,
    containerLogs: null,
    exitCode: running ? (before.exitCode ?? null) : now.ExitCode,
  };
  const lists = {
    dns: host.Dns,
    dnsOpts: host.DnsOptions,
    dnsSearches: host.DnsSearch,
    groupAdds: host.GroupAdd,
  };
  for (const [name, list] of Object.entries(lists))
    if ((before[name] as unknown[] | undefined)?.length) state[name] = list ?? [];
  if (host.NanoCpus) state.cpus = decimal(host.NanoCpus);
  const devices = before.devices as { hostPath: string; containerPath?: string }[] | undefined;
  if (devices?.length) {
    state.devices = ((host.Devices ?? []) as DeviceMapping[]).map((device) => ({
      hostPath: device.PathOnHost,
      permissions: device.CgroupPermissions,
      // Only where it was given.
      ...(devices.some((one) => one.hostPath === device.PathOnHost && one.containerPath) && {
        containerPath: device.PathInContainer,
      }),
    }));
  }
  // A number is not read back.
  const [request] = (host.DeviceRequests ?? []) as Partial<Docker.DeviceRequest>[];
  if (before.gpus && request?.DeviceIDs?.length) state.gpus = `device=${request.DeviceIDs.join(",")}`;
  else if (before.gpus && request?.Count === -1) state.gpus = "all";
  if (before.logOpts !== undefined) state.logOpts = host.LogConfig?.Config;
  const adds = (host.CapAdd ?? []) as string[];
  const drops = (host.CapDrop ?? []) as string[];
  if (adds.length > 0 || drops.length > 0) state.capabilities = { adds, drops };
  if (extra.Healthcheck) state.healthcheck = healthcheck(extra.Healthcheck);

  const ulimits = before.ulimits as unknown[] | undefined;
  if (ulimits?.length)
    state.ulimits = (host.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({
      name: Name,
      soft: Soft,
      hard: Hard,
    }));

  const ports = before.ports as unknown[] | undefined;
  // A stopped container has no bindings; one that may be stopped keeps those it had.
  if (ports?.length && (running || before.mustRun === true)) state.ports = portsOf(network.Ports);
  // The drift that makes the next update start it.
  if (!running && before.mustRun === true) state.mustRun = false;
  return saved(table.fields, state, when);
}

interface DeviceMapping {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
}

/** As the official plugin writes them: with nine zeros in nine places after the point, it takes the number for a whole one. */
function decimal(nano: number): string {
  const text = (nano / 1e9).toFixed(9);
  return text.split("0").length === 10 ? (nano / 1e9).toFixed(1) : text.replace(/0+$/, "");
}

function inMib(bytes: number): number {
  return bytes > 0 ? bytes / MIB : bytes;
}

function extraHost(entry: string) {
  const [host, ip] = entry.split(":");
  return { host, ip };
}

function portsOf(bound: Docker.ContainerInspectInfo["NetworkSettings"]["Ports"] | null): Port[] {
  const byNumber = Object.entries(bound ?? {}).sort(([a], [b]) => parseInt(a) - parseInt(b));
  return byNumber.flatMap(([key, bindings]) => {
    const [internal, protocol] = key.split("/");
    // Docker types leave out the null of a port that is exposed, but not bound.
    return ((bindings as typeof bindings | null) ?? []).map(({ HostIp, HostPort }) => ({
      internal: Number(internal),
      external: Number(HostPort),
      ip: HostIp,
      protocol,
    }));
  });
}

interface Health {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

function healthcheck(health: Health) {
  return {
    tests: health.Test ?? [],
    interval: goDuration(health.Interval),
    timeout: goDuration(health.Timeout),
    startPeriod: goDuration(health.StartPeriod),
    startInterval: goDuration(health.StartInterval),
    retries: health.Retries ?? 0,
  };
}
