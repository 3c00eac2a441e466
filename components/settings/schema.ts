import { z } from "zod";
import { SET_BY_NGINX } from "../nginx/headers";
import type {
  BastionArgs,
  BlueGreenServiceArgs,
  CapabilitiesArgs,
  ColorArgs,
  ContainerArgs,
  DeviceArgs,
  ExtraHostArgs,
  FileArgs,
  HealthArgs,
  HostArgs,
  LogsArgs,
  NetworkArgs,
  PortArgs,
  ProxyArgs,
  RateLimitArgs,
  RedisArgs,
  RegistryArgs,
  TlsArgs,
  UlimitArgs,
  VolumeArgs,
  WatchArgs,
  WorkerArgs,
} from "./args";
import { COLORS, type Color } from "./color";
import {
  absolutePath,
  address,
  addresses,
  flag,
  fraction,
  hostName,
  image,
  ipAddress,
  IPV4,
  later,
  list,
  localFile,
  must,
  named,
  oneOf,
  openLine,
  openText,
  origin,
  piece,
  port,
  secret,
  tenths,
  text,
  url,
  whole,
  wholeOrZero,
  wildcardName,
} from "./kinds";
import { REFUSED } from "./refused";

// Every setting, a row each: its kind, which is its rule too, its default, its unit, and what a change costs. What it means is in
// args.ts; rules over two settings are in rules.ts. A row that args.ts has not, or the other way round, does not compile.

/** The versions that the defaults name, and that the tests run with. */
export const NGINX_IMAGE = "nginx:1.30.6";
export const REDIS_IMAGE = "redis:8.0.6";
export const LEGO_IMAGE = "goacme/lego:v4.25.2";

// --- what a row says

type About = {
  /** What a change costs those who use the service. */
  cost: string;
  unit?: string;
  /** The default in words, where it is made of another setting. */
  otherwise?: string;
  /** Whose it is where services share an ingress. Those of a group are as the group, unless they say otherwise. */
  of?: Owner;
};
export type Owner = "service" | "ingress" | "both";

const required = <T extends z.ZodType>(kind: T, about: About) => kind.meta(about);
const optional = <T extends z.ZodType>(kind: T, about: About) => kind.optional().meta(about);
const setting = <T extends z.ZodType>(kind: T, usual: z.input<T>, about: About) =>
  kind.prefault(usual as never).meta(about);

type Shape<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

/** Settings that belong together. Each has its own default, so the whole may be left out. `refuses`: names that it does not take, and why. */
const group = <S extends z.ZodRawShape>(
  shape: S,
  { of = "service", refuses = {} }: { of?: Owner; refuses?: { [name: string]: string } } = {},
) =>
  z
    .strictObject(shape, must("an object"))
    .meta({ refuses })
    .prefault({} as never)
    .meta({ of });
const element = <S extends z.ZodRawShape>(shape: S, be = "an object") => z.strictObject(shape, must(be));

/** Where nginx sets one of these itself, it would be there twice, or not fit. */
const OF_NGINX =
  /^(accept-ranges|age|alt-svc|connection|content-(encoding|length|range|type)|date|etag|keep-alive|last-modified|location|proxy-.*|refresh|server|set-cookie|strict-transport-security|trailer|transfer-encoding|upgrade|vary|via|www-authenticate|x-accel-.*)$/i;
