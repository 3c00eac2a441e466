import { posix } from "node:path";
import type { Settings } from "./read";

// What follows from settings.

/** Whether there is TLS. */
export const hasTls = ({ names }: Pick<Settings["tls"], "names">): boolean => names.length > 0;

/** Whether users who name this host are sent to another one: of the names that stand for it, the nearest counts. */
export function isRedirected(
  host: string,
  { hosts, redirects }: Pick<Settings, "hosts" | "redirects">,
): boolean {
  const standsFor = (name: string) =>
    name === host || (name.startsWith("*.") && host.endsWith(name.slice(1)));
  const [nearest] = nearestFirst([...hosts, ...Object.keys(redirects)].filter(standsFor));
  return nearest !== undefined && Object.hasOwn(redirects, nearest);
}
/** As nginx chooses: a whole name, then the longest of those with "*". */
export const nearestFirst = (names: string[]): string[] => {
  const rank = (name: string) => (name.startsWith("*.") ? name.length : 1000);
  return [...names].sort((one, other) => rank(other) - rank(one));
};

/** The folder of the host that certificates from files are in. */
export const certificateFolder = ({
  certificateFolder,
  certificateFile,
}: Pick<Settings["tls"], "certificateFolder" | "certificateFile">): string | undefined =>
  certificateFolder ?? (certificateFile === undefined ? undefined : posix.dirname(certificateFile));

export const isRemote = ({ address }: Pick<Settings["host"], "address">): boolean =>
  address.startsWith("ssh://");

/** The variables that the component sets itself. */
export function ownVariables({ redis }: Pick<Settings, "redis">): string[] {
  return ["COLOR", "PORT", "TZ", ...(redis.enabled ? ["REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"] : [])];
}
