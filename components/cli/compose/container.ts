import { isTree, type Tree } from "./file";
import type { Findings } from "./findings";
import type { Place } from "./problem";
import { isNothing, OFF } from "./rows";
import { asText, flag, integer, mebibytes, pairs, texts } from "./values";

// What a container has in both, by nearly the same name. What can't be read goes on as it stands: the component's own reader refuses it
// and says why.

type Take = (findings: Findings, value: unknown, from: Place) => void;

/** `none`: what is as if it were not there. */
const one =
  (setting: string, read: (value: unknown) => unknown = asText, none?: unknown): Take =>
  (findings, value, from) => {
    const found = read(value) ?? value;
    if (found === none) findings.holds(from, OFF);
    else findings.set(["container", setting], found, from);
  };

const each =
  (setting: string, read: (item: unknown) => unknown = asText): Take =>
  (findings, value, from) => {
    const items: unknown[] = Array.isArray(value) ? value : [value];
    for (const [i, item] of items.entries())
      findings.set(["container", setting, i], read(item) ?? item, Array.isArray(value) ? [...from, i] : from);
  };

const number = (value: unknown) => (Number.isFinite(Number(value)) ? Number(value) : undefined);

/** "/dev/ttyUSB0:/dev/modem:rw", or the same in its parts. */
function deviceOf(item: unknown) {
  const [hostPath, containerPath, permissions] = isTree(item)
    ? [item.source, item.target, item.permissions]
    : asText(item).split(":");
  return {
    hostPath,
    ...(containerPath !== undefined && { containerPath }),
    ...(permissions !== undefined && { permissions }),
  };
}

/** "db.example:10.0.0.7" with a colon or an equals sign, or a map of a name to addresses. */
const extraHosts: Take = (findings, value, from) => {
  const entries = isTree(value)
    ? Object.entries(value).flatMap(([host, all]) => texts(all).map((ip) => ({ host, ip, at: host })))
    : texts(value).map((text, at) => {
        const [, host = text, ip = ""] = /^([^:=]+)[:=](.*)$/.exec(text) ?? [];
        return { host, ip, at };
      });
  for (const [i, { host, ip, at }] of entries.entries())
    findings.set(["container", "hosts", i], { host, ip: ip.replace(/^\[(.*)\]$/, "$1") }, [...from, at]);
};

/** "all", or a list of what is wanted, of which Docker's own option takes one. */
const gpus: Take = (findings, value, from) => {
  const [wanted, ...more] = Array.isArray(value) ? (value as unknown[]) : [value];
  const { count = "all", device_ids, capabilities = ["gpu"] } = isTree(wanted) ? wanted : ({} as Tree);
  const ids = texts(device_ids);
  if (more.length > 0 || ids.length > 1 || !texts(capabilities).includes("gpu"))
    findings.leave(from, "are several devices, or no GPUs", "set container.gpus or container.devices.");
  else
    findings.set(
      ["container", "gpus"],
      ids.length === 1 ? `device=${ids[0]}` : asText(count) === "-1" ? "all" : asText(count),
      from,
    );
};

const replicas: Take = (findings, value, from) => {
  const count = integer(value) ?? value;
  if (count === 1) return findings.holds(from, OFF);
  findings.set(["replicas"], count, from);
  findings.remark(
    from,
    "each color has as many, and both colors run. With idle: stopped, the idle one runs during an update only",
  );
};

const TAKEN: { [key: string]: Take } = {
  cpus: one("cpus", number, 0),
  cpu_shares: one("cpuShares", integer, 0),
  cpuset: one("cpuSet"),
  devices: each("devices", deviceOf),
  dns: each("dns"),
  dns_opt: each("dnsOpts"),
  dns_search: each("dnsSearches"),
  extra_hosts: extraHosts,
  gpus,
  group_add: each("groupAdds"),
  init: one("init", flag, false),
  read_only: one("readOnly", flag, false),
  scale: replicas,
  shm_size: one("shmSize", mebibytes),
  sysctls: (findings, value, from) => {
    for (const { name, value: text, at } of pairs(value))
      findings.set(["container", "sysctls", name], text ?? "", [...from, at]);
  },
  user: one("user"),
  working_dir: one("workingDir"),
};

/** Sets what the component has of a key, wherever that stands; false where it has none. */
export function take(findings: Findings, key: string, value: unknown, from: Place = [key]): boolean {
  if (!Object.hasOwn(TAKEN, key)) return false;
  if (!isNothing(value)) TAKEN[key](findings, value, from);
  // Such as a name of extra_hosts without an address.
  if (!findings.keys.has(String(from[0]))) findings.holds(from, "is empty");
  return true;
}
