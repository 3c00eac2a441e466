import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { readState, type State } from "./former";
import { Identity } from "./identity";
import { checkedAddress } from "./preflight";
import { colorImages, registryAuth } from "./registry";
import { isRemote, type Color, type Settings, type Violation } from "./settings";
import { sshOptions } from "./ssh";

/** What every part of the service is made with. */
export class Context {
  readonly owner: pulumi.ComponentResource;
  readonly name: string;
  readonly settings: Settings;
  readonly stateBefore: Promise<State>;
  readonly identity: Identity;
  readonly provider: docker.Provider;
  /** What the colors run. */
  readonly images: Record<Color, pulumi.Input<string>>;

  /** `conflicts`: with other services of the program, as they are known when it is called. */
  constructor(
    owner: pulumi.ComponentResource,
    name: string,
    settings: Settings,
    conflicts: () => Violation[],
  ) {
    this.owner = owner;
    this.name = name;
    this.settings = settings;
    this.stateBefore = readState();
    this.identity = new Identity(owner, name, this.stateBefore);
    const { fullName } = this.identity;
    this.provider = new docker.Provider(
      `${name}-docker`,
      {
        host: checkedAddress(this, conflicts),
        sshOpts: isRemote(settings.host)
          ? fullName.apply((fullName) => sshOptions(settings.host, fullName) ?? [])
          : undefined,
        registryAuth: registryAuth(settings),
      },
      { parent: owner },
    );
    this.images = colorImages(this);
  }

  /** The Redis container's name, under which the network knows it. */
  get redisHost(): pulumi.Output<string> {
    return pulumi.interpolate`${this.identity.fullName}-redis`;
  }

  /** Options of a Docker resource. */
  onDocker(opts: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { parent: this.owner, provider: this.provider, ...opts };
  }

  /** Settings of every container. */
  container(role: string, labels: { [name: string]: string } = {}) {
    const { logs } = this.settings;
    return {
      // When its daemon alone was killed, Docker ends the containers that are left, and takes that for a stop by hand.
      restart: "always",
      logDriver: "json-file",
      logOpts: { "max-size": `${logs.maxSizeMb}m`, "max-file": String(logs.maxFiles) },
      labels: [...this.labels(role), ...Object.entries(labels).map(([label, value]) => ({ label, value }))],
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
