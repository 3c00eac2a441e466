import type { Settings } from "../settings";
import { pathOf } from "../settings/violations";

/** A host name that a service has with a path, and the setting that says so. */
export interface Claim {
  setting: string;
  /** "*" stands for all names that no other service has. */
  host: string;
  path: string;
  /** Of the container, where it is a further one. */
  port?: number;
}
/** The settings that claims are made of. */
export const ADDRESSES = "hosts, redirects, ports or path";
export const claimsOf = ({
  hosts,
  redirects,
  path,
  ports,
}: Pick<Settings, "hosts" | "redirects" | "path" | "ports">): Claim[] => [
  ...hostsOf({ hosts }, "").map((claim) => ({ ...claim, path })),
  ...Object.keys(redirects).map((host) => ({ setting: pathOf(["redirects", host]), host, path })),
  ...ports.flatMap(({ containerPort: port, path, ...own }, i) =>
    (own.hosts.length > 0
      ? hostsOf(own, `ports[${i}].`)
      : hostsOf({ hosts }, "").map(({ host }) => ({ setting: `ports[${i}].path`, host }))
    ).map((claim) => ({ ...claim, path, port })),
  ),
];
const hostsOf = ({ hosts }: Pick<Settings, "hosts">, prefix: string) =>
  hosts.length > 0
    ? hosts.map((host, i) => ({ setting: `${prefix}hosts[${i}]`, host }))
    : [{ setting: `${prefix}hosts`, host: "*" }];
