import assert from "node:assert/strict";
import { docker } from "./docker";
import type { Role } from "./stack";

// The checks of section 5 of the CIS Docker Benchmark (1.6.0), "Container Runtime", on containers that run.

/** What of `docker inspect` the checks look at. */
export interface Container {
  AppArmorProfile: string;
  Config: { Healthcheck?: { Test: string[] } | null };
  State: { Health?: { Status: string } };
  HostConfig: {
    CapAdd: string[] | null;
    CapDrop: string[] | null;
    SecurityOpt: string[] | null;
    PortBindings: { [port: string]: { HostIp: string }[] } | null;
    Devices: unknown[] | null;
    Ulimits: { Name: string }[] | null;
    Privileged: boolean;
    ReadonlyRootfs: boolean;
    Memory: number;
    CpuShares: number;
    NetworkMode: string;
    PidMode: string;
    IpcMode: string;
    UTSMode: string;
    UsernsMode: string;
    CgroupParent: string;
  };
  Mounts: { Type: string; Source: string; Propagation: string }[];
  NetworkSettings: { Networks: { [name: string]: unknown } };
  Processes: string;
}

export async function inspectAll(container: string): Promise<Container> {
  const [found] = JSON.parse(await docker("container", "inspect", container)) as Container[];
  return { ...found, Processes: await docker("top", container, "-eo", "pid,comm") };
}

/**
 * A check that holds: what it wants of a container, and which containers it is left open for, and why. Or what no script may
 * call `docker exec` with. Or why it is not for us to hold.
 */
export type Check = { title: string } & (
  | { holds: (container: Container, role: Role) => void; left?: { [role in Role]?: string } }
  | { notInScripts: RegExp }
  | { because: string }
);

/** How docs/hardening.md sums it up. */
export function held(check: Check): "yes" | "in part" | "left" {
  if ("because" in check) return "left";
  return "left" in check ? "in part" : "yes";
}

const COLORS = { blue: true, green: true, worker: true } as { [role: string]: boolean | undefined };
const THE_IMAGES = "what is in the image is the user's";
const optionsOf = ({ HostConfig }: Container) => HostConfig.SecurityOpt ?? [];
const bindings = ({ HostConfig }: Container) => HostConfig.PortBindings ?? {};
const notTheHosts = (mode: string) => assert.notEqual(mode, "host");
const colorsBy = (setting: string) => ({ blue: `by ${setting}`, green: `by ${setting}` });

/** What each needs of root's capabilities. */
const CAPABILITIES: { [role in Role]: string[] } = {
  edge: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"],
  proxy: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"],
  redis: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"],
  acme: [],
  blue: [],
  green: [],
  worker: [],
};
/** What colors lack by default; the others lack all that they don't need. */
const DROPPED = ["CAP_MKNOD", "CAP_NET_RAW"];

