import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { declare, valueOf, type Mocked } from "./mocked";
import { LEAST } from "./valid";

describe("the EC2 host, with mocks of AWS", () => {
  let least: Mocked;
  before(async () => void (least = await declare(LEAST)));

  it("declares exactly these resources", () => {
    const types = Object.entries(least.resources).map(([name, { type }]) => [name, type]);
    assert.deepEqual(Object.fromEntries(types), {
      "host-key": "tls:index/privateKey:PrivateKey",
      key: "aws:ec2/keyPair:KeyPair",
      firewall: "aws:ec2/securityGroup:SecurityGroup",
      shop: "aws:ec2/instance:Instance",
      address: "aws:ec2/eip:Eip",
      attached: "aws:ec2/eipAssociation:EipAssociation",
      ready: "command:remote:Command",
    });
  });

  it("lets the world in on 80 and 443, the named networks on 22, and nobody on anything else", async () => {
    const { firewall } = (await declare({ ...LEAST, sshFrom: ["198.51.100.7/32", "192.0.2.0/24"] }))
      .resources;
    const rules = (firewall.inputs.ingress as { [key: string]: unknown }[]).map(
      ({ protocol, fromPort, toPort, cidrBlocks }) => [protocol, fromPort, toPort, cidrBlocks],
    );
    assert.deepEqual(rules, [
      ["tcp", 80, 80, ["0.0.0.0/0"]],
      ["tcp", 443, 443, ["0.0.0.0/0"]],
      ["tcp", 22, 22, ["198.51.100.7/32", "192.0.2.0/24"]],
    ]);
  });

  it("refuses SSH from everywhere before it declares anything", async () => {
    await assert.rejects(
      declare({ ...LEAST, sshFrom: ["0.0.0.0/0"] }),
      /sshFrom\[0\]: is "0\.0\.0\.0\/0", the whole Internet/,
    );
  });

  it("asks for IMDSv2 alone, within one hop, and an encrypted gp3 disk", () => {
    const { inputs } = least.resources.shop;
    assert.deepEqual(inputs.metadataOptions, {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
    const { volumeType, volumeSize, encrypted } = inputs.rootBlockDevice as { [key: string]: unknown };
    assert.deepEqual(
      { volumeType, volumeSize, encrypted },
      { volumeType: "gp3", volumeSize: 20, encrypted: true },
    );
  });

  it("takes the AMI from the SSM parameter of the architecture", async () => {
    const ubuntu = "/aws/service/canonical/ubuntu/server/24.04/stable/current";
    assert.equal(least.calls[0].name, `${ubuntu}/arm64/hvm/ebs-gp3/ami-id`);
    assert.equal(least.resources.shop.inputs.instanceType, "t4g.small");
    assert.equal(least.resources.shop.inputs.ami, "ami-1");

    const amd64 = await declare({ ...LEAST, architecture: "amd64" });
    assert.equal(amd64.calls[0].name, `${ubuntu}/amd64/hvm/ebs-gp3/ami-id`);
    assert.equal(amd64.resources.shop.inputs.instanceType, "t3.small");

    const own = await declare({ ...LEAST, amiParameter: "/own/ami" });
    assert.equal(own.calls[0].name, "/own/ami");
  });

  it("keeps the host, whatever AMI is the newest; with leave it may go", async () => {
    const guarded = ["shop", "address", "host-key"];
    for (const name of guarded) assert.equal(least.resources[name].opts.protect, true, name);
    assert.deepEqual(least.resources.shop.opts.ignoreChanges, ["ami", "userData", "keyName"]);
    assert.equal(least.resources.shop.inputs.disableApiTermination, true);

    const { resources } = await declare({ ...LEAST, allowReplacement: true });
    for (const name of guarded) assert.equal(resources[name].opts.protect, false, name);
    assert.deepEqual(resources.shop.opts.ignoreChanges, []);
    assert.equal(resources.shop.opts.deleteBeforeReplace, true);
  });

  it("gives the host its key before it is there, as a secret, and connects to nobody else", async () => {
    const { inputs, secrets } = least.resources.shop;
    assert.match(inputs.userData as string, /"ed25519_private": "PRIVATE"/);
    assert.deepEqual(secrets, ["userData"]);
    const { connection } = least.resources.ready.inputs as { connection: { [key: string]: unknown } };
    assert.equal(connection.hostKey, "ssh-ed25519 HOST");
    assert.equal(await valueOf(least.host.hostKey), "ssh-ed25519 HOST");
  });

  it("is there when Docker answers at its address", async () => {
    const { ready, attached } = least.resources;
    assert.deepEqual(attached.inputs, { instanceId: "shop-id", allocationId: "shop-address-id" });
    assert.match(ready.inputs.stdin as string, /docker version/);
    assert.deepEqual(ready.inputs.triggers, ["shop-id"]);
    const after = (await urnsOf(ready.opts.dependsOn)).map((urn) => urn.split("::").at(-1));
    assert.deepEqual(after, ["shop-attached"]);
    assert.equal(await valueOf(least.host.address), "ssh://ubuntu@192.0.2.10");
  });

  it("connects with a key from a file, or else with the agent", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-ec2-"));
    try {
      const privateKeyFile = path.join(folder, "key");
      writeFileSync(privateKeyFile, "MINE");
      const { connection } = (await declare({ ...LEAST, privateKeyFile })).resources.ready.inputs;
      assert.equal(connection.privateKey, "MINE");
      assert.equal(connection.agentSocketPath, undefined);
      assert.equal(least.resources.ready.inputs.connection.privateKey, undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has no rights at AWS, unless for ECR or a session", async () => {
    assert.equal(least.resources.shop.inputs.iamInstanceProfile, undefined);
    const policies = async (args: object) => {
      const { resources } = await declare({ ...LEAST, ...args });
      assert.equal(resources.shop.inputs.iamInstanceProfile, "shop-profile");
      return Object.values(resources)
        .filter(({ type }) => type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        .map(({ inputs }) => (inputs.policyArn as string).split("/").at(-1));
    };
    const ecrRegistries = ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"];
    assert.deepEqual(await policies({ ecrRegistries }), ["AmazonEC2ContainerRegistryPullOnly"]);
    assert.deepEqual(await policies({ sessionManager: true }), ["AmazonSSMManagedInstanceCore"]);
    assert.equal((await policies({ ecrRegistries, sessionManager: true })).length, 2);
  });

  it("puts the firewall into the subnet's network", async () => {
    assert.equal(least.resources.firewall.inputs.vpcId, undefined);
    const { resources } = await declare({ ...LEAST, subnetId: "subnet-0a" });
    assert.equal(resources.shop.inputs.subnetId, "subnet-0a");
    assert.equal(resources.firewall.inputs.vpcId, "vpc-1");
  });

  it("makes a DNS record only when it is asked to", async () => {
    const { dns } = (await declare({ ...LEAST, dns: { name: "shop.example.com", zoneId: "Z1" } })).resources;
    assert.deepEqual(dns.inputs, {
      zoneId: "Z1",
      name: "shop.example.com",
      type: "A",
      ttl: 300,
      records: ["192.0.2.10"],
    });
  });
});

async function urnsOf(dependsOn: pulumi.CustomResourceOptions["dependsOn"]): Promise<string[]> {
  const resources = [dependsOn].flat() as pulumi.Resource[];
  return Promise.all(resources.map(({ urn }) => valueOf(urn)));
}
