import * as aws from "@pulumi/aws";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { readFileSync } from "node:fs";
import { withDefaults, type Ec2HostArgs, type Settings } from "./args";
import { userData, waitScript } from "./userData";
import { refuseInvalid } from "./validate";

/** An EC2 instance with Docker. It is there when Docker answers over SSH. */
export class Ec2Host extends pulumi.ComponentResource {
  /** For the service's `host.address`. */
  public readonly address: pulumi.Output<string>;
  /** For the service's `host.hostKey`. */
  public readonly hostKey: pulumi.Output<string>;
  public readonly ip: pulumi.Output<string>;
  public readonly instanceId: pulumi.Output<string>;

  constructor(name: string, args: Ec2HostArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseInvalid(name, args);
    super("bluegreen:ec2:Ec2Host", name, {}, opts);
    const settings = withDefaults(args);
    const parts = new Parts(this, name, settings);

    const hostKey = parts.hostKey();
    const instance = parts.instance(hostKey);
    const address = parts.address();
    const attached = parts.attach(address, instance);
    parts.dns(address);
    const ready = parts.ready(instance, address, hostKey, attached);

    // What is only true once Docker answers is not said before.
    const whenReady = <T>(value: pulumi.Input<T>) =>
      pulumi.all([value, ready.id]).apply(([known]) => known as T);
    this.address = whenReady(pulumi.interpolate`ssh://${settings.user}@${address.publicIp}`);
    this.hostKey = whenReady(hostKey.publicKeyOpenssh.apply((key) => key.trim()));
    this.ip = whenReady(address.publicIp);
    this.instanceId = whenReady(instance.id);
    this.registerOutputs({
      address: this.address,
      hostKey: this.hostKey,
      ip: this.ip,
      instanceId: this.instanceId,
    });
  }
}

class Parts {
  private readonly tags: { [name: string]: string };

  constructor(
    private readonly owner: pulumi.Resource,
    private readonly name: string,
    private readonly settings: Settings,
  ) {
    this.tags = { Name: name };
  }

  /** Known before the host is, so that already the first connection is to nobody else. It is a secret in Pulumi's state. */
  hostKey(): tls.PrivateKey {
    return new tls.PrivateKey(
      `${this.name}-host-key`,
      { algorithm: "ED25519" },
      { parent: this.owner, protect: this.keep },
    );
  }

  instance(hostKey: tls.PrivateKey): aws.ec2.Instance {
    const { settings, tags } = this;
    const key = new aws.ec2.KeyPair(
      `${this.name}-key`,
      { publicKey: settings.publicKey, tags },
      { parent: this.owner },
    );
    const ami = aws.ssm.getParameterOutput({ name: settings.amiParameter }, { parent: this.owner });
    return new aws.ec2.Instance(
      this.name,
      {
        ami: ami.value,
        instanceType: settings.instanceType,
        keyName: key.keyName,
        subnetId: settings.subnetId,
        vpcSecurityGroupIds: [this.firewall().id],
        iamInstanceProfile: this.profile()?.name,
        userData: pulumi.secret(
          pulumi
            .all([hostKey.privateKeyOpenssh, hostKey.publicKeyOpenssh])
            .apply(([privateKey, publicKey]) => userData(settings, { privateKey, publicKey })),
        ),
        // Version 2 alone, and one hop: a container can neither take the instance's role nor read the user data.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        rootBlockDevice: { volumeType: "gp3", volumeSize: settings.volumeGb, encrypted: true, tags },
        // Against the console and the command line; Pulumi itself is held back by `protect`.
        disableApiTermination: true,
        forceDestroy: true,
        tags,
      },
      {
        parent: this.owner,
        protect: this.keep,
        // A newer AMI would replace the host; other user data or another key would not even have an effect without that.
        ignoreChanges: this.keep ? ["ami", "userData", "keyName"] : [],
        // Two can't have one address.
        deleteBeforeReplace: true,
      },
    );
  }

