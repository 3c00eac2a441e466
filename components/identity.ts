import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hash } from "./shell";

/**
 * Who the service is: the names of project, stack and component at the moment of its first update, and a random id. Whatever
 * carries a name is made from this and not from the names of today, so that a rename changes nothing that serves or
 * holds data.
 */
export class Identity {
  /** `PROJECT/STACK/COMPONENT` */
  readonly path: pulumi.Output<string>;
  /** `PROJECT/STACK` */
  readonly stack: pulumi.Output<string>;
  /** `COMPONENT` */
  readonly service: pulumi.Output<string>;
  /** Tells it from another service that once had the same names. Not known before the first update. */
  readonly id: pulumi.Output<string>;
  /** `PROJECT-STACK-COMPONENT`: begins the names that have to be found again after the stack was destroyed. */
  readonly fullName: pulumi.Output<string>;

  /** `state` is that before this update: all that is made waits for it to be read. */
  constructor(owner: pulumi.ComponentResource, name: string, state: Promise<unknown>) {
    const now = `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
    const kept = new command.local.Command(
      `${name}-identity`,
      {
        create: MAKE_ID,
        environment: {
          IDENTITY: state.then(
            () => now,
            () => now,
          ),
        },
        logging: "none",
      },
      // What it says once stays said: no other name and no other script makes it run again.
      { parent: owner, ignoreChanges: ["*"] },
    );
    // From the input, which a preview knows too.
    this.path = kept.environment.apply((environment) => environment?.IDENTITY ?? now);
    this.stack = this.path.apply((path) => path.slice(0, path.lastIndexOf("/")));
    this.service = this.path.apply((path) => path.slice(path.lastIndexOf("/") + 1));
    this.id = kept.stdout;
    this.fullName = this.path.apply((path) => path.replaceAll("/", "-"));
  }
}

// Services of other stacks find these by the name of an ingress, and no two ingresses of one name can be on a host.
export const networkOf = (ingress: string): string => `bluegreen-${ingress}`;
export const stateVolumeOf = (ingress: string): string => `bluegreen-${ingress}-state`;

/** A private one (RFC 4193), the same for a network's name each time. */
export const ipv6SubnetOf = (network: string): string =>
  `fd${hash(network).slice(0, 10)}`.replace(/(....)(?=.)/g, "$1:") + "::/64";

const MAKE_ID = "od -An -N8 -tx1 /dev/urandom | tr -d ' \\n'";
