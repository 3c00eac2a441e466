import * as pulumi from "@pulumi/pulumi";
import { posix } from "node:path";
import type { BastionArgs, BlueGreenServiceArgs, RedisArgs } from "./args";
import { isRemote } from "./host";
import { namesOfNow, problemOfNames } from "./names";
import { hostOf } from "./registry";
import { certificateFolder, COLORS, withDefaults, type Settings, type Tls } from "./settings";
import { keyProblem, knownHostKey } from "./ssh";

/** One thing that is wrong: where, and why. */
export interface Violation {
  propertyPath: string;
  reason: string;
}

/**
 * Throws one error with every violation, before any resource is declared. Values that only come to be during the update
 * (outputs of other resources) are not looked at.
 */
export function refuseInvalid(name: string, args: BlueGreenServiceArgs): void {
  refuse(name, [...findBadNames(name, args), ...findViolations(args)]);
}

export function refuse(name: string, violations: Violation[]): void {
  if (violations.length === 0) return;
  const error = new pulumi.InputPropertiesError({
    message: violationsInWords(name, violations),
    errors: violations,
  });
  // Both in one: other languages are told the paths, and a program prints it without a stack.
  throw Object.assign(error, new pulumi.RunError());
}

export function violationsInWords(name: string, violations: Violation[]): string {
  const list = violations.map((v) => `  ${v.propertyPath}: ${v.reason}`).join("\n");
  return `${name}: ${violations.length} invalid setting(s). Nothing was changed.\n${list}`;
}

function findBadNames(name: string, args: BlueGreenServiceArgs): Violation[] {
  const reason = problemOfNames(namesOfNow(name), args.redis?.enabled === true);
  return reason === undefined ? [] : [{ propertyPath: "name", reason }];
}

export function findViolations(args: BlueGreenServiceArgs): Violation[] {
  const found: Violation[] = [];
  const refuse = (propertyPath: string, reason: string) => found.push({ propertyPath, reason });
  const missing = COLORS.filter((color) => typeof args[color] !== "object" || args[color] === null);
  for (const color of missing) refuse(color, "is missing: give at least its image");
  if (missing.length > 0) return found;

  const settings = withDefaults(args);
  checkColors(settings, refuse);
  checkRegistries(settings, refuse);
  checkRedis(args.redis, refuse);
  checkService(settings, refuse);
  checkContainer(settings, refuse);
  checkEnv(settings, refuse);
  checkVolumes(settings, refuse);
  checkUlimits(settings, refuse);
  checkHealth(settings, refuse);
  checkWatch(settings, refuse);
  checkProxy(settings, refuse);
  checkTls(settings, refuse);
  checkHost(settings, refuse);
  return found;
}

type Refuse = (propertyPath: string, reason: string) => void;

function checkColors(settings: Settings, refuse: Refuse) {
  if (!COLORS.includes(settings.activeColor)) {
    refuse("activeColor", `is ${show(settings.activeColor)}, but must be "blue" or "green"`);
  }
  for (const color of COLORS) checkImage(`${color}.image`, settings.colors[color].image, settings, refuse);
  checkImage("redis.image", settings.redis.image, settings, refuse);
  checkImage("proxy.image", settings.proxy.image, settings, refuse);
  checkImage("proxy.edgeImage", settings.proxy.edgeImage, settings, refuse);
  checkImage("tls.acmeImage", settings.tls.acmeImage, settings, refuse);
}

function checkImage(path: string, image: unknown, settings: Settings, refuse: Refuse) {
  if (pulumi.Output.isInstance(image) || image instanceof Promise) return;
  if (typeof image !== "string" || image.trim() === "") return refuse(path, "is missing or empty");
  if (!/^[a-z0-9][\w.:/@-]*$/.test(image)) return refuse(path, `is ${show(image)}, which is no image name`);
  if (image.includes("@")) {
    if (/@sha256:[0-9a-f]{64}$/.test(image)) return;
    return refuse(path, `is ${show(image)}, whose digest is none: @sha256: and 64 hexadecimal digits`);
  }
  if (settings.allowMovingTags) return;
  const tag = /:([\w.-]+)$/.exec(image)?.[1];
  if (tag === undefined || tag === "latest") {
    const what = tag === undefined ? "has no tag" : 'has the tag "latest"';
    refuse(
      path,
      `is ${show(image)}, which ${what}: a tag that moves can't be rolled back. Name a version, or set allowMovingTags`,
    );
  }
}

