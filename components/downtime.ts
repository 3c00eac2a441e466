import * as command from "@pulumi/command";
import type { Context } from "./context";
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
 * edge was made with.
 */
export function downtimeGuard({ name, owner, provider, settings }: Context): command.local.Command {
  return new command.local.Command(
    `${name}-downtime-guard`,
    {
      create: "sh -s",
      stdin:
        assignments({ WANTED: binding(settings), ALLOWED: String(settings.allowDowntime) }) +
        proxyFile("guard.sh"),
      logging: "stderr",
    },
    // A host that can't be reached is one error, and not this one too.
    { parent: owner, dependsOn: provider },
  );
}
