import * as pulumi from "@pulumi/pulumi";
import { collide } from "./facts";
import { publishedPorts } from "./ports";
import type { Settings, Violation } from "./settings";

interface Service {
  name: string;
  settings: Settings;
}

/** The services of each run of a program: a process may run several, as tests and Pulumi's Automation API do. */
const services = new Map<unknown, Service[]>();

/**
 * Two services of one program that can't both be on their host, since they have one name or one port. Pulumi would make all of
 * both, and then one edge would fail. The given function tells what is in conflict with this one by now.
 */
export function registerService(name: string, settings: Settings): () => Violation[] {
  const own = { name, settings };
  const run = runOfProgram();
  const all = services.get(run) ?? [];
  services.set(run, all);
  all.push(own);
  return () => all.filter((other) => other !== own).flatMap((other) => conflicts(own, other));
}

function conflicts(service: Service, other: Service): Violation[] {
  if (service.settings.host.address !== other.settings.host.address) return [];
  if (service.name === other.name) {
    return [{ propertyPath: "name", reason: `two services of this program are called ${other.name}` }];
  }
  return publishedPorts(service.settings).flatMap((port) => {
    const taken = publishedPorts(other.settings).find((held) => collide(held, port));
    if (taken === undefined) return [];
    const reason = `is ${port.port}, as is ${taken.setting} of ${other.name}: on one host each port can be used once`;
    return [{ propertyPath: port.setting, reason }];
  });
}

/** The engine's address, since a plugin gets a new connection to it for each service; of mocks there is only the object. */
function runOfProgram(): unknown {
  const monitor: unknown = pulumi.runtime.getMonitor();
  const { getChannel } = (monitor ?? {}) as { getChannel?: () => { getTarget(): string } };
  return getChannel === undefined ? monitor : getChannel.call(monitor).getTarget();
}
