import * as pulumi from "@pulumi/pulumi";
import { runOnHost } from "../host/command";
import type { Context } from "../context";
import type { Ingress } from "../ingress/createIngress";
import { isOneLine } from "../settings/kinds";
import { hash, hostScript, shellFiles } from "../shell";

/**
 * Brings the headers of the health request to nginx, before the switch. They may be secrets, and the switch's input is plain text:
 * `status` reads it from the stack's state. So they are this command's alone, as a certificate's key is another's.
 */
export function deliverHealthHeaders(
  context: Context,
  ingress: Ingress | undefined,
): pulumi.CustomResource[] {
  const { headers = {} } = context.settings.health;
  if (Object.keys(headers).length === 0) return [];
  const { path, id, service } = context.identity;
  const given = pulumi.secret(pulumi.output(headers));
  const stdin = pulumi
    .all([given, context.ingress, service, id, path])
    .apply(([values, INGRESS, SERVICE, SERVICE_ID, LOCK_HOLDER]) =>
      renderHealthHeaders(values, { INGRESS, SERVICE, SERVICE_ID, LOCK_HOLDER }),
    );
  const args = {
    stdin,
    // A secret, too: what is short could be guessed from its hash. Where the ingress is another component's, its volume stays as long as a
    // service is on it.
    triggers: [given.apply((values) => hash(JSON.stringify(values))), ingress?.state.id ?? context.ingress],
  };
  return [runOnHost(context, "health-headers", args, ingress === undefined ? [] : [ingress.ready])];
}

/** All that "sh -s" reads. */
export function renderHealthHeaders(
  headers: { [name: string]: string },
  whose: { INGRESS: string; SERVICE: string; SERVICE_ID: string; LOCK_HOLDER: string },
): string {
  const entries = Object.entries(headers);
  const settings = {
    ...whose,
    HEADERS: entries.map(([name, value]) => `${name}: ${value}`).join("\n"),
    BAD_HEADERS: entries.flatMap(([name, value]) => (isOneLine(value) ? [] : [name])).join(", "),
  };
  return hostScript(settings, ["on-host/containers.sh", "on-host/health-headers.sh"], {
    in_container_script: shellFiles("in-nginx/piped/common.sh", "in-nginx/piped/health-headers.sh"),
  });
}