export const CHECKS: { [number: string]: Check } = {
  "5.1": { title: "swarm mode is not enabled, if not needed", because: "a matter of the host" },
  "5.2": {
    title: "an AppArmor profile is enabled, if applicable",
    // A host without AppArmor has no profile; the engine's own applies where there is one.
    holds: (container) => assert.notEqual(container.AppArmorProfile, "unconfined"),
  },
  "5.3": {
    title: "SELinux options are set, if applicable",
    holds: (container) => assert.ok(!optionsOf(container).some((option) => /^label[=:]disable/.test(option))),
  },
  "5.4": {
    title: "capabilities are restricted",
    holds: ({ HostConfig: { CapAdd, CapDrop } }, role) => {
      assert.deepEqual(CapAdd ?? [], CAPABILITIES[role]);
      assert.deepEqual(CapDrop, COLORS[role] ? DROPPED : ["ALL"]);
    },
  },
  "5.5": {
    title: "no container is privileged",
    holds: ({ HostConfig }) => assert.equal(HostConfig.Privileged, false),
  },
  "5.6": {
    title: "no sensitive folder of the host is mounted",
    // A color's `volumes` and the folder of a certificate are the user's, and the latter is read-only.
    holds: ({ Mounts }) =>
      assert.deepEqual(
        Mounts.filter(({ Type }) => Type === "bind"),
        [],
      ),
  },
  "5.7": { title: "no sshd runs", holds: ({ Processes }) => assert.doesNotMatch(Processes, /sshd/) },
  "5.8": {
    title: "privileged ports are not mapped",
    because:
      "80 and 443 are where users are; proxy.port and tls.port are settings, and only the edge has ports (5.9)",
  },
  "5.9": {
    title: "only needed ports are open",
    holds: (container, role) => {
      const open = Object.keys(bindings(container)).map((port) => parseInt(port));
      // For IPv6, where the host has it, there is another one for each.
      const forIpv4 = open.filter((port) => !open.includes(port - 6000)).sort((one, other) => one - other);
      assert.deepEqual(forIpv4, role === "edge" ? [80, 8081] : []);
    },
  },
  "5.10": {
    title: "the host's network namespace is not shared",
    holds: ({ HostConfig }) => notTheHosts(HostConfig.NetworkMode),
  },
  "5.11": {
    title: "memory is limited",
    holds: ({ HostConfig }) => assert.ok(HostConfig.Memory > 0, "no limit"),
    left: { redis: "by redis.memoryMb: only the user knows how much data there is", ...colorsBy("memoryMb") },
  },
  "5.12": {
    title: "CPU priority is set",
    because: "all have equal shares; container.cpuShares gives the colors less than nginx and Redis",
  },
  "5.13": {
    title: "the root file system is read-only",
    holds: ({ HostConfig }) => assert.equal(HostConfig.ReadonlyRootfs, true),
    left: {
      edge: "scripts and configuration are uploaded to it, which Docker refuses for a read-only one",
      proxy: "as the edge",
      redis: "its configuration, with the password, is uploaded to it",
      ...colorsBy("container.readOnly: many images write to it"),
    },
  },
  "5.14": {
    title: "incoming traffic is bound to an interface",
    // The live port is for everybody unless proxy.bindAddress says otherwise.
    holds: (container, role) => {
      if (role !== "edge") return;
      const { "8081/tcp": preview, "14081/tcp": byIpv6 = [] } = bindings(container);
      for (const { HostIp } of [...preview, ...byIpv6])
        assert.ok(["127.0.0.1", "::1"].includes(HostIp), HostIp);
    },
  },
  "5.15": {
    title: "a container is restarted on failure five times at most",
    because: "what serves has to come back, also the sixth time; `restart` of the colors is a setting",
  },
  "5.16": {
    title: "the host's processes are not shared",
    holds: ({ HostConfig }) => notTheHosts(HostConfig.PidMode),
  },
  "5.17": {
    title: "the host's IPC is not shared",
    holds: ({ HostConfig }) => notTheHosts(HostConfig.IpcMode),
  },
  "5.18": {
    title: "no device of the host is there",
    holds: ({ HostConfig }) => assert.deepEqual(HostConfig.Devices ?? [], []),
  },
  "5.19": {
    title: "ulimits are set where needed",
    holds: ({ HostConfig }) =>
      assert.ok(
        HostConfig.Ulimits?.some(({ Name }) => Name === "nofile"),
        "no limit",
      ),
    left: {
      redis: "the engine's are enough",
      acme: "the engine's are enough",
      ...colorsBy("container.ulimits"),
    },
  },
  "5.20": {
    title: "no mount is propagated to the host",
    holds: ({ Mounts }) => {
      for (const { Propagation } of Mounts) assert.doesNotMatch(Propagation, /^r?shared$/);
    },
  },
  "5.21": {
    title: "the host's UTS namespace is not shared",
    holds: ({ HostConfig }) => notTheHosts(HostConfig.UTSMode),
  },
  "5.22": {
    title: "the default seccomp profile is not disabled",
    holds: (container) =>
      assert.ok(!optionsOf(container).some((option) => /^seccomp[=:]unconfined/.test(option))),
  },
  "5.23": {
    title: "docker exec is not used with --privileged",
    notInScripts: /--privileged/,
  },
  "5.24": {
    title: "docker exec is not used with --user root",
    notInScripts: /--user|-u /,
  },
  "5.25": {
    title: "the default cgroup is used",
    holds: ({ HostConfig }) => assert.equal(HostConfig.CgroupParent, ""),
  },
  "5.26": {
    title: "no process gains privileges",
    holds: (container) => assert.ok(optionsOf(container).includes("no-new-privileges")),
  },
  "5.27": {
    title: "health is checked",
    holds: ({ Config }) => assert.ok((Config.Healthcheck?.Test ?? []).length > 0, "no health check"),
    left: {
      blue: `by the image's HEALTHCHECK: ${THE_IMAGES}. The gate asks in its own way`,
      green: "as blue",
    },
  },
  "5.28": {
    title: "images are of the latest version",
    because: "an image is what its setting names: a tag that moves can't be rolled back",
  },
  "5.29": {
    title: "the number of processes is limited",
    because: "Pulumi's Docker provider can't set a limit",
  },
  "5.30": {
    title: "Docker's default bridge is not used",
    holds: ({ NetworkSettings }) => assert.ok(!("bridge" in NetworkSettings.Networks)),
  },
  "5.31": {
    title: "the host's user namespace is not shared",
    holds: ({ HostConfig }) => notTheHosts(HostConfig.UsernsMode),
  },
  "5.32": {
    title: "Docker's socket is in no container",
    holds: ({ Mounts }) => {
      for (const { Source } of Mounts) assert.doesNotMatch(Source, /docker\.sock/);
    },
  },
};

/** Every check that is for this role. */
export async function expectHardened(role: Role, container: string): Promise<void> {
  const found = await inspectAll(container);
  for (const [number, check] of Object.entries(CHECKS)) {
    if (!("holds" in check) || check.left?.[role] !== undefined) continue;
    try {
      check.holds(found, role);
    } catch (error) {
      throw new Error(`${number} ${check.title}: ${role}: ${(error as Error).message}`, { cause: error });
    }
  }
}
