import * as pulumi from "@pulumi/pulumi";
import type { Colors } from "./color";
import { runOnHost, UNTIL_DELETED } from "../host/command";
import type { Context } from "../context";
import { idleGateRecord, switchRecord } from "../release/former";
import type { Release } from "../release/plan";
import { hostScript, shellFiles } from "../shell";
import { renderIdleGateInput, renderSwitchInput, switchHash } from "../release/switchInput";

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

/**
 * The health-gated command that makes a color live. It runs again when what it serves changes, and depends on nothing of
 * the idle color: a release never fails by what nobody uses.
 */
export function switchTraffic(
  context: Context,
  release: ReleaseInputs,
  colors: Colors,
  headers: pulumi.CustomResource[],
  after: pulumi.Resource[],
): pulumi.CustomResource {
  const live = context.settings.activeColor;
  const args = {
    stdin: pulumi
      .all([named(context), colors[live][0].name])
      .apply(([names, container]) => renderSwitchInput({ ...names, settings: context.settings }, container)),
    triggers: [
      switchRecord(release, context.identity),
      ...colors[live].map(({ id }) => id),
      switchHash(context.settings),
      ...headers.map(({ id }) => id),
    ],
  };
  return runOnHost(context, "switch", args, [...colors.blue, ...colors.green, ...headers, ...after]);
}

export const named = ({ ingress, identity: { path: lockHolder, service, id } }: Context) =>
  pulumi.output({ ingress, lockHolder, service, id });

/**
 * The command that gates the idle color's new container and puts it on the preview port. It runs when a color has another
 * container. What it replaces keeps answering there until then.
 */
export function gateIdle(
  context: Context,
  release: ReleaseInputs,
  colors: Colors,
  switched: pulumi.Resource,
): pulumi.Resource {
  const containers = { blue: colors.blue[0].name, green: colors.green[0].name };
  const ids = [...colors.blue, ...colors.green].map(({ id }) => id);
  const args = {
    stdin: pulumi
      .all([named(context), pulumi.output(containers)])
      .apply(([names, both]) => renderIdleGateInput({ ...names, settings: context.settings }, both)),
    triggers: [idleGateRecord(release), ...ids, context.settings.idle],
  };
  return runOnHost(context, "idle-gate", args, [switched]);
}

/**
 * A service on an ingress that others have made: when it is destroyed, its site goes before its containers do. It is made before
 * the switch, so that it is there when only a part of the first update has passed. Its output is the ports of that ingress.
 */
export function leaveIngress(context: Context, after: pulumi.Resource[]) {
  const stdin = pulumi
    .all([context.ingress, context.identity.service, context.identity.id])
    .apply(([INGRESS, SERVICE, SERVICE_ID]) =>
      hostScript({ INGRESS, SERVICE, SERVICE_ID }, ["on-host/containers.sh", "on-host/leave.sh"], {
        in_container_script: shellFiles("in-nginx/piped/common.sh", "in-nginx/piped/leave.sh"),
      }),
    );
  const args = { ...UNTIL_DELETED, stdin, logging: "stderr" as const };
  return runOnHost(context, "leave", args, after);
}
