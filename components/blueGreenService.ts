import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { BlueGreenServiceArgs } from "./settings/args";
import { deliverCertificate, obtainCertificate } from "./certificate";
import { createColor, type Colors } from "./color";
import { Context } from "./context";
import { Decisions } from "./decisions";
import { binding, guardDowntime } from "./downtime";
import { urls } from "./host";
import { pullImages } from "./images";
import { registerService } from "./neighbours";
import { namesOfNow, problemOfNames } from "./names";
import { createNetwork } from "./network";
import type { Release } from "./plan";
import { checkPorts } from "./ports";
import { createEdge, createNginx, createStateVolume } from "./proxy";
import { createRedis } from "./redis";
import { sayPlan } from "./sayPlan";
import { readSettings, refuse, type Violation } from "./settings";
import { gateIdle, switchTraffic } from "./switch";

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
  /** Name of blue's container, as `docker ps` shows it. */
  public readonly blueContainer!: pulumi.Output<string>;
  /** Name of green's container, as `docker ps` shows it. */
  public readonly greenContainer!: pulumi.Output<string>;
  /** Name of nginx's container, as `docker ps` shows it. */
  public readonly proxyContainer!: pulumi.Output<string>;
  /** Name of the Redis container, by which the containers on the network reach it, on port 6379. Empty without Redis. */
  public readonly redisHost!: pulumi.Output<string>;

  constructor(name: string, args: BlueGreenServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    const settings = readSettings(name, args, badNames(name, args));
    const conflicts = registerService(name, settings);
    refuse(name, conflicts());
    const decisions = new Decisions(name);
    super("bluegreen:index:BlueGreenService", name, args, decisions.noting(opts));
    const context = new Context(this, name, settings, conflicts);
    const release = releaseOf(context);

    // The children's names never change: a renamed child is a replaced one.
    const images = pullImages(context);
    const { name: net, guard } = createNetwork(context);
    const permitted = guardDowntime(context);
    const free = checkPorts(context, net, [images, permitted, ...guard]);
    const store = createRedis(context, net, free);
    const state = createStateVolume(context);
    const colors = {
      blue: createColor(context, "blue", net, store ?? free),
      green: createColor(context, "green", net, store ?? free),
    };
    const edge = createEdge(context, net, state, colors, permitted);
    const nginx = createNginx(context, edge, state, colors);
    const switched = switchTraffic(
      context,
      release,
      colors,
      nginx,
      deliverCertificate(context, state, nginx),
    );
    gateIdle(context, release, colors, nginx, switched);
    const [done = switched] = obtainCertificate(context, net, state, nginx, switched);
    sayPlan(context, release, decisions);

    const outputs = outputsOf(context, colors, nginx, done);
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

function badNames(name: string, { redis }: BlueGreenServiceArgs): Violation[] {
  const reason = problemOfNames(namesOfNow(name), redis?.enabled === true);
  return reason === undefined ? [] : [{ propertyPath: "name", reason }];
}

type ReleaseInputs = { [K in keyof Release]: pulumi.Input<string> };

function releaseOf({ settings, images }: Context): ReleaseInputs {
  return {
    activeColor: settings.activeColor,
    blueImage: images.blue,
    greenImage: images.green,
    proxyImage: settings.proxy.image,
    binding: binding(settings),
  };
}

function outputsOf(context: Context, colors: Colors, nginx: docker.Container, done: pulumi.Resource) {
  const { settings, redisHost } = context;
  const { url, previewUrl } = urls(settings);
  // What only the switch makes true is not said before it has passed.
  const afterSwitch = (value: string): pulumi.Output<string> => done.urn.apply(() => value);
  return {
    url: afterSwitch(url),
    previewUrl: afterSwitch(previewUrl),
    activeColor: afterSwitch(settings.activeColor),
    blueImage: colors.blue.image,
    greenImage: colors.green.image,
    blueContainer: colors.blue.name,
    greenContainer: colors.green.name,
    proxyContainer: nginx.name,
    redisHost: settings.redis.enabled ? redisHost : "",
  };
}
