import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import type { Ec2HostArgs } from "../args";
import { findViolations, refuseInvalid } from "../validate";
import { LEAST } from "./valid";

/** One setting with its good and its bad values. */
const RULES: { [K in keyof Ec2HostArgs]?: { good: unknown[]; bad: unknown[] } } = {
  publicKey: {
    good: ["ssh-rsa AAAAB3NzaC1yc2E=", "ssh-ed25519 AAAA you@example with a comment"],
    bad: [
      "",
      "AAAA",
      "ssh-dss AAAA",
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      "ssh-ed25519 AAAA\nssh-ed25519 BBBB",
    ],
  },
  sshFrom: {
    good: [["198.51.100.7/32"], ["10.0.0.0/8", "192.0.2.0/24"]],
    bad: [
      [],
      ["0.0.0.0/0"],
      ["198.51.100.7/32", "0.0.0.0/0"],
      ["0.0.0.0/00"],
      ["1.2.3.4/0"],
      ["0.0.0.0/1"],
      ["::/0"],
      ["0::0/0"],
      ["0:0:0:0:0:0:0:0/0"],
      ["2001:db8::/32"],
      ["198.51.100.7"],
      ["198.51.100.7/33"],
      ["198.51.100.7/32/0"],
      ["198.51.100/24"],
      ["everyone"],
      [""],
    ],
  },
  architecture: { good: ["arm64", "amd64", undefined], bad: ["x86_64", "", "ARM64"] },
  amiParameter: { good: ["/aws/service/debian/release/13/latest/arm64"], bad: ["", "ami-0123", "/a b"] },
  user: { good: ["admin", "ec2-user"], bad: ["", "Admin", "a b", "$(id)"] },
  volumeGb: { good: [8, 100], bad: [0, 7, 8.5, NaN, 20_000, "20"] },
  subnetId: { good: ["subnet-0a1b2c"], bad: ["", "vpc-0a1b2c", "subnet-"] },
  ecrRegistries: {
    good: [[], ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"]],
    bad: [["docker.io"], ["123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop"], ['"; id'], [""]],
  },
  dns: {
    good: [{ name: "shop.example.com", zoneId: "Z1" }],
    bad: [
      { name: "shop", zoneId: "Z1" },
      { name: "", zoneId: "Z1" },
      { name: "shop.example.com", zoneId: "" },
    ],
  },
};

const violationsOf = (args: Partial<Record<keyof Ec2HostArgs, unknown>>) =>
  findViolations({ ...LEAST, ...args } as Ec2HostArgs);

describe("the settings of the EC2 host", () => {
  it("the least is valid", () => assert.deepEqual(findViolations(LEAST), []));

  for (const [setting, { good, bad }] of Object.entries(RULES)) {
    for (const value of good)
      it(`${setting} takes ${JSON.stringify(value)}`, () =>
        assert.deepEqual(violationsOf({ [setting]: value }), []));
    for (const value of bad)
      it(`${setting} refuses ${JSON.stringify(value)}`, () => {
        const paths = violationsOf({ [setting]: value }).map(({ propertyPath }) => propertyPath);
        assert.equal(paths.length, 1, paths.join());
        assert.ok(paths[0].startsWith(setting), paths[0]);
      });
  }

  it("says of the whole Internet what it is, and names the one that is wrong", () => {
    for (const network of ["0.0.0.0/0", "::/0"]) {
      const [violation] = violationsOf({ sshFrom: ["198.51.100.7/32", network] });
      assert.equal(violation.propertyPath, "sshFrom[1]");
      assert.match(violation.reason, /the whole Internet/);
    }
  });

  const fitting = {
    arm64: ["t4g.small", "m7gd.large", "c8gn.xlarge", "a1.medium", "im4gn.large", "g5g.xlarge", "m7g.metal"],
    amd64: [
      "t3.small",
      "t3a.nano",
      "m5.large",
      "g4dn.xlarge",
      "c7i-flex.large",
      "u-6tb1.56xlarge",
      "m5.metal",
    ],
  };
  for (const [architecture, types] of Object.entries(fitting)) {
    const other = architecture === "arm64" ? "amd64" : "arm64";
    for (const instanceType of types) {
      it(`${instanceType} is ${architecture}, not ${other}`, () => {
        assert.deepEqual(violationsOf({ architecture, instanceType }), []);
        assert.match(
          violationsOf({ architecture: other, instanceType })[0].reason,
          new RegExp(`is ${architecture}`),
        );
      });
    }
  }

  it("refuses what is no instance type", () =>
    assert.equal(violationsOf({ instanceType: "small" }).length, 1));

  it("tells all at once, in one error, by path", () => {
    const args = { publicKey: "x", sshFrom: ["0.0.0.0/0"], volumeGb: 1 };
    assert.throws(
      () => refuseInvalid("shop", args),
      (error) => {
        assert.ok(error instanceof pulumi.InputPropertiesError);
        const paths = error.errors?.map(({ propertyPath }) => propertyPath);
        assert.deepEqual(paths, ["publicKey", "sshFrom[0]", "volumeGb"]);
        assert.match(error.message, /^shop: 3 invalid setting\(s\)\. Nothing was changed\./);
        return true;
      },
    );
  });
});