function checkRegistries({ registries, keepImages }: Settings, refuse: Refuse) {
  checkPositive("keepImages", keepImages, refuse, { whole: true });
  registries.forEach(({ address, username, password }, i) => {
    const path = `registries[${i}]`;
    if (!/^(https?:\/\/)?[a-z0-9.-]+(:\d+)?$/.test(address)) {
      refuse(
        `${path}.address`,
        `is ${show(address)}, but must be a host, such as "ghcr.io" or "localhost:5000"`,
      );
    } else if (registries.slice(0, i).some((other) => hostOf(other.address) === hostOf(address))) {
      refuse(`${path}.address`, `is ${show(address)}, which is there twice`);
    }
    if (username === "" || username.includes(":")) {
      refuse(`${path}.username`, `is ${show(username)}, but must be a name without ":"`);
    }
    if (password === "") refuse(`${path}.password`, "is empty");
  });
}

function checkService(settings: Settings, refuse: Refuse) {
  checkPort("containerPort", settings.containerPort, refuse);
  checkPositive("memoryMb", settings.memoryMb, refuse, { whole: true });
  checkMemory("redis.memoryMb", settings.redis.memoryMb, 16, refuse);
  checkPositive("logs.maxSizeMb", settings.logs.maxSizeMb, refuse, { whole: true });
  checkPositive("logs.maxFiles", settings.logs.maxFiles, refuse, { whole: true });
  checkPositive("stopGraceSeconds", settings.stopGraceSeconds, refuse, { whole: true });
  checkPositive("drainSeconds", settings.drainSeconds, refuse, { whole: true, zero: true });
  checkPositive("lockWaitSeconds", settings.lockWaitSeconds, refuse, { whole: true, zero: true });
  checkOneOf("idle", settings.idle, ["running", "stopped"], refuse);
  checkOneOf("restart", settings.restart, ["unless-stopped", "on-failure", "always", "no"], refuse);
  if (settings.idle === "stopped" && settings.restart === "always") {
    refuse(
      "restart",
      'is "always", with which Docker starts the idle color again although idle is "stopped". Use "unless-stopped"',
    );
  }
  if (!/^[A-Za-z0-9_+/-]+$/.test(settings.timeZone)) {
    refuse("timeZone", `is ${show(settings.timeZone)}, but must be a name such as "Europe/Vienna"`);
  }
  for (const label of Object.keys(settings.labels)) {
    if (label.startsWith("bluegreen."))
      refuse(`labels[${show(label)}]`, "is a label that the component sets itself");
  }
  const network = settings.network.name;
  if (network !== undefined && !/^[A-Za-z0-9][\w.-]*$/.test(network)) {
    refuse("network.name", `is ${show(network)}, which is no name of a Docker network`);
  }
}

function checkContainer({ container, volumes }: Settings, refuse: Refuse) {
  const { securityOpts, capabilities, readOnly, tmpfs, cpuShares } = container;
  checkEach("container.securityOpts", securityOpts, refuse, (option) => {
    if (/^(no-new-privileges|no-new-privileges=(true|false)|(apparmor|seccomp|label)=.+)$/s.test(option))
      return;
    return 'but must be "no-new-privileges", or begin with "apparmor=", "seccomp=" or "label="';
  });
  for (const key of ["adds", "drops"] as const) {
    checkEach(`container.capabilities.${key}`, capabilities[key], refuse, (name) =>
      /^[A-Za-z][A-Za-z_]+$/.test(name)
        ? undefined
        : 'but must be the name of a capability, such as "CAP_NET_ADMIN", or "ALL"',
    );
  }
  checkFlag("container.readOnly", readOnly, refuse);
  for (const [folder, options] of Object.entries(tmpfs)) {
    const path = `container.tmpfs[${show(folder)}]`;
    if (!/^\/[^:\0]*$/.test(folder)) refuse(path, 'must be an absolute path (and without ":")');
    else if (volumes.some(({ containerPath }) => containerPath === folder)) {
      refuse(path, "is the containerPath of one of the volumes too: only one of both can be there");
    }
    if (typeof options !== "string") {
      refuse(path, `is ${show(options)}, but must be mount options such as "size=64m", or ""`);
    }
  }
  if (cpuShares === undefined) return;
  const right = Number.isInteger(cpuShares) && cpuShares >= 2 && cpuShares <= 262_144;
  if (!right)
    refuse("container.cpuShares", `is ${show(cpuShares)}, but must be a whole number from 2 to 262144`);
}

