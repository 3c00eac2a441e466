import type { Fields, Table } from "./fields.ts";
import { labelsField } from "./labels.ts";

/** Saved all the same, as the official plugin does. */
const refused: Fields = {
  cgroupParent: { type: "string", refused: true },
  cgroupnsMode: { type: "string", refused: true },
  cpuPeriod: { type: "int", refused: true },
  cpuQuota: { type: "int", refused: true },
  deviceReadBps: { type: "set", of: {}, refused: true },
  deviceReadIops: { type: "set", of: {}, refused: true },
  deviceRequests: { type: "list", of: {}, refused: true },
  deviceWriteBps: { type: "set", of: {}, refused: true },
  deviceWriteIops: { type: "set", of: {}, refused: true },
  pidMode: { type: "string", refused: true },
  storageOpts: { type: "map", refused: true },
};

/** Which of a container's properties are supported, and what a change of each does. */
export const table: Table = {
  autoName: true,
  deleteBeforeReplace: true,
  fields: {
    ...refused,
    name: { type: "string", replaces: true },
    image: { type: "string", required: true, replaces: true },
    command: { type: "list", replaces: true, computed: true },
    entrypoints: { type: "list", replaces: true, computed: true },
    envs: { type: "set", replaces: true, computed: true },
    labels: { ...labelsField, computed: true },
    hostname: { type: "string", replaces: true, computed: true },
    user: { type: "string", replaces: true, emptyIsUnset: true },
    workingDir: { type: "string", replaces: true, emptyIsUnset: true },
    stopSignal: { type: "string", replaces: true, computed: true },
    stopTimeout: { type: "int", replaces: true, computed: true },
    init: { type: "bool", computed: true },
    readOnly: { type: "bool", replaces: true },
    sysctls: { type: "map", replaces: true },
    shmSize: { type: "int", replaces: true, computed: true },
    groupAdds: { type: "set", replaces: true },
    devices: {
      type: "set",
      of: {
        hostPath: { type: "string", required: true },
        containerPath: { type: "string" },
        permissions: { type: "string", default: "rwm" },
      },
      replaces: true,
    },
    gpus: { type: "string", replaces: true },
    tmpfs: { type: "map" },
    ulimits: {
      type: "set",
      of: {
        name: { type: "string", required: true },
        soft: { type: "int", required: true },
        hard: { type: "int", required: true },
      },
      replaces: true,
    },
    capabilities: {
      type: "object",
      of: { adds: { type: "set" }, drops: { type: "set" } },
      replaces: true,
    },
    securityOpts: { type: "set", replaces: true, computed: true },
    healthcheck: {
      type: "object",
      of: {
        tests: { type: "list" },
        interval: { type: "string", default: "0s", allowed: duration() },
        timeout: { type: "string", default: "0s", allowed: duration() },
        startPeriod: { type: "string", default: "0s", allowed: duration() },
        startInterval: { type: "string", default: "0s", allowed: duration() },
        retries: { type: "int" },
      },
      computed: true,
    },

    networkMode: { type: "string", replaces: true, default: "bridge" },
    networksAdvanced: {
      type: "set",
      of: {
        name: { type: "string", required: true },
        aliases: { type: "set" },
        ipv4Address: { type: "string" },
        ipv6Address: { type: "string", refused: true },
        linkLocalIps: { type: "set", refused: true },
        macAddress: { type: "string", refused: true },
        driverOpts: { type: "set", refused: true },
        gwPriority: { type: "int", refused: true },
      },
      replaces: true,
    },
    ports: {
      type: "list",
      of: {
        internal: { type: "int", required: true },
        external: { type: "int", computed: true },
        ip: { type: "string", default: "0.0.0.0" },
        protocol: { type: "string", default: "tcp" },
      },
      replaces: true,
    },
    dns: { type: "set", replaces: true },
    dnsOpts: { type: "set", replaces: true },
    dnsSearches: { type: "set", replaces: true },
    hosts: {
      type: "set",
      of: { host: { type: "string", required: true }, ip: { type: "string", required: true } },
      replaces: true,
    },

    volumes: {
      type: "set",
      of: {
        volumeName: { type: "string" },
        hostPath: { type: "string", allowed: /^([a-zA-Z]:[\\/]|\/)/ },
        containerPath: { type: "string" },
        readOnly: { type: "bool" },
        fromContainer: { type: "string", refused: true },
        selinuxRelabel: { type: "string", allowed: /^[zZ]$/ },
      },
      replaces: true,
    },
    mounts: {
      type: "set",
      of: {
        type: { type: "string", required: true, allowed: /^(bind|volume|tmpfs)$/ },
        target: { type: "string", required: true },
        source: { type: "string" },
        readOnly: { type: "bool" },
        bindOptions: { type: "object", refused: true },
        tmpfsOptions: { type: "object", refused: true },
        volumeOptions: { type: "object", refused: true },
      },
      // The official plugin updates a changed mount in place, which does nothing.
      replaces: "count",
    },
    uploads: {
      type: "set",
      of: {
        file: { type: "string", required: true },
        content: { type: "string" },
        contentBase64: { type: "string", allowed: /^[A-Za-z0-9+/]*={0,2}$/ },
        source: { type: "string" },
        sourceHash: { type: "string" },
        executable: { type: "bool", default: false },
        permissions: { type: "string", allowed: /^0[0-7]{3}$/ },
      },
      replaces: true,
    },

    restart: { type: "string", default: "no", allowed: /^(no|on-failure|always|unless-stopped)$/ },
    maxRetryCount: { type: "int" },
    memory: { type: "int" },
    memorySwap: { type: "int" },
    cpuShares: { type: "int" },
    cpuSet: { type: "string", allowed: /^\d+([,-]\d+)*$/ },
    cpus: { type: "string", replaces: true },
    logDriver: { type: "string", replaces: true, computed: true },
    logOpts: { type: "map", replaces: true },

    start: { type: "bool", default: true },
    mustRun: { type: "bool", default: true },
    wait: { type: "bool" },
    waitTimeout: { type: "int", default: 60 },
    rm: { type: "bool" },
    removeVolumes: { type: "bool", default: true },
    destroyGraceSeconds: { type: "int" },
    containerReadRefreshTimeoutMilliseconds: { type: "int", default: 15000 },
  },
};

/** What Docker alone knows. */
export const outputs = [
  "bridge",
  "containerLogs",
  "exitCode",
  "ipcMode",
  "networkDatas",
  "platform",
  "runtime",
];

function duration(): RegExp {
  return /^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/;
}
