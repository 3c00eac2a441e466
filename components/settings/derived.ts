import { posix } from "node:path";
import type { Settings } from "./read";

// What follows from settings.

/** Whether there is TLS. */
export const hasTls = ({ names }: Pick<Settings["tls"], "names">): boolean => names.length > 0;

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