/** `wrong` says what is wrong with an element, if anything is. */
function checkEach(
  path: string,
  list: string[],
  refuse: Refuse,
  wrong: (element: string) => string | undefined,
) {
  if (!Array.isArray(list)) return refuse(path, `is ${show(list)}, but must be a list`);
  list.forEach((element: unknown, i) => {
    const reason = wrong(String(element));
    if (reason !== undefined) refuse(`${path}[${i}]`, `is ${show(element)}, ${reason}`);
  });
}

function checkFlag(path: string, value: boolean, refuse: Refuse) {
  if (typeof value !== "boolean") refuse(path, `is ${show(value)}, but must be true or false`);
}

/** Who names something of a Redis means to have one. */
function checkRedis({ enabled, ...named }: RedisArgs = {}, refuse: Refuse) {
  if (enabled !== undefined) return;
  for (const [setting, value] of Object.entries(named)) {
    if (value === undefined) continue;
    refuse(
      `redis.${setting}`,
      "is of no use without a Redis: set redis.enabled to true, or to false for now",
    );
  }
}

/** The variables that the component sets itself, with these settings. */
export function ownVariables(settings: Pick<Settings, "redis">): string[] {
  return [
    "COLOR",
    "PORT",
    "TZ",
    ...(settings.redis.enabled ? ["REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"] : []),
  ];
}

function checkEnv(settings: Settings, refuse: Refuse) {
  const own = ownVariables(settings);
  const check = (path: string, env: object = {}) => {
    for (const key of Object.keys(env)) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
        refuse(
          `${path}[${show(key)}]`,
          "is no name of a variable: letters, digits and _ only, no digit first",
        );
      } else if (own.includes(key)) {
        refuse(
          `${path}.${key}`,
          `is set by the component itself, as are ${own.filter((other) => other !== key).join(", ")}`,
        );
      }
    }
  };
  check("env", settings.env);
  for (const color of COLORS) check(`${color}.env`, settings.colors[color].env);
}

function checkVolumes(settings: Settings, refuse: Refuse) {
  settings.volumes.forEach((volume, i) => {
    const path = `volumes[${i}]`;
    if ((volume.hostPath === undefined) === (volume.volumeName === undefined)) {
      refuse(path, "needs either hostPath or volumeName");
    }
    if (volume.hostPath !== undefined) checkAbsolute(`${path}.hostPath`, volume.hostPath, refuse);
    if (volume.volumeName !== undefined && !/^[A-Za-z0-9][\w.-]+$/.test(volume.volumeName)) {
      refuse(`${path}.volumeName`, `is ${show(volume.volumeName)}, which is no name of a Docker volume`);
    }
    checkAbsolute(`${path}.containerPath`, volume.containerPath, refuse);
  });
}

const ULIMITS =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
    " ",
  );

function checkUlimits({ container: { ulimits } }: Settings, refuse: Refuse) {
  ulimits.forEach(({ name, soft, hard }, i) => {
    const path = `container.ulimits[${i}]`;
    checkOneOf(`${path}.name`, name, ULIMITS, refuse);
    if (ulimits.slice(0, i).some((other) => other.name === name))
      refuse(`${path}.name`, `is ${show(name)}, which is there twice`);
    const right = [soft, hard].every((value) => Number.isInteger(value) && value >= -1 && value <= GREATEST);
    if (!right)
      return refuse(path, `has soft ${show(soft)} and hard ${show(hard)}: whole numbers, or -1 for no limit`);
    if (hard !== -1 && (soft === -1 || soft > hard))
      refuse(`${path}.soft`, `is ${soft}, which is more than hard, ${hard}`);
  });
}

function checkAbsolute(path: string, value: string | undefined, refuse: Refuse) {
  if (!/^\/[^:\0]*$/.test(value ?? ""))
    refuse(path, `is ${show(value)}, but must be an absolute path (and without ":")`);
}

