import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Colors } from "./color";
import { runOnHost } from "./command";
import type { Context } from "./context";
import { releaseTriggers } from "./former";
import type { Release } from "./plan";
import { renderSwitchInput, switchHash } from "./switchInput";

/** The health-gated command. It runs again when what it serves changes. */
export function switchTraffic(
  context: Context,
  release: { [K in keyof Release]: pulumi.Input<string> },
  colors: Colors,
  proxy: docker.Container,
  certificate: pulumi.Resource[],
): pulumi.Resource {
  const { settings } = context;
  const args = {
    stdin: pulumi
      .output({
        containers: { blue: colors.blue.name, green: colors.green.name },
        images: { blue: release.blueImage, green: release.greenImage },
        proxyContainer: proxy.name,
        lockHolder: context.identity.path,
      })
      .apply((names) => renderSwitchInput({ settings, ...names })),
    triggers: [...releaseTriggers(release, context.identity), colors.blue.id, colors.green.id, proxy.id, switchHash(settings)],
  };
  return runOnHost(context, "switch", args, [proxy, colors.blue, colors.green, ...certificate]);
}
