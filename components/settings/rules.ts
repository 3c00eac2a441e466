import type * as pulumi from "@pulumi/pulumi";
import { posix } from "node:path";
import { claimsOf } from "../nginx/claims";
import { namesDirective } from "../nginx/piece";
import { hostOf } from "../host/registry";
import { keyProblem, knownHostKey } from "../host/ssh";
import type { BastionArgs } from "./args";
import { COLORS } from "./color";
import { certificateFolder, hasTls, isRedirected, isRemote, ownVariables } from "./derived";
import { show } from "./kinds";
import type { ColorSettings, Container, Given, Settings } from "./read";
import { settingsOf } from "./schema";
import { pathOf, type Violation } from "./violations";

// What is right by itself can be wrong beside another setting. What is not right by itself has its default here, and is nothing
// where it has none, or is an element of a list.

export interface Rule {
  /** Where that would mislead: the rule is asked only when all of these are right by themselves. */
  about: string[];
  check: (settings: Settings, given: Given) => Violation[];
}
type Check = (settings: Settings, given: Given) => Iterable<[propertyPath: string, reason: string]>;

const rule = (about: string[], check: Check): Rule => ({
  about,
  check: (settings, given) =>
    [...check(settings, given)].map(([propertyPath, reason]) => ({ propertyPath, reason })),
});

const or = new Intl.ListFormat("en", { type: "disjunction" });

type InContainer = [way: [keyof Container, ...PropertyKey[]], reason: string];
/** A rule over what the container of each color has, with the path of where that is set: for the one color or for both. */
function inContainers(check: (container: Container, settings: Settings) => Iterable<InContainer>): Rule {
  return rule([], function* (settings, given) {
    const found = COLORS.flatMap((color) =>
      [...check(settings.colors[color].container, settings)].map(([way, reason]) => {
        const isOwn = given[color].container?.[way[0]] !== undefined;
        return [pathOf([...(isOwn ? [color] : []), "container", ...way]), reason] as const;
      }),
    );
    yield* new Map(found);
  });
}

/** The same of what each color has of a setting that both may have, or one. */
function inColors(
  name: "replicas" | "envFile" | "files" | "workers",
  check: (color: ColorSettings, settings: Settings) => Iterable<[way: PropertyKey[], reason: string]>,
): Rule {
  return rule([name, ...COLORS.map((color) => `${color}.${name}`)], function* (settings) {
    const found = COLORS.flatMap((color) => {
      const { [color]: one } = settings.colors;
      const place = one.own.includes(name) ? [color, name] : [name];
      return [...check(one, settings)].map(([way, reason]) => [pathOf([...place, ...way]), reason] as const);
    });
    yield* new Map(found);
  });
}

const GATE = ["intervalSeconds", "timeoutSeconds", "gateTimeoutSeconds", "passes"].map(
  (key) => `health.${key}`,
);
/** What is asked by each kind of gate alone. */
const OF_KIND: { [K in Settings["health"]["kind"]]: (keyof Settings["health"])[] } = {
  http: ["path", "port", "headers", "status", "bodyText", "jsonField", "jsonValue"],
  tcp: ["port"],
  command: ["command"],
  image: [],
};
const isSet = (value: unknown) =>
  value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);
const SERVER = ["hostKey", "knownHostsFile", "privateKey", "privateKeyFile"];

const SOURCES = [
  ["certificate", "privateKey"],
  ["certificateFile", "privateKeyFile"],
  ["acmeEmail"],
] as const;

