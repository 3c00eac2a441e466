import type { ResourceValidationArgs } from "@pulumi/policy";
import assert from "node:assert/strict";
import * as rules from "../../policy/rules";

const CONTAINER = "docker:index/container:Container";
const PARENT = "bluegreen:index:BlueGreenService";

/** What a rule says about a resource. */
function reports(rule: rules.Rule, type: string, props: object, parent = ""): string[] {
  const said: string[] = [];
  const urn = `urn:pulumi:prod::shop::${parent && `${parent}$`}${type}::it`;
  const resource = { type, props, urn, name: "it" } as unknown as ResourceValidationArgs;
  void rule.validateResource(resource, (message) => void said.push(message));
  return said;
}

/** Inputs that a rule takes, and inputs that it reports, for one type of resource. */
function table(rule: rules.Rule, type: string, good: object[], bad: object[]) {
  for (const props of good)
    it(`takes ${JSON.stringify(props)}`, () => assert.deepEqual(reports(rule, type, props), []));
  for (const props of bad)
    it(`refuses ${JSON.stringify(props)}`, () => assert.equal(reports(rule, type, props).length, 1));
}

describe("the policy pack", () => {
  it("has every rule that it exports", () => {
    const { rules: all, ...each } = rules;
    assert.deepEqual(new Set(all), new Set(Object.values(each)));
  });

  describe("no-moving-tags", () =>
    table(
      rules.noMovingTags,
      CONTAINER,
      ["shop:1.4.2", "reg.example:5000/shop:v2", `shop@sha256:${"0a".repeat(32)}`, "shop:latest-1.2"].map(
        (image) => ({ image }),
      ),
      ["shop", "shop:latest", "reg.example:5000/shop", "shop:main", "nginx:stable"].map((image) => ({
        image,
      })),
    ));

  describe("no-docker-socket", () =>
    table(
      rules.noDockerSocket,
      CONTAINER,
      [
        {},
        { volumes: [{ hostPath: "/srv/data" }, { volumeName: "data" }] },
        { volumes: [{ hostPath: "/var/lib/data" }] },
      ],
      [
        { volumes: [{ hostPath: "/var/run/docker.sock" }] },
        { volumes: [{ hostPath: "/srv" }, { hostPath: "/run/user/1000/docker.sock" }] },
        { volumes: [{ hostPath: "/" }] },
        { volumes: [{ hostPath: "/var/run/" }] },
        { mounts: [{ source: "/run" }] },
      ],
    ));

  describe("redis-not-published", () =>
    table(
      rules.redisNotPublished,
      CONTAINER,
      [
        { image: "redis:8.0.6" },
        { image: "redis:8.0.6", ports: [] },
        { image: "predis-ui:1", ports: [{ internal: 80 }] },
      ],
      [
        { image: "redis:8.0.6", ports: [{ internal: 6379 }] },
        { image: "reg.example/redis@sha256:0a", ports: [{ internal: 6379, ip: "127.0.0.1" }] },
        { image: "own:1", labels: [{ label: "bluegreen.role", value: "redis" }], ports: [{ internal: 1 }] },
      ],
    ));

  describe("health-checked", () => {
    const published = { image: "shop:1", ports: [{ internal: 3000, external: 80 }] };
    table(
      rules.healthChecked,
      CONTAINER,
      [{ image: "shop:1" }, { ...published, healthcheck: { tests: ["CMD", "true"] } }],
      [published],
    );
    it("leaves a service's own edge, behind which is the gate", () =>
      assert.deepEqual(reports(rules.healthChecked, CONTAINER, published, PARENT), []));
  });

  describe("no-plain-secrets", () => {
    const env = (...envs: string[]) => ({ envs });
    table(
      rules.noPlainSecrets,
      CONTAINER,
      [env("PORT=3000", "TOKENIZER=bpe", "PASSWORD="), env("DATABASE_URL=postgres://db/shop"), {}],
      [
        env("DB_PASSWORD=x"),
        env("apiKey=x"),
        env("STRIPE_SECRET_KEY=x"),
        env("DATABASE_URL=postgres://me:x@db/shop"),
        env("ID=AKIAABCDEFGHIJKLMNOP"),
        env("KEY=-----BEGIN OPENSSH PRIVATE KEY-----\nx"),
      ],
    );
  });

  describe("no-ssh-from-anywhere", () => {
    const world = { cidrBlocks: ["0.0.0.0/0"] };
    const group = (...ingress: object[]) => ({ ingress });
    describe("in a security group", () =>
      table(
        rules.noSshFromAnywhere,
        "aws:ec2/securityGroup:SecurityGroup",
        [
          {},
          group({ protocol: "tcp", fromPort: 80, toPort: 80, ...world }),
          group({ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["198.51.100.7/32"] }),
          group({ protocol: "udp", fromPort: 0, toPort: 65_535, ...world }),
        ],
        [
          group({ protocol: "tcp", fromPort: 22, toPort: 22, ...world }),
          group({ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["198.51.100.7/32", "0.0.0.0/0"] }),
          group({ protocol: "tcp", fromPort: 0, toPort: 65_535, ipv6CidrBlocks: ["::/0"] }),
          group({ protocol: "-1", fromPort: 0, toPort: 0, ...world }),
        ],
      ));
    describe("in a rule of its own", () =>
      table(
        rules.noSshFromAnywhere,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        [{ ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "198.51.100.0/24" }],
        [
          { ipProtocol: "tcp", fromPort: 20, toPort: 30, cidrIpv4: "0.0.0.0/0" },
          { ipProtocol: "-1", cidrIpv6: "::/0" },
        ],
      ));
    describe("in a rule of the older kind", () =>
      table(
        rules.noSshFromAnywhere,
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        [{ type: "egress", protocol: "-1", fromPort: 0, toPort: 0, ...world }],
        [{ type: "ingress", protocol: "tcp", fromPort: 22, toPort: 22, ...world }],
      ));
  });
});
