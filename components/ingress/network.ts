import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { runOnHost, UNTIL_DELETED } from "../host/command";
import type { Context, IngressContext } from "../context";
import { ipv6SubnetOf, networkOf } from "../identity";
import { hostScript } from "../shell";

interface Network {
  name: pulumi.Input<string>;
  /** What containers on it have to depend on. */
  guard: pulumi.Resource[];
}

/** The networks of a service. */
interface Networks {
  /** The one that nginx reaches the colors on. */
  ingress: pulumi.Input<string>;
  /** The one that its Redis is on: no service of others is. */
  own: pulumi.Input<string>;
  /** Those of its colors. */
  all: pulumi.Input<string>[];
  guard: pulumi.Resource[];
}

/** A service alone has one for all, the given one or one that is made. Beside others, its Redis has one that is not theirs. */
export function createNetworks(context: Context): Networks {
  const { settings, ingress, identity } = context;
  const given = settings.network.name;
  if (settings.ingress === undefined) {
    const one =
      given === undefined
        ? createNetwork(context, ingress.apply(networkOf), context.ipv6)
        : { name: given, guard: [] };
    return { ingress: one.name, own: one.name, all: [one.name], guard: one.guard };
  }
  const shared = given ?? ingress.apply(networkOf);
  if (!settings.redis.enabled) return { ingress: shared, own: shared, all: [shared], guard: [] };
  const own = createNetwork(context, identity.fullName.apply(networkOf));
  return { ingress: shared, own: own.name, all: [shared, own.name], guard: own.guard };
}

/** Makes a network of this name. */
export function createNetwork(
  context: IngressContext,
  networkName: pulumi.Output<string>,
  ipv6: pulumi.Input<boolean> = false,
): Network {
  const made = new docker.Network(
    `${context.name}-network`,
    {
      name: networkName,
      labels: context.labels("network"),
      ipv6: pulumi.output(ipv6).apply((on) => on || undefined),
      // Engines before 27 choose none by themselves.
      ipamConfigs: pulumi
        .all([networkName, ipv6])
        .apply(([name, on]) => (on ? [{ subnet: ipv6SubnetOf(name) }] : undefined)) as pulumi.Output<
        docker.types.input.NetworkIpamConfig[]
      >,
    },
    // These are no reason to replace what everything is attached to. Version 0.1.0 gave it another name.
    context.onDocker({ ignoreChanges: ["labels", "name", "ipv6", "ipamConfigs"] }),
  );
  return { name: made.name, guard: [networkGuard(context, made)] };
}

/** Stands between the network and the containers: it is deleted after these, and says who else is on the network. */
function networkGuard(context: IngressContext, network: docker.Network): pulumi.Resource {
  const stdin = pulumi
    .all([network.name, context.identity.id])
    .apply(([NETWORK, SERVICE_ID]) => hostScript({ NETWORK, SERVICE_ID }, ["on-host/network-guard.sh"]));
  return runOnHost(context, "network-guard", { ...UNTIL_DELETED, stdin }, [network]);
}