export const RULES: Rule[] = [
  ...["blue.image", "green.image", "redis.image", "proxy.image", "proxy.edgeImage", "tls.acmeImage"].map(
    (path) =>
      rule(["allowMovingTags"], function* (settings) {
        const image = imageAt(settings, path);
        if (settings.allowMovingTags || typeof image !== "string" || image.includes("@")) return;
        const tag = /:([\w.-]+)$/.exec(image)?.[1];
        if (tag !== undefined && tag !== "latest") return;
        const what = tag === undefined ? "has no tag" : 'has the tag "latest"';
        yield [
          path,
          `is ${show(image)}, which ${what}: a tag that moves can't be rolled back. Name a version, or set allowMovingTags`,
        ];
      }),
  ),

  rule(["strategy", "idle"], function* ({ strategy, idle, restart }) {
    if (idle !== "stopped") return;
    const because = strategy === "recreate" ? 'strategy is "recreate"' : 'idle is "stopped"';
    // When Docker itself starts, what was stopped by hand with an exit code other than 0 is a failure to it.
    if (restart === "always" || (strategy === "recreate" && restart === "on-failure"))
      yield [
        "restart",
        `is ${show(restart)}, with which Docker starts the idle color again although ${because}. Use "unless-stopped"`,
      ];
  }),
  rule(["strategy"], function* ({ strategy, watch }, given) {
    if (strategy !== "recreate") return;
    if (watch.seconds > 0)
      yield [
        "watch.seconds",
        `is ${watch.seconds}, but with strategy "recreate" nothing is left to flip back to: what was live is stopped. Leave it out; to go back, make the former color live`,
      ];
    if (given.idle === "running")
      yield ["idle", 'is "running", but with strategy "recreate" only the live color runs. Leave it out'];
  }),
  inColors("replicas", function* ({ replicas }, { strategy }) {
    if (strategy === "recreate" && replicas > 1)
      yield [
        [],
        `is ${replicas}, but strategy "recreate" is for a service that there may be only one of. Leave one of them out`,
      ];
  }),

  rule(["redis.enabled"], function* (settings) {
    const own = ownVariables(settings);
    const places = {
      env: settings.env,
      "blue.env": settings.colors.blue.env,
      "green.env": settings.colors.green.env,
    };
    for (const [place, env] of Object.entries(places))
      for (const name of Object.keys(env).filter((name) => own.includes(name)))
        yield [
          `${place}.${name}`,
          `is set by the component itself, as are ${own.filter((other) => other !== name).join(", ")}`,
        ];
  }),

  inColors("workers", function* ({ workers }, settings) {
    for (const [worker, { env }] of Object.entries(workers))
      for (const name of Object.keys(env).filter((name) => ownVariables(settings).includes(name)))
        yield [[worker, "env", name], "is set by the component itself, as the color has it"];
  }),
  inColors("envFile", function* ({ envFile, fromFile: { variables, problem } }, settings) {
    if (problem !== undefined)
      yield [[], `is ${show(envFile)}, which can't be read on the machine that runs Pulumi: ${problem}`];
    for (const name of Object.keys(variables)) {
      if (!/^[A-Za-z_]\w*$/.test(name))
        yield [[], `has ${show(name)}, but names must be of letters, digits and _ only, no digit first`];
      if (ownVariables(settings).includes(name))
        yield [[], `has ${name}, which is set by the component itself`];
    }
  }),
  inColors("files", function* ({ files, container }, { volumes }) {
    if (container.readOnly && files.length > 0)
      yield [
        [],
        "can't be with container.readOnly: Docker puts no file into a root that is read-only. Mount a file of the host: volumes",
      ];
    for (const [i, { path }] of files.entries()) {
      const isIn = (folder: string) => path === folder || path.startsWith(folder.replace(/\/?$/, "/"));
      if (files.slice(0, i).some((other) => other.path === path))
        yield [[i, "path"], `is ${show(path)}, which is there twice`];
      if (path.endsWith("/")) yield [[i, "path"], `is ${show(path)}, which is a folder`];
      if (Object.keys(container.tmpfs).some(isIn))
        yield [[i, "path"], `is ${show(path)}, which container.tmpfs hides when the container starts`];
      if (volumes.some(({ containerPath }) => isIn(containerPath)))
        yield [
          [i, "path"],
          `is ${show(path)}, which is in one of the volumes: the other color would get it too`,
        ];
    }
  }),

  rule([], function* ({ volumes }) {
    for (const [i, { hostPath, volumeName }] of volumes.entries())
      if ((hostPath === undefined) === (volumeName === undefined))
        yield [`volumes[${i}]`, "needs either hostPath or volumeName"];
  }),
  inContainers(function* ({ tmpfs }, { volumes }) {
    for (const folder of Object.keys(tmpfs))
      if (volumes.some(({ containerPath }) => containerPath === folder))
        yield [
          ["tmpfs", folder],
          "is the containerPath of one of the volumes too: only one of both can be there",
        ];
  }),
  inContainers(function* ({ ulimits }) {
    for (const [i, { name, soft, hard }] of ulimits.entries()) {
      if (ulimits.slice(0, i).some((other) => other.name === name))
        yield [["ulimits", i, "name"], `is ${show(name)}, which is there twice`];
      if (hard !== -1 && (soft === -1 || soft > hard))
        yield [["ulimits", i, "soft"], `is ${soft}, which is more than hard, ${hard}`];
    }
  }),
  inContainers(function* ({ networks }, { network }) {
    for (const [i, name] of networks.entries()) {
      if (networks.indexOf(name) < i) yield [["networks", i], `is ${show(name)}, which is there twice`];
      if (name === network.name)
        yield [["networks", i], `is ${show(name)}, as is network.name: the colors are on it anyway`];
      if (["host", "none", "bridge"].includes(name))
        yield [
          ["networks", i],
          `is ${show(name)}, which is no network beside others: nginx could not reach the color. Name one that was made`,
        ];
    }
  }),
  inContainers(function* ({ logDriver, logOpts }) {
    if (logDriver === undefined && Object.keys(logOpts).length > 0)
      yield [
        ["logOpts"],
        "is for a container.logDriver. Without one, the log is json-file's, and logs says how it is rotated",
      ];
  }),

  rule(GATE, function* ({ health }) {
    const { intervalSeconds, timeoutSeconds, gateTimeoutSeconds, passes } = health;
    const shortest = Math.max(timeoutSeconds, (passes - 1) * intervalSeconds);
    if (gateTimeoutSeconds < shortest)
      yield [
        "health.gateTimeoutSeconds",
        `is ${gateTimeoutSeconds}, which is shorter than one probe (timeoutSeconds ${timeoutSeconds}) ` +
          `or than ${passes} passes every ${intervalSeconds} s: at least ${Math.ceil(shortest)}`,
      ];
  }),
  rule(["health.jsonField", "health.jsonValue"], function* ({ health }) {
    if ((health.jsonField === undefined) === (health.jsonValue === undefined)) return;
    const missing = health.jsonField === undefined ? "jsonField" : "jsonValue";
    yield [`health.${missing}`, "is missing: jsonField and jsonValue go together"];
  }),

  rule(["health.kind", "health.command"], function* ({ health }, given) {
    const { kind, command } = health;
    for (const name of new Set(Object.values(OF_KIND).flat())) {
      const kinds = Object.entries(OF_KIND).filter(([, names]) => names.includes(name));
      if (isSet(given.health?.[name]) && !kinds.some(([one]) => one === kind))
        yield [
          `health.${name}`,
          `is for the kind ${or.format(kinds.map(([one]) => show(one)))}, and health.kind is ${show(kind)}`,
        ];
    }
    if (kind === "command" && (command === undefined || command[0] === ""))
      yield ["health.command", 'is missing: must be a list, such as ["pg_isready", "-q"]'];
  }),

  // Who names something of a Redis means to have one.
  rule(["redis.enabled"], function* (_, { redis = {} }) {
    if (redis.enabled !== undefined) return;
    for (const setting of Object.keys(redis))
      yield [
        `redis.${setting}`,
        "is of no use without a Redis: set redis.enabled to true, or to false for now",
      ];
  }),

  rule(["proxy.rateLimit.requestsPerSecond"], function* ({ proxy: { rateLimit } }, { proxy }) {
    if (rateLimit.requestsPerSecond === 0 && proxy?.rateLimit?.burst !== undefined)
      yield ["proxy.rateLimit.requestsPerSecond", "is missing: burst is what may come beyond it"];
  }),
  rule(["strategy", "idle", "path", "proxy.sharedAssets"], function* (settings) {
    const { strategy, idle, path } = settings;
    const { sharedAssets } = settings.proxy;
    if (sharedAssets.length > 0 && idle === "stopped")
      yield [
        "proxy.sharedAssets",
        `are asked for at the idle color, which does not run with ${strategy === "recreate" ? 'strategy "recreate"' : 'idle "stopped"'}: set one of them only`,
      ];
    for (const [i, asset] of sharedAssets.entries())
      if (path !== "/" && asset !== path && !asset.startsWith(`${path}/`))
        yield [`proxy.sharedAssets[${i}]`, `is ${show(asset)}, which is not below path, ${path}`];
  }),
  rule(["stripPath", "proxy.protocol"], function* ({ stripPath, proxy: { protocol } }) {
    if (stripPath && protocol === "grpc")
      yield ["stripPath", "can't be had with proxy.protocol \"grpc\": a method's path is its name"];
  }),
  rule(["proxy.nginxConfig", "proxy.protocol"], function* ({ proxy: { nginxConfig, protocol } }) {
    if (protocol === "grpc" && namesDirective(nginxConfig, /^proxy_/))
      yield ["proxy.nginxConfig", 'has a directive proxy_…, which means nothing with proxy.protocol "grpc"'];
  }),
  rule(["ingress"], function* ({ ingress }, given) {
    if (ingress === undefined) return;
    for (const path of settingsOf(["ingress"], given))
      yield [path, "is the ingress's: with 'ingress', set it where that is made"];
  }),
  rule(["hosts", "redirects", "ports", "tls.names"], function* ({ hosts, redirects, ports, tls }) {
    if (!hasTls(tls)) return;
    for (const [propertyPath, host] of [
      ...hosts.map((host, i) => [`hosts[${i}]`, host]),
      ...Object.keys(redirects).map((host) => [pathOf(["redirects", host]), host]),
      ...ports.flatMap((port, i) => port.hosts.map((host, j) => [`ports[${i}].hosts[${j}]`, host])),
    ]) {
      const isCovered = host.startsWith("*.")
        ? tls.names.some((name) => name.endsWith(host.slice(1)))
        : tls.names.includes(host);
      if (!isCovered)
        yield [propertyPath, `is ${show(host)}, which the certificate is not for: it is not among tls.names`];
    }
  }),
  rule(["hosts"], function* ({ hosts }) {
    for (const [i, host] of hosts.entries())
      if (hosts.indexOf(host) < i) yield [`hosts[${i}]`, `is ${show(host)}, which is there twice`];
  }),
  rule(["hosts", "redirects"], function* (settings) {
    for (const [name, to] of Object.entries(settings.redirects)) {
      const propertyPath = pathOf(["redirects", name]);
      if (settings.hosts.includes(name)) yield [propertyPath, "is one of hosts, too"];
      else if (isRedirected(new URL(to).hostname, settings))
        yield [propertyPath, `leads to ${to}, which is redirected itself: users would not arrive`];
    }
  }),
  rule(["containerPort", ...COLORS, "hosts", "path", "ports", "redirects"], function* (settings) {
    const numbers = settings.ports.map(({ containerPort }) => containerPort);
    const first = COLORS.map((color) => settings.colors[color].containerPort);
    for (const [i, number] of numbers.entries())
      if (first.includes(number) || numbers.indexOf(number) < i)
        yield [`ports[${i}].containerPort`, `is ${number}, which is there twice`];
    const claims = claimsOf(settings);
    for (const [i, { setting, host, path, port }] of claims.entries())
      if (
        port !== undefined &&
        claims.slice(0, i).some((other) => other.host === host && other.path === path)
      )
        yield [setting, `is where another port of the service is: give it hosts or a path of its own`];
  }),
  rule(["path", "stripPath"], function* ({ path, stripPath }) {
    if (stripPath && path === "/") yield ["stripPath", 'is for a path other than "/" only'];
  }),

  rule(["proxy.port", "proxy.previewPort"], function* ({ proxy }) {
    if (proxy.port === proxy.previewPort)
      yield ["proxy.previewPort", `is ${proxy.port}, as is proxy.port: each port can be used once`];
  }),

  rule(["tls.names", "tls.port", "proxy.port", "proxy.previewPort"], function* ({ tls, proxy }) {
    if (tls.names.length > 0 && [proxy.port, proxy.previewPort].includes(tls.port))
      yield ["tls.port", `is ${tls.port}, as is one of the proxy's ports: each port can be used once`];
  }),
  rule(
    ["names", ...SOURCES.flat()].map((key) => `tls.${key}`),
    function* ({ tls }) {
      const given = SOURCES.filter((keys) => keys.some((key) => tls[key] !== undefined));
      if (tls.names.length === 0) {
        if (given.length > 0) yield ["tls.names", "is missing: without names there is no TLS"];
        return;
      }
      if (given.length !== 1) {
        const found = given.length === 0 ? "none of them is there" : "there is more than one";
        yield [
          "tls",
          `needs certificate and privateKey, or certificateFile and privateKeyFile, or acmeEmail; ${found}`,
        ];
      }
      for (const key of given.flat()) if (tls[key] === undefined) yield [`tls.${key}`, "is missing"];
    },
  ),
  rule(["tls.certificateFolder", "tls.certificateFile", "tls.privateKeyFile"], function* ({ tls }) {
    const folder = certificateFolder(tls);
    if (folder === undefined || tls.certificateFile === undefined) return;
    for (const key of ["certificateFile", "privateKeyFile"] as const)
      if (posix.relative(folder, tls[key] ?? folder).startsWith(".."))
        yield [`tls.${key}`, `is ${show(tls[key])}, which is not in ${folder}: set tls.certificateFolder`];
  }),

  rule([], function* ({ registries }) {
    for (const [i, { address }] of registries.entries())
      if (registries.slice(0, i).some((other) => hostOf(other.address) === hostOf(address)))
        yield [`registries[${i}].address`, `is ${show(address)}, which is there twice`];
  }),

  rule([], function* ({ sendImages, pinImages }) {
    if (sendImages && pinImages)
      yield ["sendImages", "is true, as is pinImages: a registry's digest is not for an image that is sent"];
  }),

  rule(
    ["host.address", ...SERVER.flatMap((key) => [`host.${key}`, `host.bastion.${key}`])],
    function* ({ host }) {
      if (isRemote(host)) {
        yield* checkServer("host", host);
        if (host.bastion !== undefined) yield* checkServer("host.bastion", host.bastion);
        return;
      }
      for (const key of ["hostKey", "knownHostsFile", "privateKeyFile", "privateKey", "bastion"] as const)
        if (host[key] !== undefined) yield [`host.${key}`, "is for an ssh:// address only"];
    },
  ),
];

