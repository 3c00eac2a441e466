import type * as docker from "@pulumi/docker";
import { certificateFolder, type ColorSettings, type Settings } from "./settings";

// What each kind of container may do and take on its host, and how `docker ps` knows that it is well. Which checks of the
// CIS Docker Benchmark that answers, and which it leaves open, is in tests/field/hardening.test.ts.

type Rights = Pick<
  docker.ContainerArgs,
  | "capabilities"
  | "securityOpts"
  | "memory"
  | "memorySwap"
  | "healthcheck"
  | "readOnly"
  | "tmpfs"
  | "cpuShares"
  | "ulimits"
  | "hosts"
  | "dns"
  | "dnsOpts"
  | "dnsSearches"
  | "groupAdds"
  | "entrypoints"
  | "devices"
  | "sysctls"
  | "user"
  | "workingDir"
  | "init"
  | "shmSize"
  | "cpus"
  | "cpuSet"
  | "gpus"
>;

/** Edge and nginx: the master runs as root, its workers as a user of their own. */
export function nginxRights({ proxy, tls }: Pick<Settings, "proxy" | "tls">, role: "edge" | "proxy") {
  const readsFilesOfTheHost = role === "proxy" && certificateFolder(tls) !== undefined;
  return {
    ...only(
      "CAP_CHOWN", // gives its folders for temporary files to the workers' user
      "CAP_KILL", // the entrypoint ends old workers
      "CAP_NET_BIND_SERVICE", // port 80, on an engine that does not open low ports to all
      "CAP_SETGID",
      "CAP_SETUID",
      // A key of the host may belong to any user, and be for that user alone.
      ...(readsFilesOfTheHost ? ["CAP_DAC_OVERRIDE"] : []),
    ),
    ...memoryLimit(proxy.memoryMb),
    // Any nginx answers on its private socket, also one that stands by. Docker does nothing when this fails, but tell.
    healthcheck: check("30s", [
      "CMD",
      ...["curl", "-sf", "-o", "/dev/null", "--max-time", "3"],
      ...["--unix-socket", "/run/bluegreen/control.sock", "http://localhost/config"],
    ]),
  } satisfies Rights;
}

/** Redis: the entrypoint of its image runs as root, to own the data and then to become the user redis without any right. */
export function redisRights({ memoryMb }: Settings["redis"]) {
  return {
    ...only(
      "CAP_CHOWN",
      "CAP_DAC_OVERRIDE", // looks into folders that are the user redis' alone
      "CAP_FOWNER",
      "CAP_SETGID",
      "CAP_SETPCAP", // takes all of these away from the server
      "CAP_SETUID",
    ),
    ...memoryLimit(redisContainerMb(memoryMb)),
    // Without the password it is told so, which is an answer too. One that still loads its data can't serve yet.
    healthcheck: check("30s", ["CMD-SHELL", "redis-cli ping | grep -qE 'PONG|NOAUTH'"]),
  } satisfies Rights;
}

/**
 * While Redis writes its data to disk it may need all of it twice, and some for buffers, scripts and connections. With
 * less, the kernel would kill it in the middle of that, again and again.
 */
const redisContainerMb = (memoryMb: number | undefined) => (memoryMb === undefined ? 0 : 2 * memoryMb + 128);

/** The ACME client: only files of its own, and connections to the outside. */
export function acmeRights() {
  return {
    ...only(),
    ...memoryLimit(256),
    readOnly: true,
    // Not well is a client whose last attempt has failed.
    healthcheck: check("1m0s", ["CMD-SHELL", 'test ! -e "$FOLDER/failed"']),
  } satisfies Rights;
}

/** The colors: what the settings say. */
export function colorRights({ container, memoryMb }: Pick<ColorSettings, "container" | "memoryMb">) {
  const { capabilities, securityOpts, readOnly, tmpfs, cpuShares } = container;
  const { user, workingDir, init, shmSize, cpus, cpuSet, gpus } = container;
  return {
    capabilities: { adds: capabilities.adds.map(inFull), drops: capabilities.drops.map(inFull) },
    securityOpts,
    readOnly,
    tmpfs,
    cpuShares,
    // An empty list is not the same as none to every version of the provider.
    ulimits: some(container.ulimits),
    hosts: some(container.hosts),
    dns: some(container.dns),
    dnsOpts: some(container.dnsOpts),
    dnsSearches: some(container.dnsSearches),
    groupAdds: some(container.groupAdds),
    entrypoints: some(container.entrypoints ?? []),
    devices: some(container.devices.map((one) => ({ containerPath: one.hostPath, ...one }))),
    sysctls: Object.keys(container.sysctls).length > 0 ? container.sysctls : undefined,
    user,
    workingDir,
    init,
    shmSize,
    cpus: cpus === undefined ? undefined : asReadBack(cpus),
    cpuSet,
    gpus,
    memory: memoryMb,
    // Unset, the engine doubles it, and Pulumi sees a change on every run.
    memorySwap: memoryMb,
  } satisfies Rights;
}

/** What an image's own check asks is what the color serves: of a worker it would tell that it is ill. */
export const WITHOUT_CHECK = { healthcheck: check("30s", ["NONE"]) };

const some = <T>(list: T[]) => (list.length > 0 ? list : undefined);

/** As the Docker plugin reads CPUs back, which is a matter of how many zeros it counts: any other form would be a new container in every update. */
function asReadBack(cpus: number): string {
  const text = cpus.toFixed(9);
  return text.split("0").length === 10 ? cpus.toFixed(1) : text.replace(/0+$/, "");
}

/** No capability but these, and none to gain by a program that is started. */
const only = (...adds: string[]) => ({
  capabilities: { adds, drops: ["ALL"] },
  securityOpts: ["no-new-privileges"],
});

/**
 * Past it the kernel kills a process. What the host has of swap may be used before that: a limit for it is ignored by many
 * hosts, which Pulumi would take for a change on every run.
 */
const memoryLimit = (mb: number) => (mb === 0 ? {} : { memory: mb, memorySwap: -1 });

/** Each check is a process, so it is not made often. In the form in which the engine gives the times back. */
function check(interval: string, tests: string[]) {
  return { tests, interval, timeout: "5s", startPeriod: "30s", retries: 3 };
}

/** The engine's own form: in any other, Pulumi would see a change on every run, and replace both colors. */
const inFull = (name: string) => {
  const capital = name.toUpperCase();
  return capital === "ALL" || capital.startsWith("CAP_") ? capital : `CAP_${capital}`;
};
