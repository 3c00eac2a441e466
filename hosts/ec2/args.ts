import type * as pulumi from "@pulumi/pulumi";

/** An EC2 instance that is ready for a BlueGreenService. What is refused, and with which words, is in validate.ts. */
export interface Ec2HostArgs {
  /** Your public SSH key, ED25519 or RSA: `ssh-ed25519 AAAA…`. A change has no effect on a host that is there. */
  publicKey: string;
  /** Path of the private key that goes with it, on the machine that runs Pulumi. Default: the SSH agent. */
  privateKeyFile?: string;
  /**
   * The IPv4 networks that may connect by SSH, such as `198.51.100.7/32`. Whoever deploys must come from one of them. The
   * whole Internet is refused.
   */
  sshFrom: string[];
  /** `arm64` (the default, cheaper) or `amd64`. The service's images must be made for it. */
  architecture?: string;
  /** Default: `t4g.small` for arm64, `t3.small` for amd64. A change stops and starts the host: some minutes of downtime. */
  instanceType?: string;
  /**
   * The SSM parameter that holds the AMI's id. Default: Canonical's Ubuntu 24.04 for the architecture. Debian works too, with its own
   * `user`; others don't, because Docker is installed by apt-get. A newer AMI in it is left alone: see `allowReplacement`.
   */
  amiParameter?: string;
  /** The AMI's login user. Default `ubuntu`. May use Docker, so it is as good as root there. */
  user?: string;
  /** Size of the disk in GiB, gp3 and encrypted. Default 20. It can grow, never shrink. */
  volumeGb?: number;
  /** A public subnet. Default: AWS chooses one of the default VPC's. */
  subnetId?: string;
  /**
   * ECR registries, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com`, that `docker pull` on the host is signed in to by the
   * instance's own role. Default none.
   */
  ecrRegistries?: string[];
  /** Whether AWS Systems Manager can open a session on the host, which needs no SSH. Default false. The AMI must have its agent, as Ubuntu's has. */
  sessionManager?: boolean;
  /** An A record in Route 53 that points to the host. */
  dns?: DnsArgs;
  /**
   * Leave to delete the host, and to replace it when there is a newer AMI or other user data. Default false: then such changes are ignored, and
   * whatever else would delete it fails. Containers, images and Redis's data are lost with it; the address stays.
   */
  allowReplacement?: boolean;
}

export interface DnsArgs {
  /** The full name, such as `shop.example.com`. */
  name: string;
  zoneId: pulumi.Input<string>;
}

/** The arguments with every default filled in. */
export type Settings = Required<Omit<Ec2HostArgs, "privateKeyFile" | "subnetId" | "dns">> &
  Pick<Ec2HostArgs, "privateKeyFile" | "subnetId" | "dns">;

const INSTANCE_TYPES: { [architecture: string]: string } = { arm64: "t4g.small", amd64: "t3.small" };

export function withDefaults(args: Ec2HostArgs): Settings {
  const architecture = args.architecture ?? "arm64";
  return {
    ...args,
    architecture,
    instanceType: args.instanceType ?? INSTANCE_TYPES[architecture],
    amiParameter:
      args.amiParameter ??
      `/aws/service/canonical/ubuntu/server/24.04/stable/current/${architecture}/hvm/ebs-gp3/ami-id`,
    user: args.user ?? "ubuntu",
    volumeGb: args.volumeGb ?? 20,
    ecrRegistries: args.ecrRegistries ?? [],
    sessionManager: args.sessionManager ?? false,
    allowReplacement: args.allowReplacement ?? false,
  };
}
