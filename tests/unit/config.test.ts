import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { findViolations } from "../../components/settings";
import { argumentsOf } from "../../components/settings/config";
import { isSecret, mock, valueOf } from "./mocked";
import { stackConfig } from "./sources";
import { LEAST } from "./valid";

/** What a user is told: of a value whose form can't be right by the configuration, of the others by the component. */
function mistakes(raw: { [key: string]: string }): string[] {
  try {
    const args = { ...LEAST, ...argumentsOf(raw) };
    return findViolations(args).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
  } catch (error) {
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    const [first, ...lines] = error.message.split("\n");
    assert.equal(
      first,
      `The stack's configuration: ${lines.length} invalid setting(s). Nothing was changed.`,
    );
    return lines.map((line) => line.trim());
  }
}

describe("the stack's configuration", () => {
  before(() => void mock());

  it("becomes arguments, under their own names", () => {
    const args = argumentsOf({
      activeColor: "green",
      blue: '{"image":"shop:1","env":{"STREAM":"a"}}',
      green: '{"image":"shop:2"}',
      env: '{"A":"b","N":3,"F":true}',
      command: '["serve","--all"]',
      volumes: '[{"volumeName":"data","containerPath":"/data","readOnly":"true"}]',
      health: '{"passes":"3","path":"/up"}',
      network: '{"name":"backend"}',
    });
    assert.deepEqual(args, {
      activeColor: "green",
      blue: { image: "shop:1", env: { STREAM: "a" } },
      green: { image: "shop:2" },
      env: { A: "b", N: "3", F: "true" },
      command: ["serve", "--all"],
      volumes: [{ volumeName: "data", containerPath: "/data", readOnly: true }],
      health: { passes: 3, path: "/up" },
      network: { name: "backend" },
    });
  });

  it("N7 the project's default of idle is no choice, which strategy would contradict; one of a service's own is", () => {
    const args = { ...LEAST, ...argumentsOf({ strategy: "recreate", idle: "running" }) };
    assert.deepEqual(findViolations(args), []);
    const own = argumentsOf({ shop: '{"strategy":"recreate","idle":"running"}' }, undefined, "shop");
    assert.deepEqual(
      findViolations({ ...LEAST, ...own }).map(({ propertyPath }) => propertyPath),
      ["idle"],
    );
  });

  for (const stack of ["dev", "prod"]) {
    it(`that of ${stack} is valid`, () =>
      assert.deepEqual(findViolations(argumentsOf(stackConfig(stack))), []));
  }

  it("those of one of several services are within its name", () => {
    const raw = {
      shop: '{"activeColor":"green","blue":{"image":"shop:1"},"health":{"passes":"3"},"hosts":["a.example"]}',
      other: "x",
    };
    assert.deepEqual(argumentsOf(raw, undefined, "shop"), {
      activeColor: "green",
      blue: { image: "shop:1" },
      health: { passes: 3 },
      hosts: ["a.example"],
    });
    assert.throws(() => argumentsOf(raw, undefined, "wiki"), /wiki: is missing: must be an object/);
    const wrong = { shop: '{"volumes":"x"}' };
    assert.throws(() => argumentsOf(wrong, undefined, "shop"), /shop\.volumes: must be a list/);
  });

  it("numbers and flags set on the command line are text", () => {
    const args = argumentsOf({
      containerPort: "8080",
      allowDowntime: "true",
      allowMovingTags: "false",
      drainSeconds: "0",
    });
    assert.deepEqual(
      [args.containerPort, args.allowDowntime, args.allowMovingTags, args.drainSeconds],
      [8080, true, false, 0],
    );
    const { proxy } = argumentsOf({ proxy: '{"port":"8080","buffering":"true","accessLog":false}' });
    assert.deepEqual(proxy, { port: 8080, buffering: true, accessLog: false });
  });

  it("a text stays a text, whatever it looks like", () => {
    for (const text of ["123", "true", "{}", '"a"', "null"])
      assert.equal(argumentsOf({ timeZone: text }).timeZone, text);
  });

  it("what was set as a secret stays one: in an environment, and nowhere else in its object", async () => {
    const args = argumentsOf(
      {
        env: '{"A":"1"}',
        blue: '{"image":"shop:1","env":{"B":"2"}}',
        green: '{"image":"shop:2","env":{"C":"3"}}',
      },
      (key) => key !== "env",
    );
    assert.equal(args.env?.A, "1");
    assert.equal(args.blue.image, "shop:1");
    const secrets = [args.blue.env?.B, args.green.env?.C];
    assert.deepEqual(await Promise.all(secrets.map(isSecret)), [true, true]);
    assert.deepEqual(await valueOf(pulumi.all(secrets)), ["2", "3"]);
  });

  it("passwords and private keys are secrets, however they were set", async () => {
    const { tls, redis, host, registries } = argumentsOf({
      tls: '{"names":["shop.example"],"port":"8443","certificate":"a certificate","privateKey":"its key"}',
      redis: '{"password":"pw"}',
      host: '{"address":"ssh://a@b","privateKey":"k1","connectTries":"3","bastion":{"address":"ssh://a@c","privateKey":"k2"}}',
      registries: '[{"address":"ghcr.io","username":"bot","password":"token"}]',
    });
    assert.deepEqual([tls?.names, tls?.port, tls?.certificate], [["shop.example"], 8443, "a certificate"]);
    assert.deepEqual([host?.connectTries, host?.bastion?.address], [3, "ssh://a@c"]);
    const secrets = [tls?.privateKey, redis?.password, host?.privateKey, host?.bastion?.privateKey];
    const all = [...secrets, registries?.[0].password] as pulumi.Output<string>[];
    assert.deepEqual(
      await Promise.all(all.map(isSecret)),
      all.map(() => true),
    );
    assert.deepEqual(await Promise.all(all.map(valueOf)), ["its key", "pw", "k1", "k2", "token"]);
    assert.equal(argumentsOf({ host: '{"address":"ssh://a@b"}' }).host?.privateKey, undefined);
  });

  it("unknown keys are named with the nearest one, at every depth", () => {
    assert.deepEqual(mistakes({ activeColour: "blue" }), [
      "activeColour: is no setting. Did you mean activeColor?",
    ]);
    assert.deepEqual(mistakes({ health: '{"pth":"/up"}' }), [
      "health.pth: is no setting. Did you mean path?",
    ]);
    assert.deepEqual(mistakes({ proxy: '{"prot":80}' }), ["proxy.prot: is no setting. Did you mean port?"]);
    assert.deepEqual(
      mistakes({ host: '{"bastion":{"address":"ssh://a@b","hostkey":"b"}}' })[0],
      "host.bastion.hostkey: is no setting. Did you mean hostKey?",
    );
    assert.deepEqual(
      mistakes({
        volumes: '[{"volumeName":"data","containerPath":"/a"},{"hostpath":"/a","containerPath":"/a"}]',
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
    "a list for a variable": ["labels", '{"A":["b"]}', "labels.A"],
    "a flag for a number": ["health", '{"passes":true}', "health.passes"],
    "a list for a number": ["proxy", '{"port":[]}', "proxy.port"],
    "a volume without its path": ["volumes", '[{"volumeName":"data"}]', "volumes[0].containerPath"],
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
    assert.deepEqual(argumentsOf({ command: '["serve","--port",3000,true]' }).command, [
      "serve",
      "--port",
      "3000",
      "true",
    ]);
    const volumes = '[{"volumeName":1,"containerPath":"/a"}]';
    assert.equal(argumentsOf({ volumes }).volumes?.[0].volumeName, "1");
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
    assert.deepEqual(
      mistakes({ containerPort: "x", allowDowntime: "yes", volumes: "[{}]", env: '{"A":{}}' }).sort(),
      [
        'allowDowntime: is "yes", but must be true or false',
        'containerPort: is "x", but must be a port from 1 to 65535',
        "env.A: must be text",
        'volumes[0].containerPath: is missing: must be an absolute path (and without ":")',
      ],
    );
    assert.deepEqual(mistakes({ health: "/up", command: "serve" }), [
      "health: must be an object, whose settings are set one by one, with 'pulumi config set --path'",
      "command: must be a list, whose items NAME[0], NAME[1], … are set one by one, with 'pulumi config set --path'",
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
    const lines = mistakes({
      env: '{"T":{"inner":"s3cr3t"}}',
      redis: '{"enabled":true,"password":["s3cr3t"]}',
    });
    assert.doesNotMatch(lines.join("\n"), /s3cr3t/);
  });
});