function checkHealth({ health }: Settings, refuse: Refuse) {
  if (!health.path.startsWith("/")) {
    refuse("health.path", `is ${show(health.path)}, but must begin with "/"`);
  } else if (!/^[\w/.~!*()+,=:@%&?-]+$/.test(health.path)) {
    refuse(
      "health.path",
      `is ${show(health.path)}; write what is not a letter, a digit or one of /.~!*()+,=:@&?-_ as %XX`,
    );
  }
  if (!/^[A-Za-z0-9.-]+(:\d+)?$/.test(health.hostHeader)) {
    refuse(
      "health.hostHeader",
      `is ${show(health.hostHeader)}, but must be a host name, with a port or without`,
    );
  }
  const timesAreRight = [
    checkPositive("health.intervalSeconds", health.intervalSeconds, refuse),
    checkPositive("health.timeoutSeconds", health.timeoutSeconds, refuse),
    checkPositive("health.gateTimeoutSeconds", health.gateTimeoutSeconds, refuse, { whole: true }),
    checkPositive("health.passes", health.passes, refuse, { whole: true }),
  ].every(Boolean);
  const shortest = Math.max(health.timeoutSeconds, (health.passes - 1) * health.intervalSeconds);
  if (timesAreRight && health.gateTimeoutSeconds < shortest) {
    refuse(
      "health.gateTimeoutSeconds",
      `is ${health.gateTimeoutSeconds}, which is shorter than one probe (timeoutSeconds ${health.timeoutSeconds}) ` +
        `or than ${health.passes} passes every ${health.intervalSeconds} s: at least ${Math.ceil(shortest)}`,
    );
  }
  if (
    health.status !== undefined &&
    !(Number.isInteger(health.status) && health.status >= 100 && health.status <= 599)
  ) {
    refuse("health.status", `is ${show(health.status)}, but must be an HTTP status from 100 to 599`);
  }
  if (health.bodyText === "")
    refuse("health.bodyText", "is empty, which every answer contains: leave it out");
  for (const key of ["bodyText", "jsonField", "jsonValue"] as const) {
    if (health[key]?.includes("\0"))
      refuse(`health.${key}`, "contains a zero byte, which no command can be given");
  }
  if ((health.jsonField === undefined) !== (health.jsonValue === undefined)) {
    refuse(
      health.jsonField === undefined ? "health.jsonField" : "health.jsonValue",
      "is missing: jsonField and jsonValue go together",
    );
  }
  if (health.jsonField === "") refuse("health.jsonField", 'is empty, but must be a path such as "status"');
}

function checkWatch({ watch }: Settings, refuse: Refuse) {
  const watchIsRight = checkPositive("watch.seconds", watch.seconds, refuse, { whole: true, zero: true });
  if (watchIsRight && watch.seconds > 3600) {
    refuse("watch.seconds", `is ${watch.seconds}, but must be at most 3600: the update waits that long`);
  }
  const { tolerancePercent } = watch;
  if (!(Number.isFinite(tolerancePercent) && tolerancePercent >= 0 && tolerancePercent <= 100)) {
    refuse("watch.tolerancePercent", `is ${show(tolerancePercent)}, but must be a number from 0 to 100`);
  }
}

function checkProxy({ proxy }: Settings, refuse: Refuse) {
  const portsAreRight = [
    checkPort("proxy.port", proxy.port, refuse),
    checkPort("proxy.previewPort", proxy.previewPort, refuse),
  ].every(Boolean);
  if (portsAreRight && proxy.port === proxy.previewPort) {
    refuse("proxy.previewPort", `is ${proxy.port}, as is proxy.port: each port can be used once`);
  }
  checkAddress("proxy.bindAddress", proxy.bindAddress, refuse);
  checkAddress("proxy.previewBindAddress", proxy.previewBindAddress, refuse);
  if (!/^\d{1,9}[kmg]?$/i.test(proxy.maxBodySize)) {
    refuse(
      "proxy.maxBodySize",
      `is ${show(proxy.maxBodySize)}, but must be a size such as "512k", "20m" or "1g"`,
    );
  }
  checkMemory("proxy.memoryMb", proxy.memoryMb === 0 ? undefined : proxy.memoryMb, 64, refuse);
  checkPositive("proxy.connectTimeoutSeconds", proxy.connectTimeoutSeconds, refuse, { whole: true });
  checkPositive("proxy.readTimeoutSeconds", proxy.readTimeoutSeconds, refuse, { whole: true });
  checkPositive("proxy.streamTimeoutSeconds", proxy.streamTimeoutSeconds, refuse, { whole: true });
  checkPositive("proxy.sendTimeoutSeconds", proxy.sendTimeoutSeconds, refuse, { whole: true });
  checkPositive("proxy.upstreamKeepaliveSeconds", proxy.upstreamKeepaliveSeconds, refuse, { whole: true });
  checkPositive("proxy.spoolMb", proxy.spoolMb, refuse, { whole: true, zero: true });
  // Each of thousands of connections may take four times as much.
  if (!(Number.isInteger(proxy.maxHeaderKb) && proxy.maxHeaderKb >= 4 && proxy.maxHeaderKb <= 512)) {
    refuse("proxy.maxHeaderKb", `is ${show(proxy.maxHeaderKb)}, but must be a whole number from 4 to 512`);
  }
}

