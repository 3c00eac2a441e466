import * as pulumi from "@pulumi/pulumi";
import { IngressContext } from "./context";
import { Decisions } from "./release/decisions";
import { guardDowntime } from "./ingress/downtime";
import { formerIngress } from "./release/former";
import { createIngress, guardIngress } from "./ingress/createIngress";
import { imagesOfIngress, pullImages } from "./host/images";
import { badNames } from "./names";
import { registerService } from "./neighbours";
import { networkOf } from "./identity";
import { createNetwork } from "./ingress/network";
import { ingressPlanInWords } from "./release/plan";
import { checkPorts } from "./ingress/ports";
import { sayPlan } from "./release/sayPlan";
import { readIngressSettings, refuse } from "./settings";
import type { IngressArgs } from "./settings/args";

/**
 * What holds the ports of a Docker host for several services: an nginx, and what keeps its ports open. Each service names it as its
 * `ingress`, from this program or from that of another stack.
 */
export class Ingress extends pulumi.ComponentResource {
  /** What services name as their `ingress`. It is the component's name at its first update, and has to be the only one on the host. */
  public readonly name!: pulumi.Output<string>;
  /** Name of nginx's container, as `docker ps` shows it. */
  public readonly nginxContainer!: pulumi.Output<string>;

  constructor(name: string, args: IngressArgs, opts?: pulumi.ComponentResourceOptions) {
    const settings = readIngressSettings(name, args, badNames(name, false));
    const conflicts = registerService(name, settings);
    refuse(name, conflicts());
    const decisions = new Decisions(name);
    super("bluegreen:index:Ingress", name, args, decisions.noting(opts));
    const context = new IngressContext(this, name, settings, conflicts);

    // The children's names never change: a renamed child is a replaced one.
    const pulled = pullImages(context, imagesOfIngress(settings));
    const network = createNetwork(context, context.ingress.apply(networkOf), context.ipv6);
    const before = [pulled, guardDowntime(context), ...network.guard];
    const free = checkPorts(context, network.name, before);
    const { nginx, ready } = createIngress(context, network.name, [free]);
    guardIngress(context, "", [ready]);
    sayPlan(context, decisions, {
      former: formerIngress(this, context.identity, context.stateBefore),
      next: pulumi.output({ proxyImage: settings.proxy.image, binding: context.binding }),
      words: (former, next, decided) => ingressPlanInWords(former, next, settings, decided),
    });

    const outputs = {
      // A service that waits for it waits for the ingress.
      name: pulumi.all([context.ingress, ready.urn]).apply(([name]) => name),
      nginxContainer: nginx.name,
    };
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}
