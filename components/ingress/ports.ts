import * as pulumi from "@pulumi/pulumi";
import { runOnHost } from "../host/command";
import type { IngressContext } from "../context";
import type { Bound } from "../host/facts";
import type { IngressSettings } from "../settings";
import { hostScript } from "../shell";

/** A port of the host that the edge publishes, and the setting that chooses it. */
export interface PublishedPort extends Bound {
  setting: string;
  /** The port in the edge's container. */
  internal: number;
}

/**
 * In the order of the ports inside: so the Docker plugin reads them back. Of two addresses for one port inside, each engine has an
 * order of its own, which would be a change; so what comes by IPv6 has ports of its own inside.
 */
export function publishedPorts(
  { proxy, tlsPort }: Pick<IngressSettings, "proxy" | "tlsPort">,
  ipv6: boolean,
): PublishedPort[] {
  const { bindAddress, previewBindAddress } = proxy;
  const ports = [
    { setting: "proxy.port", internal: 80, port: proxy.port, address: bindAddress },
    ...(tlsPort === undefined
      ? []
      : [{ setting: "tls.port", internal: 443, port: tlsPort, address: bindAddress }]),
    { setting: "proxy.previewPort", internal: 8081, port: proxy.previewPort, address: previewBindAddress },
  ];
  return ports
    .flatMap((port) => {
      const [address, more] = addressesOf(port.address, ipv6);
      const both = [
        { ...port, address },
        { ...port, address: more, internal: port.internal + IPV6_INSIDE },
      ];
      return more === undefined ? both.slice(0, 1) : both;
    })
    .sort((one, other) => one.internal - other.internal);
}
/** That much higher than the port for IPv4: 80 has 6080 (sites.awk). */
const IPV6_INSIDE = 6000;

/** With the one that is to IPv6 what an address is to IPv4. */
export const addressesOf = (address: string, ipv6: boolean): string[] =>
  ipv6 && address in IPV6_OF ? [address, IPV6_OF[address]] : [address];
const IPV6_OF: { [address: string]: string } = { "0.0.0.0": "::", "127.0.0.1": "::1" };

/**
 * Fails an update whose ports can't be had, before a container is made or deleted for them. What a container holds is known
 * before (problems.ts); what another program holds only Docker can tell, by trying.
 */
export function checkPorts(
  context: IngressContext,
  network: pulumi.Input<string>,
  before: pulumi.Resource[],
): pulumi.Resource {
  const { settings } = context;
  const stdin = pulumi
    .all([network, context.identity.id, context.ipv6])
    .apply(([NETWORK, SERVICE_ID, ipv6]) => {
      const PORTS = publishedPorts(settings, ipv6)
        .map(({ setting, address, port }) => `${setting} ${address} ${port}`)
        .join("\n");
      return hostScript({ PORTS, NETWORK, SERVICE_ID, IMAGE: settings.proxy.edgeImage }, [
        "on-host/ports.sh",
      ]);
    });
  // Without triggers it is never replaced, and so is no reason to replace what depends on it.
  return runOnHost(context, "ports", { stdin }, before);
}