function checkTls({ tls, proxy }: Settings, refuse: Refuse) {
  const sources = [
    ["certificate", "privateKey"],
    ["certificateFile", "privateKeyFile"],
    ["acmeEmail"],
  ] as const;
  const given = sources.filter((keys) => keys.some((key) => tls[key] !== undefined));
  if (tls.names.length === 0) {
    if (given.length > 0) refuse("tls.names", "is missing: without names there is no TLS");
    return;
  }
  for (const [i, name] of tls.names.entries()) {
    if (!/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)) {
      refuse(
        `tls.names[${i}]`,
        `is ${show(name)}, but must be a host name in small letters, and without "*" also for such a certificate`,
      );
    }
  }
  if (given.length !== 1) {
    const found = given.length === 0 ? "none of them is there" : "there is more than one";
    refuse(
      "tls",
      `needs certificate and privateKey, or certificateFile and privateKeyFile, or acmeEmail; ${found}`,
    );
  }
  for (const key of given.flat()) if (tls[key] === undefined) refuse(`tls.${key}`, "is missing");

  const ports = [proxy.port, proxy.previewPort];
  if (checkPort("tls.port", tls.port, refuse) && ports.includes(tls.port)) {
    refuse("tls.port", `is ${tls.port}, as is one of the proxy's ports: each port can be used once`);
  }
  checkCertificateFiles(tls, refuse);
  if (tls.acmeEmail !== undefined && !/^[^\s@]+@[^\s@]+$/.test(tls.acmeEmail)) {
    refuse("tls.acmeEmail", `is ${show(tls.acmeEmail)}, which is no e-mail address`);
  }
  if (tls.acmeDirectory !== undefined && !/^https:\/\/[^\s]+$/.test(tls.acmeDirectory)) {
    refuse("tls.acmeDirectory", `is ${show(tls.acmeDirectory)}, but must be an https:// address`);
  }
  checkPositive("tls.hstsSeconds", tls.hstsSeconds, refuse, { whole: true, zero: true });
}

function checkCertificateFiles(tls: Tls, refuse: Refuse) {
  const keys = ["certificateFolder", "certificateFile", "privateKeyFile"] as const;
  for (const key of keys) if (tls[key] !== undefined) checkAbsolute(`tls.${key}`, tls[key], refuse);
  if (tls.certificateFile === undefined) {
    if (tls.certificateFolder !== undefined) refuse("tls.certificateFolder", "is for a certificateFile only");
    return;
  }
  const folder = certificateFolder(tls);
  for (const key of ["certificateFile", "privateKeyFile"] as const) {
    if (posix.relative(folder, tls[key] ?? folder).startsWith("..")) {
      refuse(`tls.${key}`, `is ${show(tls[key])}, which is not in ${folder}: set tls.certificateFolder`);
    }
  }
}

function checkHost({ host }: Settings, refuse: Refuse) {
  checkPositive("host.connectTries", host.connectTries, refuse, { whole: true });
  checkPositive("host.connectTimeoutSeconds", host.connectTimeoutSeconds, refuse, { whole: true });
  if (!/^(unix:\/\/\/[^\s]+|tcp:\/\/[\w.:[\]-]+)$/.test(host.address) && !isSshAddress(host.address)) {
    return refuse(
      "host.address",
      `is ${show(host.address)}, but must be unix:///path, tcp://address:port or ssh://user@address:port`,
    );
  }
  const { bastion } = host;
  if (isRemote(host)) {
    checkServer("host", host, refuse);
    if (bastion === undefined) return;
    if (isSshAddress(bastion.address)) return checkServer("host.bastion", bastion, refuse);
    return refuse("host.bastion.address", `is ${show(bastion.address)}, but must be ssh://user@address:port`);
  }
  for (const key of ["hostKey", "knownHostsFile", "privateKeyFile", "privateKey", "bastion"] as const) {
    if (host[key] !== undefined) refuse(`host.${key}`, "is for an ssh:// address only");
  }
}

