import { posix } from "node:path";
import type {
  BlueGreenServiceArgs,
  CapabilitiesArgs,
  ColorArgs,
  ContainerArgs,
  HealthArgs,
  HostArgs,
  LogsArgs,
  NetworkArgs,
  ProxyArgs,
  RedisArgs,
  TlsArgs,
  WatchArgs,
} from "./args";

export const COLORS = ["blue", "green"] as const;
export type Color = (typeof COLORS)[number];

export const other = (color: Color): Color => (color === "blue" ? "green" : "blue");

/** The versions that the defaults name, and that the tests run with. */
export const NGINX_IMAGE = "nginx:1.30.6";
export const REDIS_IMAGE = "redis:8.0.6";
export const LEGO_IMAGE = "goacme/lego:v4.25.2";

/** The arguments with every default filled in. What has no default stays optional. */
export interface Settings extends WithDefaults<
  Omit<
    BlueGreenServiceArgs,
    | "blue"
    | "green"
    | "activeColor"
    | "container"
    | "logs"
    | "health"
    | "watch"
    | "redis"
    | "network"
    | "proxy"
    | "tls"
    | "host"
  >,
  "command" | "memoryMb" | "keepImages"
> {
  activeColor: Color;
  colors: Record<Color, ColorArgs>;
  container: Container;
  logs: Required<LogsArgs>;
  health: Health;
  watch: Required<WatchArgs>;
  redis: WithDefaults<RedisArgs, "password" | "memoryMb">;
  network: NetworkArgs;
  proxy: Proxy;
  tls: Tls;
  host: WithDefaults<HostArgs, "hostKey" | "knownHostsFile" | "privateKeyFile" | "privateKey" | "bastion">;
}
export type Container = Omit<WithDefaults<ContainerArgs, "cpuShares">, "capabilities"> & {
  capabilities: Required<CapabilitiesArgs>;
};
export type Health = WithDefaults<HealthArgs, "status" | "bodyText" | "jsonField" | "jsonValue">;
export type Proxy = Required<ProxyArgs>;
export type Tls = WithDefaults<
  TlsArgs,
  | "certificate"
  | "privateKey"
  | "certificateFile"
  | "privateKeyFile"
  | "certificateFolder"
  | "acmeEmail"
  | "acmeDirectory"
>;

type WithDefaults<T, Optional extends keyof T> = Required<Omit<T, Optional>> & Pick<T, Optional>;

/** The one place where defaults are. */
export function withDefaults(args: BlueGreenServiceArgs): Settings {
  const { blue, green, activeColor, container, ...rest } = args;
  const { logs, health, watch, redis, network, proxy, tls, host, ...service } = rest;
  return {
    ...fill(service, {
      containerPort: 3000,
      env: {},
      volumes: [],
      restart: "unless-stopped",
      timeZone: "UTC",
      labels: {},
      stopGraceSeconds: 30,
      idle: "running",
      drainSeconds: 30,
      lockWaitSeconds: 0,
      allowDowntime: false,
      allowMovingTags: false,
      registries: [],
      pinImages: false,
    }),
    activeColor: activeColor as Color,
    colors: { blue, green },
    container: {
      ...fill(container, { securityOpts: ["no-new-privileges"], readOnly: false, tmpfs: {}, ulimits: [] }),
      capabilities: fill(container?.capabilities, { adds: [], drops: ["CAP_MKNOD", "CAP_NET_RAW"] }),
    },
    logs: fill(logs, { maxSizeMb: 10, maxFiles: 3 }),
    health: fill(health, {
      path: "/health",
      hostHeader: tls?.names?.[0] ?? "localhost",
      intervalSeconds: 1,
      timeoutSeconds: 5,
      gateTimeoutSeconds: 60,
      passes: 2,
    }),
    watch: fill(watch, { seconds: 0, tolerancePercent: 5 }),
    redis: fill(redis, { enabled: false, image: REDIS_IMAGE, deleteData: false }),
    network: { ...network },
    proxy: fill(proxy, {
      image: NGINX_IMAGE,
      edgeImage: NGINX_IMAGE,
      port: 80,
      bindAddress: "0.0.0.0",
      previewPort: 8081,
      previewBindAddress: "127.0.0.1",
      maxBodySize: "10m",
      connectTimeoutSeconds: 5,
      readTimeoutSeconds: 60,
      streamTimeoutSeconds: 3600,
      sendTimeoutSeconds: 60,
      buffering: true,
      spoolMb: 256,
      requestBuffering: proxy?.buffering ?? true,
      maxHeaderKb: 32,
      upstreamKeepaliveSeconds: 1,
      accessLog: true,
      memoryMb: 2048,
      migrateConnections: true,
    }),
    tls: fill(tls, {
      names: [],
      port: 443,
      acmeImage: LEGO_IMAGE,
      hstsSeconds: 0,
    }),
    host: fill(host, {
      address: "unix:///var/run/docker.sock",
      connectTries: 10,
      connectTimeoutSeconds: 15,
    }),
  };
}

/** Whether there is TLS. */
export const hasTls = ({ names }: Pick<Tls, "names">): boolean => names.length > 0;

/** The folder of the host that certificates from files are in. */
export const certificateFolder = (tls: Tls): string =>
  tls.certificateFolder ?? posix.dirname(tls.certificateFile ?? "");

/** The given values, with a default for each that is undefined or null. */
function fill<T extends object, K extends keyof T>(
  given: T | undefined,
  defaults: { [P in K]-?: NonNullable<T[P]> },
): T & { [P in K]-?: NonNullable<T[P]> } {
  const chosen = { ...given, ...defaults } as T & { [P in K]-?: NonNullable<T[P]> };
  for (const key of Object.keys(defaults) as K[]) {
    if (given?.[key] !== undefined && given[key] !== null) chosen[key] = given[key] as (typeof chosen)[K];
  }
  return chosen;
}
