import * as command from "@pulumi/command";
import type { Context } from "./context";
import { formerRelease } from "./former";
import { hasTls, type Settings } from "./settings";
import { assignments, proxyFile } from "./shell";

/** In words, what the edge can't take over from another edge. */
export function binding({ proxy, tls, network, host }: Settings): string {
  return [
    `${proxy.bindAddress}:${proxy.port}`,
    ...(hasTls(tls) ? [`TLS on ${tls.port}`] : []),
    `preview on ${proxy.previewBindAddress}:${proxy.previewPort}`,
    network.name === undefined ? "a network of its own" : `network ${network.name}`,
    ...(proxy.migrateConnections ? [] : ["connections not migrated"]),
    `on ${host.address}`,
  ].join(", ");
}

/**
 * Fails an update that would replace the edge without leave, before anything is deleted. Its own output remembers what the
 * edge was made with. Before the first release has passed there is nobody to be offline for.
 */
export function downtimeGuard(context: Context): command.local.Command {
  const { name, owner, provider, settings } = context;
  const wanted = binding(settings);
  const stdin = isPermitted(context, wanted).then(
    (permitted) =>
      assignments({ WANTED: wanted, PERMITTED: permitted ? "yes" : "no" }) + proxyFile("guard.sh"),
  );
  return new command.local.Command(
    `${name}-downtime-guard`,
    { create: "sh -s", stdin, logging: "stderr" },
    // A host that can't be reached is one error, and not this one too.
    { parent: owner, dependsOn: provider },
  );
}

/**
 * What is the same as before needs no permission either. So this is true in every update that passes, and no reason to run
 * the guard again.
 */
async function isPermitted(
  { owner, identity, settings, stateBefore }: Context,
  wanted: string,
): Promise<boolean> {
  if (settings.allowDowntime) return true;
  try {
    const former = await formerRelease(owner, identity, stateBefore);
    return former === undefined || former.binding === wanted;
  } catch {
    return false;
  }
}
