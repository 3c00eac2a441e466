import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Colors } from "./color";
import { runOnHost } from "./command";
import type { Context } from "./context";
import { idleGateRecord, switchRecord } from "./former";
import type { Release } from "./plan";
import { renderIdleGateInput, renderSwitchInput, switchHash } from "./switchInput";

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

/**
 * The health-gated command that makes a color live. It runs again when what it serves changes, and depends on nothing of
 * the idle color: a release never fails by what nobody uses.
 */
export function switchTraffic(
  context: Context,
  release: ReleaseInputs,
  colors: Colors,
  proxy: docker.Container,
  certificate: pulumi.Resource[],
): pulumi.Resource {
  const live = context.settings.activeColor;
  const args = {
    stdin: pulumi
      .all([
        proxy.name,
        context.identity.path,
        context.identity.service,
        context.identity.id,
        colors[live].name,
      ])
      .apply(([proxyContainer, lockHolder, service, id, container]) =>
        renderSwitchInput({ proxyContainer, lockHolder, service, id, settings: context.settings }, container),
      ),
    triggers: [
      switchRecord(release, context.identity),
      colors[live].id,
      proxy.id,
      switchHash(context.settings),
    ],
  };
  return runOnHost(context, "switch", args, [proxy, colors.blue, colors.green, ...certificate]);
}

/**
 * The command that gates the idle color's new container and puts it on the preview port. It runs when a color has another
 * container. What it replaces keeps answering there until then.
 */
export function gateIdle(
  context: Context,
  release: ReleaseInputs,
  colors: Colors,
  proxy: docker.Container,
  switched: pulumi.Resource,
): pulumi.Resource {
  const containers = { blue: colors.blue.name, green: colors.green.name };
  const args = {
    stdin: pulumi
      .all([
        proxy.name,
        context.identity.path,
        context.identity.service,
        context.identity.id,
        pulumi.output(containers),
      ])
      .apply(([proxyContainer, lockHolder, service, id, both]) =>
        renderIdleGateInput({ proxyContainer, lockHolder, service, id, settings: context.settings }, both),
      ),
    triggers: [idleGateRecord(release), colors.blue.id, colors.green.id, context.settings.idle],
  };
  return runOnHost(context, "idle-gate", args, [switched]);
}
