import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerIngress, formerRelease, readState, type State } from "./release/former";
import { binding, isOpenForIPv6 } from "./ingress/downtime";
import { Identity } from "./identity";
import { asPodmanTells } from "./host/podman";
import { checkHost, type CheckedHost } from "./host/preflight";
import { placeOf, type Place } from "./host/problems";
import { colorImages, registryAuth } from "./host/registry";
import { isRemote, type Color, type IngressSettings, type Settings, type Violation } from "./settings";
import { sshOptions } from "./host/ssh";

/** What every part of an ingress is made with. */
export class IngressContext {
  readonly owner: pulumi.ComponentResource;
  readonly name: string;
  readonly settings: IngressSettings;
  readonly stateBefore: Promise<State>;
  readonly identity: Identity;
  /** What the ingress is called on its host. */
  readonly ingress: pulumi.Output<string>;
  readonly provider: docker.Provider;
  private readonly host: pulumi.Output<CheckedHost>;
  /** Whether its ports are open for IPv6. */
  readonly ipv6: pulumi.Output<boolean>;
  /** What only downtime can change. */
  readonly binding: pulumi.Output<string>;

  /** `conflicts`: with other components of the program, as they are known when it is called. */
  constructor(
    owner: pulumi.ComponentResource,
    name: string,
    settings: IngressSettings,
    conflicts: () => Violation[],
    nameOfIngress: (identity: Identity) => pulumi.Input<string> = ({ service }) => service,
    place?: Place,
  ) {
    this.owner = owner;
    this.name = name;
    this.settings = settings;
    this.stateBefore = readState();
    this.identity = new Identity(owner, name, this.stateBefore);
    this.ingress = pulumi.output(nameOfIngress(this.identity));
    const { fullName } = this.identity;
    this.host = checkHost(this, conflicts, place);
    this.ipv6 = this.host.apply(async (host) => settings.proxy.ipv6 ?? (await this.hadIPv6()) ?? host.ipv6);
    this.binding = this.ipv6.apply((ipv6) => binding(settings, ipv6));
    this.provider = new docker.Provider(
      `${name}-docker`,
      {
        host: this.host.address,
        sshOpts: isRemote(settings.host)
          ? fullName.apply((fullName) => sshOptions(settings.host, fullName) ?? [])
          : undefined,
        registryAuth: registryAuth(settings),
      },
      { parent: owner },
    );
  }

  /** What the edge was made with, once there is somebody to be offline for. */
  async formerBinding(): Promise<string | undefined> {
    return (await formerIngress(this.owner, this.identity, this.stateBefore))?.binding;
  }

  /** An ingress stays what it is, whatever else the host has by now. */
  private async hadIPv6(): Promise<boolean | undefined> {
    const former = await this.formerBinding();
    return former ? isOpenForIPv6(former) : undefined;
  }

  /** Options of a Docker resource. */
  onDocker(opts: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    // Pulumi's mocks have no engine, which is what transforms.
    const hasEngine = pulumi.runtime.getEngine() !== undefined;
    const transforms = hasEngine ? [asPodmanTells(this.host, this.stateBefore)] : undefined;
    return { parent: this.owner, provider: this.provider, transforms, ...opts };
  }

  /** Settings of every container. */
  container(role: string, labels: { [name: string]: string } = {}) {
    const { logs } = this.settings;
    return {
      // When its daemon alone was killed, Docker ends the containers that are left, and takes that for a stop by hand.
      restart: "always",
      logDriver: "json-file",
      logOpts: { "max-size": `${logs.maxSizeMb}m`, "max-file": String(logs.maxFiles) },
      labels: [
        ...this.labels(role),
        // By this the scripts on the host find what they need in one question.
        { label: "bluegreen.ingress", value: this.ingress },
        ...Object.entries(labels).map(([label, value]) => ({ label, value })),
      ],
    };
  }

  /** By these an orphan of an interrupted update can be found: docker ps -a --filter label=bluegreen.stack=PROJECT/STACK */
  labels(role: string) {
    const { stack, service, id } = this.identity;
    return [
      { label: "bluegreen.stack", value: stack },
      { label: "bluegreen.service", value: service },
      { label: "bluegreen.id", value: id },
      { label: "bluegreen.role", value: role },
    ];
  }
}

/** What every part of a service is made with, and of the ingress that it makes for itself. */
export class Context extends IngressContext {
  declare readonly settings: Settings;
  /** What the colors run. */
  readonly images: Record<Color, pulumi.Input<string>>;

  constructor(
    owner: pulumi.ComponentResource,
    name: string,
    settings: Settings,
    conflicts: () => Violation[],
  ) {
    super(
      owner,
      name,
      settings,
      conflicts,
      ({ fullName }) => settings.ingress ?? fullName,
      placeOf(settings),
    );
    this.images = colorImages(this);
  }

  override async formerBinding(): Promise<string | undefined> {
    return (await formerRelease(this.owner, this.identity, this.stateBefore))?.binding;
  }

  /** The Redis container's name, under which the network knows it. */
  get redisHost(): pulumi.Output<string> {
    return pulumi.interpolate`${this.identity.fullName}-redis`;
  }
}
