import * as pulumi from "@pulumi/pulumi";
import { collide } from "./host/facts";
import { publishedPorts } from "./ingress/ports";
import { ADDRESSES, claimsOf } from "./nginx/claims";
import type { IngressSettings, Settings, Violation } from "./settings";

/** A service, or an ingress that services share. */
interface Component {
  name: string;
  settings: IngressSettings & Partial<Pick<Settings, "ingress" | "hosts" | "redirects" | "path" | "ports">>;
}

/** The components of each run of a program: a process may run several, as tests and Pulumi's Automation API do. */
const components = new Map<unknown, Component[]>();

/**
 * Two components of one program that can't both be on their host, since they have one name, one port or one address. Pulumi would make all of
 * both, and then one edge would fail. The given function tells what is in conflict with this one by now.
 */
export function registerService(name: string, settings: Component["settings"]): () => Violation[] {
  const own = { name, settings };
  const run = runOfProgram();
  const all = components.get(run) ?? [];
  components.set(run, all);
  all.push(own);
  return () => all.filter((other) => other !== own).flatMap((other) => conflicts(own, other));
}

function conflicts(service: Component, other: Component): Violation[] {
  if (service.settings.host.address !== other.settings.host.address) return [];
  if (service.name === other.name) {
    return [{ propertyPath: "name", reason: `two services of this program are called ${other.name}` }];
  }
  return [...samePorts(service, other), ...sameAddresses(service, other)];
}

const portsOf = ({ settings }: Component) =>
  settings.ingress === undefined ? publishedPorts(settings, false) : [];

function samePorts(service: Component, other: Component): Violation[] {
  return portsOf(service).flatMap((port) => {
    const taken = portsOf(other).find((held) => collide(held, port));
    if (taken === undefined) return [];
    const reason = `is ${port.port}, as is ${taken.setting} of ${other.name}: on one host each port can be used once`;
    return [{ propertyPath: port.setting, reason }];
  });
}

function sameAddresses({ settings }: Component, { name, settings: others }: Component): Violation[] {
  if (settings.ingress === undefined || settings.ingress !== others.ingress) return [];
  return claims(settings).flatMap(({ setting, host, path }) => {
    if (!claims(others).some((other) => other.host === host && other.path === path)) return [];
    const [which, what] = host === "*" ? ["are all names, and", path] : [`is ${host};`, host + path];
    const reason = `${which} ${what} is of ${name}, too, on this ingress: change ${ADDRESSES} of one of them`;
    return [{ propertyPath: setting, reason }];
  });
}
/** An ingress has none. */
const claims = ({ hosts, redirects = {}, path = "/", ports = [] }: Component["settings"]) =>
  hosts === undefined ? [] : claimsOf({ hosts, redirects, path, ports });

/** The engine's address, since a plugin gets a new connection to it for each service; of mocks there is only the object. */
function runOfProgram(): unknown {
  const monitor: unknown = pulumi.runtime.getMonitor();
  const { getChannel } = (monitor ?? {}) as { getChannel?: () => { getTarget(): string } };
  return getChannel === undefined ? monitor : getChannel.call(monitor).getTarget();
}
