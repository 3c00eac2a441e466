import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Context } from "./context";

/** The name of the network that everything is attached to: the given one, or one that is made. */
export function network(context: Context): pulumi.Input<string> {
  const { name, settings } = context;
  if (settings.network.name !== undefined) return settings.network.name;
  return new docker.Network(
    `${name}-network`,
    { labels: context.labels("network") },
    // A label is no reason to replace what everything is attached to.
    context.onDocker({ ignoreChanges: ["labels"] }),
  ).name;
}