function* checkServer(path: string, server: BastionArgs): Iterable<[string, string]> {
  const { address, hostKey, knownHostsFile, privateKey, privateKeyFile } = server;
  if (hostKey === undefined && knownHostsFile === undefined)
    yield [
      `${path}.hostKey`,
      "is missing: it or knownHostsFile tells which server is the right one. An unknown one could be anyone",
    ];
  if (hostKey !== undefined && knownHostsFile !== undefined)
    yield [`${path}.knownHostsFile`, "and hostKey are both set: give one of them"];
  else if (knownHostsFile !== undefined && !knownHostKey(server))
    yield [
      `${path}.knownHostsFile`,
      `is ${show(knownHostsFile)}, which can't be read or has no ed25519 or ecdsa key of ${address}`,
    ];
  if (privateKey !== undefined && privateKeyFile !== undefined)
    yield [`${path}.privateKey`, "and privateKeyFile are both set: give one of them"];
  if (typeof privateKey === "string")
    yield [
      `${path}.privateKey`,
      "is plain text, which the state would show: make it a secret, pulumi.secret(…)",
    ];
  const problem = privateKeyFile === undefined ? undefined : keyProblem(privateKeyFile);
  if (problem !== undefined)
    yield [
      `${path}.privateKeyFile`,
      `can't be used: ${problem} (a key with a passphrase belongs in an SSH agent; without privateKeyFile, the agent is asked)`,
    ];
}

function imageAt({ colors, ...rest }: Settings, path: string): pulumi.Input<string> {
  const [group, name] = path.split(".");
  return ({ ...colors, ...rest } as unknown as { [group: string]: { [name: string]: pulumi.Input<string> } })[
    group
  ][name];
}

/** Those of a service alone: an Ingress has a folder for the files that services name. */
export const OF_SERVICES: Rule[] = [
  rule(["tls.certificateFolder", "tls.certificateFile"], function* ({ tls }) {
    if (tls.certificateFolder !== undefined && tls.certificateFile === undefined)
      yield ["tls.certificateFolder", "is for a certificateFile only"];
  }),
];
