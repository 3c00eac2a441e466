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

export function publishedPorts({
  proxy,
  tlsPort,
}: Pick<IngressSettings, "proxy" | "tlsPort">): PublishedPort[] {
  const { bindAddress, previewBindAddress } = proxy;
  return [
    { setting: "proxy.port", internal: 80, port: proxy.port, address: bindAddress },
    ...(tlsPort === undefined
      ? []
      : [{ setting: "tls.port", internal: 443, port: tlsPort, address: bindAddress }]),
    { setting: "proxy.previewPort", internal: 8081, port: proxy.previewPort, address: previewBindAddress },
  ];
}

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
  const lines = publishedPorts(settings).map(({ setting, address, port }) => `${setting} ${address} ${port}`);
  const stdin = pulumi.all([network, context.identity.id]).apply(([NETWORK, SERVICE_ID]) => {
    const values = { PORTS: lines.join("\n"), NETWORK, SERVICE_ID, IMAGE: settings.proxy.edgeImage };
    return hostScript(values, ["on-host/ports.sh"]);
  });
  // Without triggers it is never replaced, and so is no reason to replace what depends on it.
  return runOnHost(context, "ports", { stdin }, before);
}
