import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { reachedAddress } from "./reach";
import { colorImages, registryAuth } from "./registry";
import type { Color, Settings } from "./settings";
import { sshOptions } from "./ssh";

/** What every part of the service is made with. */
export class Context {
  readonly owner: pulumi.ComponentResource;
  readonly name: string;
  readonly settings: Settings;
  /** Names what can't be auto-named; distinct on a host that several stacks share. */
  readonly fullName: string;
  private readonly stack = `${pulumi.getProject()}/${pulumi.getStack()}`;
  readonly provider: docker.Provider;
  /** What the colors run. */
  readonly images: Record<Color, pulumi.Input<string>>;

  constructor(owner: pulumi.ComponentResource, name: string, settings: Settings) {
    this.owner = owner;
    this.name = name;
    this.settings = settings;
    this.fullName = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`;
    this.provider = new docker.Provider(
      `${name}-docker`,
      {
        host: reachedAddress(settings.host, this.fullName),
        sshOpts: sshOptions(settings.host, this.fullName),
        registryAuth: registryAuth(settings),
      },
      { parent: owner },
    );
    this.images = colorImages(this);
  }

  /** The Redis container's name, under which the network knows it. */
  get redisHost(): string {
    return `${this.fullName}-redis`;
  }

  /** Whose switch it is, for the lock. */
  get lockHolder(): string {
    return `${this.stack}/${this.name}`;
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
    const labels = { ...this.serviceLabels, "bluegreen.role": role };
    return Object.entries(labels).map(([label, value]) => ({ label, value }));
  }

  /** What everything of this service has, and nothing else. */
  get serviceLabels(): { [label: string]: string } {
    return { "bluegreen.stack": this.stack, "bluegreen.service": this.name };
  }
}