  /** Outlives the instance: names and settings elsewhere point to it. */
  address(): aws.ec2.Eip {
    const opts = { parent: this.owner, protect: this.keep };
    return new aws.ec2.Eip(`${this.name}-address`, { domain: "vpc", tags: this.tags }, opts);
  }

  attach(address: aws.ec2.Eip, instance: aws.ec2.Instance): aws.ec2.EipAssociation {
    return new aws.ec2.EipAssociation(
      `${this.name}-attached`,
      { instanceId: instance.id, allocationId: address.id },
      { parent: this.owner, deleteBeforeReplace: true },
    );
  }

  dns(address: aws.ec2.Eip): void {
    const { dns } = this.settings;
    if (dns === undefined) return;
    const record = { zoneId: dns.zoneId, name: dns.name, type: "A", ttl: 300, records: [address.publicIp] };
    new aws.route53.Record(`${this.name}-dns`, record, { parent: this.owner });
  }

  /** Fails, with the end of the host's log, if the first boot did. */
  ready(
    instance: aws.ec2.Instance,
    address: aws.ec2.Eip,
    hostKey: tls.PrivateKey,
    attached: aws.ec2.EipAssociation,
  ): command.remote.Command {
    const { user, privateKeyFile } = this.settings;
    return new command.remote.Command(
      `${this.name}-ready`,
      {
        connection: {
          host: address.publicIp,
          user,
          hostKey: hostKey.publicKeyOpenssh.apply((key) => key.trim()),
          privateKey: privateKeyFile && pulumi.secret(readFileSync(privateKeyFile, "utf8")),
          agentSocketPath: privateKeyFile ? undefined : process.env.SSH_AUTH_SOCK,
          // A host that boots refuses at first, a firewall that is not right never answers: 10 minutes at most.
          dialErrorLimit: 40,
          perDialTimeout: 15,
        },
        create: "sh -s",
        stdin: waitScript(),
        triggers: [instance.id],
        logging: "stdoutAndStderr",
      },
      { parent: this.owner, dependsOn: attached },
    );
  }

  private firewall(): aws.ec2.SecurityGroup {
    const { subnetId, sshFrom } = this.settings;
    const open = (port: number, cidrBlocks: string[]) => ({
      protocol: "tcp",
      fromPort: port,
      toPort: port,
      cidrBlocks,
    });
    return new aws.ec2.SecurityGroup(
      `${this.name}-firewall`,
      {
        description: "HTTP and HTTPS from everywhere, SSH from named networks",
        vpcId: subnetId && aws.ec2.getSubnetOutput({ id: subnetId }, { parent: this.owner }).vpcId,
        // In one place, so that a rule added by hand shows up as a change and goes away.
        ingress: [open(80, ["0.0.0.0/0"]), open(443, ["0.0.0.0/0"]), open(22, sshFrom)],
        egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
        tags: this.tags,
      },
      { parent: this.owner },
    );
  }

  /** What the host may do at AWS; without need for it, nothing. */
  private profile(): aws.iam.InstanceProfile | undefined {
    const { ecrRegistries, sessionManager } = this.settings;
    const policies = [
      ...(ecrRegistries.length > 0 ? ["AmazonEC2ContainerRegistryPullOnly"] : []),
      ...(sessionManager ? ["AmazonSSMManagedInstanceCore"] : []),
    ];
    if (policies.length === 0) return undefined;
    const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "ec2.amazonaws.com" });
    const role = new aws.iam.Role(
      `${this.name}-role`,
      { assumeRolePolicy, tags: this.tags },
      { parent: this.owner },
    );
    const attached = policies.map((policy) => {
      const policyArn = `arn:aws:iam::aws:policy/${policy}`;
      return new aws.iam.RolePolicyAttachment(
        `${this.name}-${policy}`,
        { role, policyArn },
        { parent: role },
      );
    });
    const use = { role: role.name, tags: this.tags };
    return new aws.iam.InstanceProfile(`${this.name}-profile`, use, { parent: role, dependsOn: attached });
  }

  private get keep(): boolean {
    return !this.settings.allowReplacement;
  }
}
