import { isTree } from "./file";
import { asText, integer } from "./values";

/** A port that a service publishes. */
export interface Port {
  target: number;
  /** On the host; without it Docker takes any that is free. */
  published?: number;
  hostIp?: string;
  protocol: string;
}

/** Undefined where it is none. A range gives several. */
export function portsOf(item: unknown): Port[] | undefined {
  if (!isTree(item)) return shortPorts(String(item));
  const target = integer(item.target);
  if (target === undefined) return undefined;
  const published = range(asText(item.published ?? ""));
  return [
    {
      target,
      // Of several, Docker takes one that is free.
      ...(published.length === 1 && { published: published[0] }),
      ...(item.host_ip !== undefined && { hostIp: asText(item.host_ip) }),
      protocol: asText(item.protocol ?? "tcp"),
    },
  ];
}

/** [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL], each port also as FIRST-LAST. */
function shortPorts(spec: string): Port[] | undefined {
  const parts = /^(?:(?:(\[[^\]]+\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)(?:\/(\w+))?$/.exec(spec);
  if (parts === null) return undefined;
  const [, address, host = "", container, protocol = "tcp"] = parts as unknown as (string | undefined)[];
  const targets = range(container ?? "");
  const hosts = range(host);
  if (targets.length === 0 || (hosts.length > 1 && targets.length > 1 && hosts.length !== targets.length))
    return undefined;
  const isExact = hosts.length === targets.length;
  return targets.map((target, i) => ({
    target,
    ...(isExact && { published: hosts[i] }),
    ...(address !== undefined && address !== "" && { hostIp: address.replace(/^\[|\]$/g, "") }),
    protocol: protocol.toLowerCase(),
  }));
}

function range(text: string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || to < from || to > 65_535) return [];
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