const A_HEADER = "the name of a header, of at most 40 letters, digits and -, that nginx itself does not set";
// What nginx could take for more than text, and as much as it reads at once.
const responseHeader = text(/^[A-Za-z0-9-]{1,40}$/, A_HEADER).refine(
  (name) => !OF_NGINX.test(name),
  must(A_HEADER),
);
const responseHeaderValue = text(
  /^[ !#%-;=?-[\]-~]{1,3000}$/,
  'at most 3000 characters of ASCII, without $, ", \\, < and >',
);

// What curl sets, what says how a request is sent, and what passes for a client's address. What nginx sets is in headers.ts.
const OF_THE_REQUEST =
  /^(user-agent|expect|te|trailer|keep-alive|content-(length|encoding|type)|transfer-encoding|proxy-.*|x-forwarded-.*|(.*-)?ip)$/i;
const isOfTheRequest = (name: string) =>
  OF_THE_REQUEST.test(name) || SET_BY_NGINX.some((own) => own.toLowerCase() === name.toLowerCase());
const A_REQUEST_HEADER =
  'the name of a header, of letters, digits and -, that neither nginx nor curl sets itself ("Host" is health.hostHeader)';
const requestHeader = text(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, A_REQUEST_HEADER).refine(
  (name) => !isOfTheRequest(name),
  must(A_REQUEST_HEADER),
);

const RELOAD = { cost: "reload" };
const NEW_COLORS = { cost: "new colors" };
const NEW_WORKER = { cost: "a new container of the worker; no request" };
const IN_PLACE = { cost: "in place" };
export const DOWNTIME = { cost: "downtime" };
const NEW_NGINX = { cost: "a new nginx takes over the open ports; no connection is dropped" };
const OF_INGRESS = { of: "ingress" } as const;
const OF_BOTH = { of: "both" } as const;
const REDIS_AWAY = { cost: "Redis is away for some seconds" };
const NOTHING = { cost: "nothing that serves" };
const SECONDS = { unit: "s" };

/** The kind that a row has given a default, or made optional. */
export function withoutDefault(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  while (type instanceof z.ZodOptional || type instanceof z.ZodPrefault) type = type.unwrap();
  return type;
}

// --- kinds that only one setting has

const variable = text(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  "the name of a variable: letters, digits and _ only, no digit first",
);
const variables = () => named(variable, openText());
const capability = text(
  /^[A-Za-z][A-Za-z_]+$/,
  'the name of a capability, such as "CAP_NET_ADMIN", or "ALL"',
);
const securityOption = text(
  /^(no-new-privileges|no-new-privileges=(true|false)|(apparmor|seccomp|label)=[^]+)$/,
  '"no-new-privileges", or begin with "apparmor=", "seccomp=" or "label="',
);
const mountOptions = z.string(must('mount options such as "size=64m", or ""'));
const label = text(/^(?!bluegreen\.)/, "a label that the component does not set itself");
const hostEntry = text(/^\w[\w.-]*$/, "a host name");
const hostAddress = text(new RegExp(`^(host-gateway|${IPV4})$`), 'an IPv4 address, or "host-gateway"');
const user = text(/^\w[\w.-]*(:\w[\w.-]*)?$/, 'a user, or user and group: "1000", "app", "1000:1000"');
/** Docker refuses others, when it makes the container. */
const sysctl = text(
  /^(net\.[\w.-]+|fs\.mqueue\.\w+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/,
  "a kernel parameter that a container has for itself: net.*, fs.mqueue.*, or one of kernel.* for messages, semaphores and shared memory",
);
const relabel = text(/^z$/, '"z": with "Z", the other color could not read there any more');
const volumeName = text(/^[A-Za-z0-9][\w.-]+$/, "the name of a Docker volume");
const networkName = text(/^[A-Za-z0-9][\w.-]*$/, "the name of a Docker network");
const timeZone = text(/^[A-Za-z0-9_+/-]+$/, 'a name such as "Europe/Vienna"');
const bodySize = text(/^\d{1,9}[kmgKMG]?$/, 'a size such as "512k", "20m" or "1g"');
const ingressName = text(/^(?:[A-Za-z0-9][\w.-]*)?$/, 'the name of an ingress, such as "web"');
const servedPath = text(
  /^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/,
  '"/", or a path such as "/api" of letters, digits and .~_- without "/" at its end',
);
const assetPath = text(
  /^\/[\w.~-]+(?:\/[\w.~-]+)*$/,
  'a path below "/", such as "/assets", of letters, digits and .~_- without "/" at its end',
);
const healthPath = text(
  /^\/[\w/.~!*()+,=:@%&?-]*$/,
  'a path that begins with "/", in which what is not a letter, a digit or one of /.~!*()+,=:@&?-_ is written as %XX',
);
const hostHeader = text(/^[A-Za-z0-9.-]+(:\d+)?$/, "a host name, with a port or without");
/** No command can be given a zero byte. */
const expected = text(/^[^\0]+$/, "text that is not empty, and without a zero byte");
const workerName = text(
  /^[a-z][a-z0-9-]{0,29}$/,
  "the name of a worker: at most 30 small letters, digits and -, a letter first",
);
const A_COMMAND = 'a list of a program and its arguments, such as ["bundle", "exec", "sidekiq"]';
const program = () =>
  z
    .array(z.string(must("text")), must(A_COMMAND))
    .refine(([first]) => first !== undefined && first !== "", must(A_COMMAND));
/** What nginx speaks with a color. */
const protocol = () => oneOf("http1", "http2", "grpc");
const registry = text(/^(https?:\/\/)?[a-z0-9.-]+(:\d+)?$/, 'a host, such as "ghcr.io" or "localhost:5000"');
const userName = text(/^[^:]+$/, 'a name without ":"');
const email = text(/^[^\s@]+@[^\s@]+$/, "an e-mail address");
const httpsUrl = text(/^https:\/\/[^\s]+$/, "an https:// address");
const hostKey = text(
  /^(?!ssh-rsa )(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+$/,
  "the server's public key (\"ssh-ed25519 AAAA…\", from ssh-keyscan), and no RSA key, which Pulumi's command provider asks for in a form (SHA-1) that servers refuse",
);
const limit = () => whole(-1, undefined, "a whole number, or -1 for no limit");
// prettier-ignore
const ULIMITS = [
  "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
  "sigpending", "stack",
] as const;

// --- what a color may have otherwise than both

/** Each is asked of Docker's name server once a second, and as many as that fit into what nginx sets aside for an upstream. */
const MOST_REPLICAS = 16;

export const OF_COLORS = {
  replicas: setting(whole(1, MOST_REPLICAS), 1, {
    cost: "gate of the new ones, then reload",
    unit: "containers",
  }),
  containerPort: setting(port(), 3000, { ...NEW_COLORS, unit: "port" }),
  command: optional(list(z.string(must("text"))), NEW_COLORS),
  memoryMb: optional(wholeOrZero(), { ...IN_PLACE, unit: "MiB" }),
  envFile: optional(text(/^(~?\/[^\0]+)?$/, "a path from / or ~/ on"), NEW_COLORS),
  files: setting(
    list(
      element({
        path: required(absolutePath(), NEW_COLORS),
        content: required(secret(), NEW_COLORS),
        permissions: setting(text(/^0[0-7]{3}$/, 'four digits such as "0444"'), "0444", NEW_COLORS),
      } satisfies Shape<FileArgs>),
    ),
    [],
    NEW_COLORS,
  ),
  container: group(
    {
      securityOpts: setting(list(securityOption), ["no-new-privileges"], NEW_COLORS),
      capabilities: group({
        adds: setting(list(capability), [], NEW_COLORS),
        drops: setting(list(capability), ["CAP_MKNOD", "CAP_NET_RAW"], NEW_COLORS),
      } satisfies Shape<CapabilitiesArgs>),
      readOnly: setting(flag(), false, NEW_COLORS),
      tmpfs: setting(named(absolutePath(), mountOptions), {}, NEW_COLORS),
      cpuShares: optional(whole(2, 262_144), IN_PLACE),
      ulimits: setting(
        list(
          element({
            name: required(oneOf(...ULIMITS), NEW_COLORS),
            soft: required(limit(), NEW_COLORS),
            hard: required(limit(), NEW_COLORS),
          } satisfies Shape<UlimitArgs>),
        ),
        [],
        NEW_COLORS,
      ),
      hosts: setting(
        list(
          element({
            host: required(hostEntry, NEW_COLORS),
            ip: required(hostAddress, NEW_COLORS),
          } satisfies Shape<ExtraHostArgs>),
        ),
        [],
        NEW_COLORS,
      ),
      networks: setting(list(networkName), [], NEW_COLORS),
      dns: setting(list(ipAddress()), [], NEW_COLORS),
      dnsOpts: setting(list(text(/^[\w:.-]+$/, 'an option such as "ndots:1"')), [], NEW_COLORS),
      dnsSearches: setting(list(text(/^[\w.-]+$/, "the name of a domain")), [], NEW_COLORS),
      user: optional(user, NEW_COLORS),
      groupAdds: setting(list(text(/^[\w.-]+$/, "a group, by name or number")), [], NEW_COLORS),
      entrypoints: optional(list(z.string(must("text"))), NEW_COLORS),
      workingDir: optional(absolutePath(), NEW_COLORS),
      init: optional(flag(), { ...NEW_COLORS, otherwise: "as `false`" }),
      shmSize: optional(whole(), { ...NEW_COLORS, unit: "MiB" }),
      cpus: optional(tenths(0.1, 1024), { ...NEW_COLORS, unit: "CPUs" }),
      cpuSet: optional(text(/^\d+([,-]\d+)*$/, 'numbers of CPUs, such as "0-1" or "0,2"'), NEW_COLORS),
      devices: setting(
        list(
          element({
            hostPath: required(absolutePath(), NEW_COLORS),
            containerPath: optional(absolutePath(), { ...NEW_COLORS, otherwise: "the same" }),
            permissions: setting(text(/^[rwm]{1,3}$/, 'of the letters "r", "w" and "m"'), "rwm", NEW_COLORS),
          } satisfies Shape<DeviceArgs>),
        ),
        [],
        NEW_COLORS,
      ),
      gpus: optional(
        text(/^(all|[1-9]\d*|device=[\w.:-]+)$/, '"all", how many, or "device=" and one ID'),
        NEW_COLORS,
      ),
      sysctls: setting(named(sysctl, z.string(must("text"))), {}, NEW_COLORS),
      logDriver: optional(text(/^[A-Za-z0-9][\w./:-]*$/, "the name of a log driver"), {
        ...NEW_COLORS,
        otherwise: "`json-file`",
      }),
      logOpts: setting(
        named(text(/^[\w.-]+$/, "the name of an option"), z.string(must("text"))),
        {},
        NEW_COLORS,
      ),
    } satisfies Shape<ContainerArgs>,
    { refuses: REFUSED },
  ),
  workers: setting(
    named(
      workerName,
      element(
        {
          command: required(program(), NEW_WORKER),
          exclusive: setting(flag(), true, NOTHING),
          stopGraceSeconds: optional(whole(), {
            ...NEW_WORKER,
            ...SECONDS,
            otherwise: "as `stopGraceSeconds`",
          }),
          stayUpSeconds: setting(whole(1, 3600), 5, { ...NOTHING, ...SECONDS }),
          env: setting(variables(), {}, NEW_WORKER),
          memoryMb: optional(wholeOrZero(), { ...IN_PLACE, unit: "MiB", otherwise: "as `memoryMb`" }),
          cpus: optional(tenths(0.1, 1024), {
            ...NEW_WORKER,
            unit: "CPUs",
            otherwise: "as `container.cpus`",
          }),
        } satisfies Shape<WorkerArgs>,
        "an object with at least its command",
      ),
    ),
    {},
    NEW_WORKER,
  ),
};
type OwnArgs = Shape<Omit<ColorArgs, "image" | "env">>;

/** The same setting for one color: what it does not set is as for both. */
function own(row: z.core.$ZodType, which: Color, path: string): z.ZodType {
  const kind = withoutDefault(row) as z.ZodType;
  const otherwise = `as \`${path}\``;
  if (kind instanceof z.ZodObject) {
    const group = z.strictObject(ownOf(kind.shape as z.ZodRawShape, which, `${path}.`), must("an object"));
    return optional(group.meta(z.globalRegistry.get(kind) ?? {}), { cost: otherwise, otherwise });
  }
  const { cost, ...about } = z.globalRegistry.get(row) as About;
  return optional(kind, { ...about, cost: cost === NEW_COLORS.cost ? newOne(which).cost : cost, otherwise });
}
const ownOf = (shape: z.ZodRawShape, which: Color, prefix = "") =>
  Object.fromEntries(Object.entries(shape).map(([name, row]) => [name, own(row, which, prefix + name)]));

/** What a color has: its own, or else what is set for both. */
export function withOwn<T extends object>(shape: z.ZodRawShape, both: T, own: object): T {
  const all = Object.keys(shape).map((name) => {
    const [common, given] = [both, own].map((one) => (one as { [name: string]: unknown })[name]);
    const kind = withoutDefault(shape[name]);
    if (given === undefined) return [name, common];
    if (!(kind instanceof z.ZodObject)) return [name, given];
    return [name, withOwn(kind.shape as z.ZodRawShape, common as object, given as object)];
  });
  return Object.fromEntries(all) as T;
}

// --- the table

const newOne = (which: Color) => ({ cost: `a new ${which}, gated` });
const color = (which: Color) =>
  element(
    {
      image: required(later(image()), newOne(which)),
      env: setting(variables(), {}, newOne(which)),
      ...(ownOf(OF_COLORS, which) as unknown as OwnArgs),
    } satisfies Shape<ColorArgs>,
    "an object with at least its image",
  );

const server = {
  hostKey: optional(hostKey, RELOAD),
  knownHostsFile: optional(localFile(), RELOAD),
  privateKeyFile: optional(localFile(), RELOAD),
  privateKey: optional(secret(), RELOAD),
};

export const schema = z.strictObject({
  activeColor: required(oneOf(...COLORS), { cost: "gate, then reload" }),
  blue: color("blue"),
  green: color("green"),
  ingress: optional(later(ingressName), { cost: "new colors, and the service moves to other ports" }),
  hosts: setting(list(wildcardName()), [], RELOAD),
  redirects: setting(named(wildcardName(), origin()), {}, RELOAD),
  path: setting(servedPath, "/", RELOAD),
  stripPath: setting(flag(), false, RELOAD),
  containerPort: OF_COLORS.containerPort,
  replicas: OF_COLORS.replicas,
  ports: setting(
    list(
      element({
        containerPort: required(port(), { ...RELOAD, unit: "port" }),
        hosts: setting(list(wildcardName()), [], RELOAD),
        path: setting(servedPath, "/", RELOAD),
        protocol: setting(protocol(), "http1", RELOAD),
      } satisfies Shape<PortArgs>),
    ),
    [],
    RELOAD,
  ),
  command: OF_COLORS.command,
  env: setting(variables(), {}, NEW_COLORS),
  envFile: OF_COLORS.envFile,
  files: OF_COLORS.files,
  volumes: setting(
    list(
      element({
        hostPath: optional(absolutePath(), NEW_COLORS),
        volumeName: optional(volumeName, NEW_COLORS),
        containerPath: required(absolutePath(), NEW_COLORS),
        readOnly: setting(flag(), false, NEW_COLORS),
        selinuxRelabel: optional(relabel, NEW_COLORS),
      } satisfies Shape<VolumeArgs>),
    ),
    [],
    NEW_COLORS,
  ),
  memoryMb: OF_COLORS.memoryMb,
  container: OF_COLORS.container,
  logs: group(
    {
      maxSizeMb: setting(whole(), 10, {
        cost: "new colors, new nginx; Redis is away for some seconds; the edge waits for downtime",
        unit: "MB",
      }),
      maxFiles: setting(whole(), 3, { cost: "as `logs.maxSizeMb`", unit: "files" }),
    } satisfies Shape<LogsArgs>,
    { of: "both" },
  ),
  restart: setting(oneOf("unless-stopped", "on-failure", "always", "no"), "unless-stopped", IN_PLACE),
  timeZone: setting(timeZone, "UTC", NEW_COLORS),
  labels: setting(named(label, z.string(must("text"))), {}, NEW_COLORS),
  stopGraceSeconds: setting(whole(), 30, { ...NEW_COLORS, ...SECONDS }),
  workers: OF_COLORS.workers,
  health: group({
    kind: setting(oneOf("http", "tcp", "command", "image"), "http", RELOAD),
    command: optional(list(text(/^[^\0]*$/, "text without a zero byte")), RELOAD),
    path: setting(healthPath, "/health", RELOAD),
    port: optional(port(), { ...RELOAD, otherwise: "`containerPort`", unit: "port" }),
    headers: optional(named(requestHeader, openLine()), RELOAD),
    hostHeader: optional(hostHeader, { ...RELOAD, otherwise: "`localhost`" }),
    intervalSeconds: setting(fraction(), 1, { ...RELOAD, ...SECONDS }),
    timeoutSeconds: setting(fraction(), 5, { ...RELOAD, ...SECONDS }),
    gateTimeoutSeconds: setting(whole(), 60, { ...RELOAD, ...SECONDS }),
    passes: setting(whole(), 2, { ...RELOAD, unit: "answers" }),
    status: optional(whole(100, 599, "an HTTP status from 100 to 599"), { ...RELOAD, unit: "HTTP status" }),
    bodyText: optional(expected, RELOAD),
    jsonField: optional(expected, RELOAD),
    jsonValue: optional(z.string(must("text")).regex(/^[^\0]*$/, must("text without a zero byte")), RELOAD),
  } satisfies Shape<HealthArgs>),
  watch: group({
    seconds: setting(whole(0, 3600), 0, { cost: "reload; `pulumi up` takes longer by it", ...SECONDS }),
    tolerancePercent: setting(fraction(0, 100), 5, { ...RELOAD, unit: "percentage points" }),
  } satisfies Shape<WatchArgs>),
  strategy: setting(oneOf("blue-green", "recreate"), "blue-green", {
    cost: "reload; the idle color is started or stopped",
  }),
  idle: setting(oneOf("running", "stopped"), "running", {
    cost: "reload; the idle color is started or stopped",
  }),
  drainSeconds: setting(wholeOrZero(), 30, { ...RELOAD, ...SECONDS, ...OF_BOTH }),
  lockWaitSeconds: setting(wholeOrZero(), 0, { ...RELOAD, ...SECONDS }),
  redis: group({
    enabled: setting(flag(), false, { cost: "new colors; off: Redis is deleted, its data is kept" }),
    image: setting(image(), REDIS_IMAGE, REDIS_AWAY),
    password: optional(secret(), { cost: "new colors, and Redis is away for some seconds" }),
    deleteData: setting(flag(), false, { cost: "nothing" }),
    memoryMb: optional(whole(16), { ...REDIS_AWAY, unit: "MiB" }),
  } satisfies Shape<RedisArgs>),
  network: group({ name: optional(networkName, DOWNTIME) } satisfies Shape<NetworkArgs>),
  proxy: group({
    image: setting(image(), NGINX_IMAGE, { ...NEW_NGINX, ...OF_INGRESS }),
    edgeImage: setting(image(), NGINX_IMAGE, {
      cost: "nothing; taken along with the next downtime",
      ...OF_INGRESS,
    }),
    port: setting(port(), 80, { ...DOWNTIME, ...OF_INGRESS, unit: "port" }),
    bindAddress: setting(address(), "0.0.0.0", { ...DOWNTIME, ...OF_INGRESS }),
    previewPort: setting(port(), 8081, { ...DOWNTIME, ...OF_INGRESS, unit: "port" }),
    previewBindAddress: setting(address(), "127.0.0.1", { ...DOWNTIME, ...OF_INGRESS }),
    ipv6: optional(flag(), {
      ...DOWNTIME,
      ...OF_INGRESS,
      otherwise: "as the host has it when the ingress is made",
    }),
    protocol: setting(protocol(), "http1", RELOAD),
    maxBodySize: setting(bodySize, "10m", { ...RELOAD, unit: "bytes, `k`, `m`, `g`" }),
    connectTimeoutSeconds: setting(whole(), 5, { ...RELOAD, ...SECONDS }),
    readTimeoutSeconds: setting(whole(), 60, { ...RELOAD, ...SECONDS }),
    streamTimeoutSeconds: setting(whole(), 3600, { ...RELOAD, ...SECONDS }),
    sendTimeoutSeconds: setting(whole(), 60, { ...RELOAD, ...SECONDS }),
    buffering: setting(flag(), true, RELOAD),
    spoolMb: setting(wholeOrZero(), 256, { ...RELOAD, unit: "MB" }),
    requestBuffering: optional(flag(), { ...RELOAD, otherwise: "`true`" }),
    // Each of thousands of connections may take four times as much.
    maxHeaderKb: setting(whole(4, 512), 32, { ...RELOAD, unit: "KB" }),
    upstreamKeepaliveSeconds: setting(whole(), 1, { ...RELOAD, ...SECONDS }),
    accessLog: setting(flag(), true, RELOAD),
    trustedProxies: setting(list(addresses()), [], RELOAD),
    proxyProtocol: setting(list(addresses()), [], {
      cost: "turning it on or off is downtime: what is in front must turn, too; other addresses are a reload",
      ...OF_INGRESS,
    }),
    gzip: setting(flag(), false, RELOAD),
    sharedAssets: setting(list(assetPath), [], RELOAD),
    nginxConfig: setting(piece(), "", RELOAD),
    rateLimit: group({
      requestsPerSecond: setting(whole(0, 1_000_000), 0, { ...RELOAD, unit: "requests" }),
      burst: setting(whole(0, 1_000_000), 100, { ...RELOAD, unit: "requests" }),
    } satisfies Shape<RateLimitArgs>),
    responseHeaders: setting(named(responseHeader, responseHeaderValue), {}, RELOAD),
    memoryMb: setting(
      wholeOrZero().refine((mb) => mb === 0 || mb >= 64, must("0 or a whole number from 64 on")),
      2048,
      { ...IN_PLACE, ...OF_INGRESS, unit: "MiB" },
    ),
    migrateConnections: setting(flag(), true, { ...DOWNTIME, ...OF_INGRESS }),
  } satisfies Shape<ProxyArgs>),
  tls: group({
    names: setting(list(hostName()), [], {
      cost: "turning TLS on or off is downtime, other names are a reload",
    }),
    port: setting(port(), 443, { ...DOWNTIME, ...OF_INGRESS, unit: "port" }),
    certificate: optional(openText(), RELOAD),
    privateKey: optional(secret(), RELOAD),
    certificateFile: optional(absolutePath(), NEW_NGINX),
    privateKeyFile: optional(absolutePath(), RELOAD),
    certificateFolder: optional(absolutePath(), { ...NEW_NGINX, ...OF_BOTH }),
    acmeEmail: optional(email, RELOAD),
    acmeDirectory: optional(httpsUrl, {
      cost: "a new certificate, which is a reload",
      otherwise: "Let's Encrypt",
    }),
    acmeImage: setting(image(), LEGO_IMAGE, NOTHING),
    hstsSeconds: setting(wholeOrZero(), 0, { ...RELOAD, ...SECONDS }),
  } satisfies Shape<TlsArgs>),
  host: group(
    {
      address: setting(url.docker(), "unix:///var/run/docker.sock", DOWNTIME),
      ...server,
      connectTries: setting(whole(), 10, RELOAD),
      connectTimeoutSeconds: setting(whole(), 15, { ...RELOAD, ...SECONDS }),
      bastion: element({
        address: required(url.ssh(), RELOAD),
        ...server,
      } satisfies Shape<BastionArgs>).optional(),
    } satisfies Shape<HostArgs>,
    { of: "both" },
  ),
  registries: setting(
    list(
      element({
        address: required(registry, NOTHING),
        username: required(userName, NOTHING),
        password: required(secret(), NOTHING),
      } satisfies Shape<RegistryArgs>),
    ),
    [],
    { ...NOTHING, ...OF_BOTH },
  ),
  sendImages: setting(flag(), false, { ...NOTHING, ...OF_BOTH }),
  pinImages: setting(flag(), false, NEW_COLORS),
  keepImages: optional(wholeOrZero(), { cost: "nothing" }),
  allowDowntime: setting(flag(), false, {
    cost: "nothing by itself; with true, a newer edge is taken along, which is downtime",
    ...OF_BOTH,
  }),
  allowMovingTags: setting(flag(), false, { cost: "nothing", ...OF_BOTH }),
} satisfies Shape<BlueGreenServiceArgs>);

/** The paths of those given settings that are of one of these owners, where services share an ingress. */
export function* settingsOf(
  owners: Owner[],
  given: unknown,
  type: z.core.$ZodType = schema,
  path: string[] = [],
  outer: Owner = "service",
): Iterable<string> {
  const owner = (z.globalRegistry.get(type)?.of as Owner | undefined) ?? outer;
  const kind = withoutDefault(type);
  if (kind instanceof z.ZodObject && typeof given === "object" && given !== null) {
    for (const [name, inner] of Object.entries(given)) {
      const row = (kind.shape as z.ZodRawShape)[name];
      // One that there is not is refused as such.
      if (row !== undefined && inner !== undefined && inner !== null)
        yield* settingsOf(owners, inner, row, [...path, name], owner);
    }
  } else if (owners.includes(owner)) yield path.join(".");
}

/** The paths of the settings whose change costs this. */
export function settingsThatCost({ cost }: About): string[] {
  const visit = (type: z.core.$ZodType, prefix: string): string[] =>
    Object.entries((withoutDefault(type) as z.ZodObject).shape as z.ZodRawShape).flatMap(([name, row]) => {
      if (withoutDefault(row) instanceof z.ZodObject) return visit(row, `${prefix}${name}.`);
      return z.globalRegistry.get(row)?.cost === cost ? [prefix + name] : [];
    });
  return visit(schema, "");
}
