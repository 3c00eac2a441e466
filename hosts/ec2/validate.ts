import * as pulumi from "@pulumi/pulumi";
import { isIPv4 } from "node:net";
import { withDefaults, type Ec2HostArgs } from "./args";

/** One thing that is wrong: where, and why. */
export interface Violation {
  propertyPath: string;
  reason: string;
}

/** Throws one error with every violation, before any resource is declared. */
export function refuseInvalid(name: string, args: Ec2HostArgs): void {
  const violations = findViolations(args);
  if (violations.length === 0) return;
  const list = violations.map((v) => `  ${v.propertyPath}: ${v.reason}`).join("\n");
  throw new pulumi.InputPropertiesError({
    message: `${name}: ${violations.length} invalid setting(s). Nothing was changed.\n${list}`,
    errors: violations,
  });
}

export function findViolations(args: Ec2HostArgs): Violation[] {
  const settings = withDefaults(args);
  const found: Violation[] = [];
  const refuse = (propertyPath: string, reason: string) => found.push({ propertyPath, reason });
  const check = (propertyPath: string, value: string, pattern: RegExp, wanted: string) => {
    if (!pattern.test(value)) refuse(propertyPath, `is ${show(value)}, but must be ${wanted}`);
  };

  check(
    "publicKey",
    settings.publicKey,
    /^ssh-(ed25519|rsa) [A-Za-z0-9+/=]+( [^\n]*)?$/,
    "a public key on one line: ssh-ed25519 or ssh-rsa",
  );
  checkNetworks(settings.sshFrom, refuse);
  check("architecture", settings.architecture, /^(arm64|amd64)$/, '"arm64" or "amd64"');
  if (settings.instanceType !== undefined)
    checkInstanceType(settings.architecture, settings.instanceType, refuse);
  check("amiParameter", settings.amiParameter, /^\/[\w./-]+$/, "the path of an SSM parameter");
  check("user", settings.user, /^[a-z_][a-z0-9_-]*$/, "the name of a user");
  if (!Number.isInteger(settings.volumeGb) || settings.volumeGb < 8 || settings.volumeGb > 16384) {
    refuse("volumeGb", `is ${show(settings.volumeGb)}, but must be a whole number from 8 to 16384`);
  }
  if (settings.subnetId !== undefined)
    check("subnetId", settings.subnetId, /^subnet-[0-9a-f]+$/, "the id of a subnet");
  settings.ecrRegistries.forEach((registry, i) =>
    check(
      `ecrRegistries[${i}]`,
      registry,
      /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com$/,
      "as 123456789012.dkr.ecr.REGION.amazonaws.com, without a repository",
    ),
  );
  if (settings.dns !== undefined) {
    check("dns.name", settings.dns.name, /^([a-z0-9-]+\.)+[a-z]+$/, "a full name such as shop.example.com");
    if (!settings.dns.zoneId)
      refuse("dns.zoneId", "is missing: the id of the Route 53 zone that the name is in");
  }
  return found;
}

type Refuse = (propertyPath: string, reason: string) => void;

function checkNetworks(networks: string[], refuse: Refuse) {
  if (networks.length === 0)
    refuse("sshFrom", "is empty: name the networks that deploy, such as 198.51.100.7/32");
  networks.forEach((network, i) => {
    const [address, prefix, ...more] = network.split("/");
    if (/^(0*:[0:]*|0+(\.0+)*)\/0+$/.test(network)) {
      refuse(
        `sshFrom[${i}]`,
        `is ${show(network)}, the whole Internet: name the networks that deploy, such as 198.51.100.7/32`,
      );
    } else if (!isIPv4(address) || !/^([0-9]|[12][0-9]|3[0-2])$/.test(prefix ?? "") || more.length > 0) {
      refuse(`sshFrom[${i}]`, `is ${show(network)}, but must be an IPv4 network such as 198.51.100.7/32`);
    } else if (Number(prefix) < 8) {
      refuse(
        `sshFrom[${i}]`,
        `is ${show(network)}, a large part of the Internet: /8 is the most that is let in`,
      );
    }
  });
}

/** AWS itself would notice only in the middle of an update. */
function checkInstanceType(architecture: string, instanceType: string, refuse: Refuse) {
  if (!/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(instanceType)) {
    return refuse("instanceType", `is ${show(instanceType)}, but must be a type such as "t4g.small"`);
  }
  // Graviton families have a g right after their number: t4g, m7gd, c8gn; a1 is the one from before that rule.
  const itsOwn = /^(a1|[a-z]+\d+g[a-z-]*)\./.test(instanceType) ? "arm64" : "amd64";
  if (architecture !== itsOwn) {
    refuse(
      "instanceType",
      `is ${show(instanceType)}, which is ${itsOwn}, while architecture is ${show(architecture)}`,
    );
  }
}

const show = (value: unknown) => JSON.stringify(value) ?? "missing";
