import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { runOnHost } from "./command";
import type { Context } from "./context";
import { assignments, printingFunction, shellFile } from "./shell";

/** The network that everything is attached to. */
export interface Network {
  name: pulumi.Input<string>;
  /** What containers on it have to depend on. */
  guard: pulumi.Resource[];
}

/** The given network, or one that is made. */
export function createNetwork(context: Context): Network {
  const { name, settings } = context;
  if (settings.network.name !== undefined) return { name: settings.network.name, guard: [] };
  const made = new docker.Network(
    `${name}-network`,
    { labels: context.labels("network") },
    // A label is no reason to replace what everything is attached to.
    context.onDocker({ ignoreChanges: ["labels"] }),
  );
  return { name: made.name, guard: [networkGuard(context, made)] };
}

/** Stands between the network and the containers: it is deleted after these, and says who else is on the network. */
function networkGuard(context: Context, network: docker.Network): pulumi.Resource {
  const stdin = pulumi.all([network.name, context.identity.id]).apply(([NETWORK, SERVICE_ID]) => {
    const settings = printingFunction("settings", assignments({ NETWORK, SERVICE_ID }));
    return [settings, shellFile("on-host/network-guard.sh")].join("\n");
  });
  // Without triggers it is never replaced: a new input does not run what is to be run at its deletion.
  const args = { create: "sh -s create", delete: "sh -s delete", stdin };
  return runOnHost(context, "network-guard", args, [network]);
}
