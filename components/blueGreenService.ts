import * as pulumi from "@pulumi/pulumi";
import type { BlueGreenServiceArgs } from "./settings/args";
import { deliverCertificate, obtainCertificate } from "./ingress/certificate";
import { createColor, type Colors } from "./service/color";
import { Context } from "./context";
import { Decisions } from "./release/decisions";
import { guardDowntime } from "./ingress/downtime";
import { createIngress, guardIngress, type Ingress } from "./ingress/createIngress";
import { listeningOf, ownListening, urls } from "./host/address";
import { imagesOf, pullImages } from "./host/images";
import { registerService } from "./neighbours";
import { badNames } from "./names";
import { createNetworks } from "./ingress/network";
import { planInWords, type Former, type Release } from "./release/plan";
import { checkPorts } from "./ingress/ports";
import { deliverHealthHeaders } from "./service/healthHeaders";
import { createRedis } from "./service/redis";
import { formerRelease } from "./release/former";
import { sayPlan, type Plan } from "./release/sayPlan";
import { readSettings, refuse } from "./settings";
import { gateIdle, leaveIngress, switchTraffic } from "./service/switch";
import { createWorkers, moveWorkers } from "./service/workers";

/**
 * Zero-downtime blue/green releases of a containerised service on one Docker host.
 *
 * Every change follows the same order, kept by the Pulumi engine itself: create the new container, gate it, switch to it,
 * drain the old one, delete it. If a step fails, the update fails, nothing is deleted, and the live color keeps serving.
 */
export class BlueGreenService extends pulumi.ComponentResource {
  /** Where the live color answers. */
  public readonly url!: pulumi.Output<string>;
  /** Where the idle color answers: reachable from the Docker host only, unless it is bound to another address. */
  public readonly previewUrl!: pulumi.Output<string>;
  /** The color that serves, once the switch has passed. */
  public readonly activeColor!: pulumi.Output<string>;
  /** What blue runs. */
  public readonly blueImage!: pulumi.Output<string>;
  /** What green runs. */
  public readonly greenImage!: pulumi.Output<string>;
  /** Name of blue's container, as `docker ps` shows it; with `replicas`, of the first one. Those of the others are made of it: `NAME-2`. */
  public readonly blueContainer!: pulumi.Output<string>;
  /** The same of green's. */
  public readonly greenContainer!: pulumi.Output<string>;
  /** Name of the container of the service's own nginx, as `docker ps` shows it. Empty on an ingress that others have made. */
  public readonly proxyContainer!: pulumi.Output<string>;
  /** Name of the Redis container, by which the containers on the network reach it, on port 6379. Empty without Redis. */
  public readonly redisHost!: pulumi.Output<string>;

  constructor(name: string, args: BlueGreenServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    const settings = readSettings(name, args, ({ redis, colors: { blue, green } }) =>
      badNames(name, redis.enabled, Math.max(blue.replicas, green.replicas)),
    );
    const conflicts = registerService(name, settings);
    refuse(name, conflicts());
    const decisions = new Decisions(name);
    super("bluegreen:index:BlueGreenService", name, args, decisions.noting(opts));
    const context = new Context(this, name, settings, conflicts);
    const release = releaseOf(context);

    // The children's names never change: a renamed child is a replaced one.
    const isAlone = settings.ingress === undefined;
    const networks = createNetworks(context);
    const pulled = [pullImages(context, imagesOf(context), settings), ...networks.guard];
    const free = isAlone
      ? [checkPorts(context, networks.ingress, [...pulled, guardDowntime(context)])]
      : pulled;
    const ready = createRedis(context, networks.own, free) ?? free;
    const colors = {
      blue: createColor(context, "blue", networks.all, ready),
      green: createColor(context, "green", networks.all, ready),
    };
    const served = [...colors.blue, ...colors.green];
    const workers = createWorkers(context, networks.all, ready);
    const ingress = isAlone ? createIngress(context, networks.ingress, served) : undefined;
    const headers = deliverHealthHeaders(context, ingress);
    const certificate = deliverCertificate(context, ingress);
    const leaving = isAlone ? undefined : leaveIngress(context, served);
    const before = [ingress?.ready, leaving, ...certificate, ...workers.map(({ made }) => made)].filter(
      (one) => one !== undefined,
    );
    const switched = switchTraffic(context, release, colors, headers, before);
    const idle = gateIdle(context, release, colors, switched);
    const moved = moveWorkers(context, colors, workers, switched);
    const [done = switched] = obtainCertificate(context, networks.ingress, ingress, switched);
    // What is deleted first when the service is destroyed.
    if (isAlone) guardIngress(context, context.identity.service, [done, idle, ...moved]);
    sayPlan(context, decisions, planOf(context, release));

    const outputs = outputsOf(context, colors, ingress, done, leaving?.stdout);
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

function releaseOf({ settings, images, binding }: Context): ReleaseInputs {
  return {
    activeColor: settings.activeColor,
    blueImage: images.blue,
    greenImage: images.green,
    ...(settings.ingress === undefined
      ? { proxyImage: settings.proxy.image, binding }
      : { proxyImage: "", binding: "" }),
  };
}

const planOf = (context: Context, release: ReleaseInputs): Plan<Former, Release> => ({
  former: formerRelease(context.owner, context.identity, context.stateBefore),
  next: pulumi.output(release),
  words: (former, next, decided) => planInWords(former, next, context.settings, decided),
});

/** `ports`: those of an ingress that others have made. */
function outputsOf(
  context: Context,
  colors: Colors,
  ingress: Ingress | undefined,
  done: pulumi.Resource,
  ports: pulumi.Output<string> | undefined,
) {
  const { settings, redisHost, identity } = context;
  // What only the switch makes true is not said before it has passed.
  const afterSwitch = (value: string): pulumi.Output<string> => done.urn.apply(() => value);
  const both = pulumi
    .all([identity.service, ports, done.urn])
    .apply(([service, bindings]) =>
      urls(
        settings,
        service,
        bindings === undefined ? ownListening(settings) : listeningOf(JSON.parse(bindings)),
      ),
    );
  return {
    url: both.url,
    previewUrl: both.previewUrl,
    activeColor: afterSwitch(settings.activeColor),
    blueImage: colors.blue[0].image,
    greenImage: colors.green[0].image,
    blueContainer: colors.blue[0].name,
    greenContainer: colors.green[0].name,
    proxyContainer: ingress?.nginx.name ?? "",
    redisHost: settings.redis.enabled ? redisHost : "",
  };
}
