import {
  Secret,
  type ReportViolation,
  type ResourceValidation,
  type ResourceValidationPolicy,
} from "@pulumi/policy";

// What BlueGreenService itself leaves to its user, or would do when it is told to. The rules look at resources, not at arguments: so
// they hold for whatever else is in the stack too, and for a stack of hosts/ec2.

const CONTAINER = "docker:index/container:Container";

/** The properties of a Docker container that the rules look at. */
interface Container {
  image?: string;
  envs?: string[];
  ports?: unknown[];
  volumes?: { hostPath?: string }[];
  mounts?: { source?: string }[];
  healthcheck?: object;
  labels?: { label: string; value: string }[];
}

/** All of them look at one resource by itself, so that they hold in a preview too, where outputs are not known yet. */
export type Rule = ResourceValidationPolicy & { validateResource: ResourceValidation };

/** A rule about each container. */
function onContainers(
  name: string,
  description: string,
  validate: (container: Container, report: ReportViolation, urn: string) => void,
): Rule {
  return {
    name,
    description,
    validateResource: ({ type, props, urn }, report) => {
      if (type === CONTAINER) validate(props, report, urn);
    },
  };
}

export const noMovingTags = onContainers(
  "no-moving-tags",
  "An image has a tag that does not move, or a digest.",
  ({ image }, report) => {
    if (image === undefined || image.includes("@sha256:")) return;
    const tag = /:([\w.-]+)$/.exec(image)?.[1];
    if (tag === undefined) report(`The image ${image} has no tag, so Docker takes "latest". Name a version.`);
    else if (/^(latest|stable|edge|nightly|main|master|dev)$/.test(tag))
      report(
        `The tag of ${image} moves: what it names today can't be rolled back to tomorrow. Name a version.`,
      );
  },
);

const SOCKET_FOLDERS = ["/", "/run", "/var", "/var/run"];

export const noDockerSocket = onContainers(
  "no-docker-socket",
  "No container gets the Docker socket of its host.",
  ({ volumes = [], mounts = [] }, report) => {
    const sources = [...volumes.map(({ hostPath }) => hostPath), ...mounts.map(({ source }) => source)];
    for (const source of sources) {
      const folder = source?.replace(/(?<=.)\/+$/, "") ?? "";
      if (folder.endsWith("docker.sock") || SOCKET_FOLDERS.includes(folder))
        report(
          `${source} is mounted: with Docker's socket, whoever breaks into the container is root on the host.`,
        );
    }
  },
);

export const redisNotPublished = onContainers(
  "redis-not-published",
  "Redis is reached through the Docker network alone.",
  ({ image, ports = [], labels = [] }, report) => {
    const isRedis =
      /(^|\/)(redis|valkey)(-stack(-server)?)?([:@]|$)/.test(image ?? "") || roleOf(labels) === "redis";
    if (isRedis && ports.length > 0)
      report("Redis is published on the host. Leave its ports out: the colors reach it by name.");
  },
);

/** Of each container: whether its whole environment is a secret in Pulumi's state, or else which variables are. */
const encrypted = new Map<string, boolean | boolean[]>();

/**
 * A rule is given the values, not whether they are secrets; only a remediation is. So there is one that changes nothing and
 * takes note. `__getSpecialProxyTarget` is how the SDK itself looks behind its proxies, of which there are two.
 */
const behindProxies = (props: unknown): { envs?: Secret | unknown[] } =>
  (props as { __getSpecialProxyTarget: { __getSpecialProxyTarget: object } }).__getSpecialProxyTarget
    .__getSpecialProxyTarget;

const SECRET_NAME =
  /(PASSW(OR)?D|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)/i;
const SECRET_VALUE = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|:\/\/[^/\s:@]*:[^/\s@]+@/;

export const noPlainSecrets: Rule = {
  ...onContainers(
    "no-plain-secrets",
    "Passwords, tokens and keys are Pulumi secrets.",
    ({ envs = [] }, report, urn) => {
      const noted = encrypted.get(urn);
      envs.forEach((env, i) => {
        const [name, value] = [env.slice(0, env.indexOf("=")), env.slice(env.indexOf("=") + 1)];
        const isSecret = Array.isArray(noted) ? noted[i] : noted;
        if (isSecret || value === "" || !(SECRET_NAME.test(name) || SECRET_VALUE.test(value))) return;
        report(
          `${name} looks like a secret and is plain text: pulumi config set --secret --path env.${name}`,
        );
      });
    },
  ),
  // No other level is given to remediations; what is reported still fails the update.
  enforcementLevel: "remediate",
  remediateResource: ({ type, urn, props }) => {
    if (type !== CONTAINER) return undefined;
    const { envs } = behindProxies(props);
    encrypted.set(
      urn,
      Array.isArray(envs) ? envs.map((env) => env instanceof Secret) : envs instanceof Secret,
    );
    return undefined;
  },
};

const OF_A_SERVICE = "::bluegreen:index:BlueGreenService$";

export const healthChecked = onContainers(
  "health-checked",
  "Whatever serves has a health check: the gate of a BlueGreenService, or Docker's own.",
  ({ ports = [], healthcheck }, report, urn) => {
    if (ports.length === 0 || healthcheck !== undefined || urn.includes(OF_A_SERVICE)) return;
    report(
      "The container publishes a port and has no health check: add healthcheck, or serve it with a BlueGreenService.",
    );
  },
);

export const noSshFromAnywhere: Rule = {
  name: "no-ssh-from-anywhere",
  description: "SSH is open to named networks only.",
  validateResource: ({ type, props }, report) => {
    const open = rulesOf(type, props).filter((rule) => reachesSsh(rule) && rule.networks.some(isEveryone));
    for (const { networks } of open)
      report(`SSH is open to ${networks.filter(isEveryone).join(" and ")}. Name the networks that deploy.`);
  },
};

interface FirewallRule {
  protocol: string;
  fromPort?: number;
  toPort?: number;
  networks: string[];
}

const isEveryone = (network: string) => /\/0+$/.test(network);

const reachesSsh = ({ protocol, fromPort, toPort }: FirewallRule) =>
  ["-1", "all"].includes(protocol) ||
  (["tcp", "6"].includes(protocol) && (fromPort ?? 0) <= 22 && (toPort ?? 65_535) >= 22);

/** What a resource lets in, in each of the three ways that AWS knows. */
function rulesOf(type: string, props: { [name: string]: unknown }): FirewallRule[] {
  const read = (rule: { [name: string]: unknown }): FirewallRule => ({
    protocol: String(rule.protocol ?? rule.ipProtocol),
    fromPort: rule.fromPort as number | undefined,
    toPort: rule.toPort as number | undefined,
    networks: [rule.cidrBlocks, rule.ipv6CidrBlocks, rule.cidrIpv4, rule.cidrIpv6]
      .flat()
      .filter(Boolean) as string[],
  });
  switch (type) {
    case "aws:ec2/securityGroup:SecurityGroup":
      return ((props.ingress ?? []) as { [name: string]: unknown }[]).map(read);
    case "aws:ec2/securityGroupRule:SecurityGroupRule":
      return props.type === "ingress" ? [read(props)] : [];
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
      return [read(props)];
    default:
      return [];
  }
}

const roleOf = (labels: NonNullable<Container["labels"]>) =>
  labels.find(({ label }) => label === "bluegreen.role")?.value;

export const rules: Rule[] = [
  noMovingTags,
  noSshFromAnywhere,
  noPlainSecrets,
  redisNotPublished,
  healthChecked,
  noDockerSocket,
];