// Two programs connect, and each would take another user for granted.
const isSshAddress = (address: string) => /^ssh:\/\/[\w.-]+@[\w.-]+(:\d+)?$/.test(address);

function checkServer(path: string, server: BastionArgs, refuse: Refuse) {
  const { address, hostKey, knownHostsFile, privateKey, privateKeyFile } = server;
  if (knownHostsFile === undefined) {
    checkHostKey(`${path}.hostKey`, hostKey, refuse);
  } else if (hostKey !== undefined) {
    refuse(`${path}.knownHostsFile`, "and hostKey are both set: give one of them");
  } else if (checkLocalFile(`${path}.knownHostsFile`, knownHostsFile, refuse) && !knownHostKey(server)) {
    refuse(
      `${path}.knownHostsFile`,
      `is ${show(knownHostsFile)}, which can't be read or has no ed25519 or ecdsa key of ${address}`,
    );
  }
  if (privateKey !== undefined && privateKeyFile !== undefined) {
    refuse(`${path}.privateKey`, "and privateKeyFile are both set: give one of them");
  }
  if (typeof privateKey === "string") {
    refuse(
      `${path}.privateKey`,
      "is plain text, which the state would show: make it a secret, pulumi.secret(…)",
    );
  }
  if (privateKeyFile === undefined || !checkLocalFile(`${path}.privateKeyFile`, privateKeyFile, refuse))
    return;
  const problem = keyProblem(privateKeyFile);
  if (problem !== undefined) {
    refuse(
      `${path}.privateKeyFile`,
      `can't be used: ${problem} (a key with a passphrase belongs in an SSH agent; without privateKeyFile, the agent is asked)`,
    );
  }
}

function checkHostKey(path: string, hostKey: string | undefined, refuse: Refuse) {
  if (!/^(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+$/.test(hostKey ?? "")) {
    return refuse(
      path,
      'must be the server\'s public key ("ssh-ed25519 AAAA…", from ssh-keyscan), or knownHostsFile must have it: an unknown server could be anyone',
    );
  }
  if (hostKey?.startsWith("ssh-rsa ")) {
    refuse(
      path,
      "is an RSA key, which Pulumi's command provider asks for in a form (SHA-1) that servers refuse",
    );
  }
}

function checkLocalFile(path: string, file: string, refuse: Refuse): boolean {
  const right = /^~?\/./.test(file) && !/[\s%"'\\$]/.test(file);
  if (!right)
    refuse(path, `is ${show(file)}, but must be a path from / or ~/ on, without spaces, quotes, % and $`);
  return right;
}

function checkPort(path: string, port: number, refuse: Refuse): boolean {
  const right = Number.isInteger(port) && port >= 1 && port <= 65535;
  if (!right) refuse(path, `is ${show(port)}, but must be a port from 1 to 65535`);
  return right;
}

function checkAddress(path: string, address: string, refuse: Refuse) {
  const parts = address.split(".");
  const right = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  if (!right)
    refuse(path, `is ${show(address)}, but must be an IPv4 address of the host, or 0.0.0.0 for all of them`);
}

const GREATEST = 1_000_000_000;

/** What is not set is right. */
function checkPositive(
  path: string,
  value: number | undefined,
  refuse: Refuse,
  { whole = false, zero = false } = {},
): boolean {
  if (value === undefined) return true;
  // Less than a millisecond is no limit at all to curl; more than the greatest is more than some program takes.
  const least = zero ? 0 : whole ? 1 : 0.001;
  const right =
    Number.isFinite(value) && value >= least && value <= GREATEST && (!whole || Number.isInteger(value));
  if (!right) {
    const kind = whole ? "whole number" : "number";
    refuse(path, `is ${show(value)}, but must be a ${kind} from ${least} to ${GREATEST}`);
  }
  return right;
}

function checkMemory(path: string, mb: number | undefined, least: number, refuse: Refuse) {
  if (checkPositive(path, mb, refuse, { whole: true }) && mb !== undefined && mb < least)
    refuse(path, `is ${mb}, with which it can't even start: at least ${least}`);
}

function checkOneOf(path: string, value: string, allowed: string[], refuse: Refuse) {
  if (!allowed.includes(value))
    refuse(path, `is ${show(value)}, but must be one of ${allowed.map(show).join(", ")}`);
}

const show = (value: unknown) => JSON.stringify(value) ?? "missing";
