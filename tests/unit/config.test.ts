import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { toArgs } from "../../config";
import { findViolations } from "../../components/validate";
import { isSecret, mock, valueOf } from "./mocked";
import { stackConfig } from "./sources";

/** The lines of the error that a configuration is refused with. */
function mistakes(raw: { [key: string]: string }): string[] {
  try {
    toArgs(raw);
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    const [first, ...lines] = error.message.split("\n");
    assert.equal(first, `The stack's configuration has ${lines.length} mistake(s). Nothing was changed.`);
    return lines.map((line) => line.trim());
  }
  return [];
}

describe("the stack's configuration", () => {
  before(() => void mock());

  it("becomes arguments", () => {
    const args = toArgs({
      activeColor: "green",
      blueImage: "shop:1",
      greenImage: "shop:2",
      blueEnv: '{"STREAM":"a"}',
      env: '{"A":"b","N":3,"F":true}',
      command: '["serve","--all"]',
      volumes: '[{"volumeName":"data","containerPath":"/data","readOnly":"true"}]',
      health: '{"passes":"3","path":"/up"}',
      network: "backend",
    });
    assert.equal(args.activeColor, "green");
    assert.deepEqual(args.blue, { image: "shop:1", env: { STREAM: "a" } });
    assert.deepEqual(args.green, { image: "shop:2", env: {} });
    assert.deepEqual(args.env, { A: "b", N: "3", F: "true" });
    assert.deepEqual(args.command, ["serve", "--all"]);
    assert.deepEqual(args.volumes, [{ volumeName: "data", containerPath: "/data", readOnly: true }]);
    assert.deepEqual(args.health, { passes: 3, path: "/up" });
    assert.deepEqual(args.network, { name: "backend" });
  });

  for (const stack of ["dev", "prod"]) {
    it(`that of ${stack} is valid`, () => assert.deepEqual(findViolations(toArgs(stackConfig(stack))), []));
  }

  it("numbers and flags set on the command line are text", () => {
    const args = toArgs({
      containerPort: "8080",
      allowDowntime: "true",
      allowMovingTags: "false",
      drainSeconds: "0",
    });
    assert.deepEqual(
      [args.containerPort, args.allowDowntime, args.allowMovingTags, args.drainSeconds],
      [8080, true, false, 0],
    );
    const { proxy } = toArgs({ proxy: '{"port":"8080","buffering":"true","accessLog":false}' });
    assert.deepEqual(proxy, { port: 8080, buffering: true, accessLog: false });
  });

  it("a text stays a text, whatever it looks like", () => {
    for (const text of ["123", "true", "{}", '"a"', "null"])
      assert.equal(toArgs({ timeZone: text }).timeZone, text);
  });

  it("empty text and 0 stand for what is not set", () => {
    const args = toArgs({ network: "", memoryMb: "0", command: "[]", redisPassword: "" });
    assert.deepEqual(
      [args.network, args.memoryMb, args.command, args.redis?.password],
      [undefined, undefined, undefined, undefined],
    );
  });

  it("missing images and color are left to the component's validation", () => {
    const args = toArgs({});
    assert.deepEqual([args.activeColor, args.blue.image, args.green.image], ["", "", ""]);
  });

  it("what was set as a secret stays one, in every environment", async () => {
    const args = toArgs(
      { env: '{"A":"1"}', blueEnv: '{"B":"2"}', greenEnv: '{"C":"3"}' },
      (key) => key !== "env",
    );
    assert.equal(args.env?.A, "1");
    const secrets = [args.blue.env?.B, args.green.env?.C];
    assert.deepEqual(await Promise.all(secrets.map(isSecret)), [true, true]);
    assert.deepEqual(await valueOf(pulumi.all(secrets)), ["2", "3"]);
  });

  it("tls: the certificate and its key are keys of their own, and the key is a secret", async () => {
    const args = toArgs({
      tls: '{"names":["shop.example"],"port":"8443"}',
      tlsCertificate: "a certificate",
      tlsPrivateKey: "its key",
    });
    assert.deepEqual([args.tls?.names, args.tls?.port], [["shop.example"], 8443]);
    assert.equal(args.tls?.certificate, "a certificate");
    assert.equal(await valueOf(args.tls?.privateKey as pulumi.Output<string>), "its key");
    assert.ok(await isSecret(args.tls?.privateKey));
  });

  it("secrets are wrapped, and win over the same name in env", async () => {
    const args = toArgs({ env: '{"A":"b","T":"plain"}', secretEnv: '{"T":"hidden"}', redisPassword: "pw" });
    assert.equal(args.env?.A, "b");
    const values = [args.env?.T, args.redis?.password] as pulumi.Output<string>[];
    assert.deepEqual(await Promise.all(values.map(isSecret)), [true, true]);
    assert.deepEqual(await Promise.all(values.map(valueOf)), ["hidden", "pw"]);
  });

  it("private keys are wrapped", async () => {
    const { host } = toArgs({
      host: '{"address":"ssh://a@b","privateKey":"k1","connectTries":"3","bastion":{"address":"ssh://a@c","privateKey":"k2"}}',
    });
    assert.deepEqual(
      [host?.address, host?.connectTries, host?.bastion?.address],
      ["ssh://a@b", 3, "ssh://a@c"],
    );
    const keys = [host?.privateKey, host?.bastion?.privateKey] as pulumi.Output<string>[];
    assert.deepEqual(await Promise.all(keys.map(isSecret)), [true, true]);
    assert.deepEqual(await Promise.all(keys.map(valueOf)), ["k1", "k2"]);
    assert.equal(toArgs({ host: '{"address":"ssh://a@b"}' }).host?.privateKey, undefined);
  });

  it("unknown keys are named with the nearest one, at every depth", () => {
    assert.deepEqual(mistakes({ activeColour: "blue" }), [
      "activeColour: is no setting. Did you mean activeColor?",
    ]);
    assert.deepEqual(mistakes({ health: '{"pth":"/up"}' }), [
      "health.pth: is no setting. Did you mean path?",
    ]);
    assert.deepEqual(mistakes({ proxy: '{"prot":80}' }), ["proxy.prot: is no setting. Did you mean port?"]);
    assert.deepEqual(mistakes({ host: '{"bastion":{"address":"a","hostkey":"b"}}' }), [
      "host.bastion.hostkey: is no setting. Did you mean hostKey?",
    ]);
    assert.deepEqual(
      mistakes({
        volumes: '[{"volumeName":"a","containerPath":"/a"},{"hostpath":"/a","containerPath":"/a"}]',
      }),
      ["volumes[1].hostpath: is no setting. Did you mean hostPath?"],
    );
  });

  const wrong: { [what: string]: [key: string, value: string, path: string] } = {
    "text for a number": ["containerPort", "many", "containerPort"],
    "nothing for a number": ["containerPort", "", "containerPort"],
    "text for a flag": ["allowDowntime", "yes", "allowDowntime"],
    "text for an object": ["health", "/up", "health"],
    "a list for an object": ["health", "[]", "health"],
    "text for a list": ["command", "serve --all", "command"],
    "an object in a list of texts": ["command", '["a",{}]', "command[1]"],
    "an object for a variable": ["env", '{"A":{"B":1}}', "env.A"],
    "null for a variable": ["env", '{"A":null}', "env.A"],
    "a list for a variable": ["labels", '{"A":["b"]}', "labels.A"],
    "a flag for a number": ["health", '{"passes":true}', "health.passes"],
    "a list for a number": ["proxy", '{"port":[]}', "proxy.port"],
    "null for a number": ["logs", '{"maxFiles":null}', "logs.maxFiles"],
    "a volume without its path": ["volumes", '[{"volumeName":"a"}]', "volumes[0].containerPath"],
  };
  for (const [what, [key, value, path]] of Object.entries(wrong)) {
    it(`refused: ${what}`, () => {
      const lines = mistakes({ [key]: value });
      assert.deepEqual(
        lines.map((line) => line.slice(0, line.indexOf(":"))),
        [path],
      );
    });
  }

  it("U12: a number or a flag that stands for text is taken as text", () => {
    assert.deepEqual(toArgs({ command: '["serve","--port",3000,true]' }).command, [
      "serve",
      "--port",
      "3000",
      "true",
    ]);
    const volumes = '[{"volumeName":1,"containerPath":"/a"}]';
    assert.equal(toArgs({ volumes }).volumes?.[0].volumeName, "1");
  });

  it("U12: one that may have been written in another way is refused, with the way out", () => {
    for (const number of ["1.1", "12345678901234567890"]) {
      for (const [key, value, path] of [
        ["command", `["serve",${number}]`, "command[1]"],
        ["env", `{"A":${number}}`, "env.A"],
      ])
        assert.deepEqual(mistakes({ [key]: value }), [
          `${path}: is a number, and how it was written can't be told: put it in quotes in YAML, or use 'pulumi config set --path --type string'`,
        ]);
    }
  });

  it("U12: what a value must be is told in words of ours", () => {
    const raw = {
      health: "/up",
      command: "serve",
      containerPort: "x",
      allowDowntime: "yes",
      volumes: "[{}]",
    };
    assert.deepEqual(mistakes({ ...raw, env: '{"A":null}' }).sort(), [
      "allowDowntime: must be true or false",
      "command: must be a list: set its items, one by one, with 'pulumi config set --path', as NAME[0], NAME[1], …",
      "containerPort: must be a number",
      "env.A: must be text",
      "health: must be an object: set what is in it, one by one, with 'pulumi config set --path'",
      "volumes[0].containerPath: is missing",
    ]);
  });

  it("U13: a setting is guessed only when it is near", () => {
    for (const [key, guess] of [
      ["prt", "port"],
      ["prot", "port"],
      ["hostheader", undefined],
      ["xyz", undefined],
    ] as const)
      assert.deepEqual(mistakes({ proxy: `{"${key}":1}` }), [
        `proxy.${key}: is no setting.${guess === undefined ? "" : ` Did you mean ${guess}?`}`,
      ]);
    assert.deepEqual(mistakes({ health: '{"palm":1}' }), ["health.palm: is no setting."]);
    assert.deepEqual(mistakes({ dependsOn: "x" }), ["dependsOn: is no setting."]);
  });

  it("all mistakes at once", () => {
    const lines = mistakes({ containerPort: "x", healt: "{}", redis: '{"enabeld":true}', idle: "running" });
    assert.deepEqual(lines.map((line) => line.slice(0, line.indexOf(":"))).sort(), [
      "containerPort",
      "healt",
      "redis.enabeld",
    ]);
  });

  it("a mistake in a secret does not print it", () => {
    const lines = mistakes({ secretEnv: '{"T":{"inner":"s3cr3t"}}' });
    assert.doesNotMatch(lines.join("\n"), /s3cr3t/);
  });
});
