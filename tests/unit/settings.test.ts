import assert from "node:assert/strict";
import { toArgs } from "../../config";
import { COLORS, other, withDefaults, type Settings } from "../../components/settings";
import { configShapes, documentedArgs, projectKeys } from "./sources";
import { LEAST } from "./valid";

type Tree = { [key: string]: unknown };
const settings = withDefaults(LEAST) as unknown as Tree;

/** Where the members of an interface are in the settings. */
const PLACES: { [interfaceName: string]: string } = {
  ContainerArgs: "container",
  LogsArgs: "logs",
  HealthArgs: "health",
  WatchArgs: "watch",
  RedisArgs: "redis",
  NetworkArgs: "network",
  ProxyArgs: "proxy",
  TlsArgs: "tls",
  HostArgs: "host",
};
const documented = documentedArgs();

/** The default that a comment states: a value, or undefined where it says what happens without one. */
function statedDefault(comment: string): { value: unknown } | undefined {
  const code = /Default `([^`]+)`|`([^`]+)` \(the default\)/.exec(comment);
  if (code) return { value: code[1] ?? code[2] };
  const literal = /Default (-?\d+(?:\.\d+)?|true|false)\b/.exec(comment);
  if (literal) return { value: JSON.parse(literal[1]) };
  return /Default: /.test(comment) ? { value: undefined } : undefined;
}

describe("the defaults", () => {
  const { capabilities } = settings.container as { capabilities: Tree };
  const interfaces = [["BlueGreenServiceArgs", settings] as const].concat(
    [["CapabilitiesArgs" as never, capabilities]],
    Object.entries(PLACES).map(([name, place]) => [name as never, settings[place] as Tree]),
  );
  for (const [name, values] of interfaces) {
    it(`of ${name} are those that its comments state`, () => {
      let stated = 0;
      for (const [member, comment] of Object.entries(documented[name])) {
        const value = values[member];
        const found = statedDefault(comment);
        if (found) stated += 1;
        if (found)
          assert.deepEqual(typeof value === "object" ? JSON.stringify(value) : value, found.value, member);
        else if (!["object", "undefined"].includes(typeof value) && member !== "activeColor") {
          assert.fail(`${name}.${member} is ${String(value)} by default, which its comment does not say`);
        }
      }
      assert.ok(stated > 0 && Object.keys(documented[name]).length > 0);
    });
  }

  it("the empty ones", () => {
    assert.deepEqual([settings.env, settings.volumes, settings.labels], [{}, [], {}]);
    assert.deepEqual([settings.command, settings.memoryMb], [undefined, undefined]);
  });

  it("fill in what is undefined or null, and keep all that is given", () => {
    const given = withDefaults({
      ...LEAST,
      containerPort: undefined,
      env: null as never,
      health: { passes: 0, path: null as never },
      redis: { enabled: false },
      proxy: { buffering: true, accessLog: false, port: undefined },
      idle: "",
    });
    assert.equal(given.containerPort, 3000);
    assert.deepEqual(given.env, {});
    assert.deepEqual([given.health.passes, given.health.path], [0, "/health"]);
    assert.equal(given.redis.enabled, false);
    assert.deepEqual([given.proxy.buffering, given.proxy.accessLog, given.proxy.port], [true, false, 80]);
    assert.equal(given.idle, "", "an empty text is a value, for the validation to refuse");
  });

  it("don't change what was given", () => {
    const args = Object.freeze({ ...LEAST, health: Object.freeze({ passes: 3 }) });
    assert.equal(withDefaults(args).health.passes, 3);
  });

  it("there are two colors, each the other's other", () => {
    assert.deepEqual(COLORS.map(other), ["green", "blue"]);
  });
});

describe("Pulumi.yaml", () => {
  const keys = projectKeys();
  const shapes = configShapes();

  it("has the keys that the program reads", () => {
    assert.ok(Object.keys(shapes).length > 20);
    assert.deepEqual(Object.keys(keys).sort(), Object.keys(shapes).sort());
  });

  it("has a type, a description and a default for each", () => {
    for (const [key, { type, description, default: value }] of Object.entries(keys)) {
      assert.match(type, /^(string|integer|boolean|array|object)$/, key);
      assert.ok(description.length > 20, key);
      assert.notEqual(value, "missing", key);
    }
  });

  it("says nothing but its defaults: they give the component's own", () => {
    const raw = Object.fromEntries(Object.entries(keys).map(([key, { default: value }]) => [key, value]));
    for (const key of ["redisPassword", "tlsCertificate", "tlsPrivateKey", "network"])
      raw[key] = raw[key].replace(/^""$/, "");
    const read = withDefaults(toArgs(raw));
    const own: Settings = withDefaults({
      activeColor: raw.activeColor,
      blue: { image: raw.blueImage, env: {} },
      green: { image: raw.greenImage, env: {} },
    });
    assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(own)));
  });

  it("names every inner key in the description, with its default in parentheses", () => {
    const names: { [place: string]: string[] } = {};
    for (const [key, inner] of Object.entries(shapes)) {
      if (inner.length === 0) continue;
      names[key] = inner;
      const { description } = keys[key];
      for (const name of inner) {
        const place = settings[key] as Tree;
        const value = Array.isArray(place) ? undefined : place[name];
        const [, stated] = new RegExp(`\\b${name}\\b(?:, \\w+)* ?(?:\\(([^)]*)\\))?`).exec(description) ?? [];
        assert.match(description, new RegExp(`\\b${name}\\b`), key);
        if (value !== undefined && (typeof value !== "object" || Array.isArray(value)))
          assert.equal(stated ?? "", String(value as string | number | boolean), `${key}.${name}`);
      }
    }
    assert.deepEqual(Object.keys(names).sort(), [
      "container",
      "health",
      "host",
      "logs",
      "proxy",
      "redis",
      "registries",
      "tls",
      "volumes",
      "watch",
    ]);
  });

  it("and the program reads every argument that the component has", () => {
    const members = (name: string) => Object.keys(documented[name]).sort();
    for (const [name, place] of Object.entries(PLACES)) {
      if (place === "network") continue;
      const ofItsOwn = { redis: ["password"], tls: ["certificate", "privateKey"] }[place] ?? [];
      const own = members(name).filter((member) => !ofItsOwn.includes(member));
      assert.deepEqual([...shapes[place]].sort(), own, place);
    }
    assert.deepEqual([...shapes.volumes].sort(), members("VolumeArgs"));
    assert.deepEqual([...shapes.registries].sort(), members("RegistryArgs"));
    const split = [
      "blueImage",
      "greenImage",
      "blueEnv",
      "greenEnv",
      "secretEnv",
      "redisPassword",
      "tlsCertificate",
      "tlsPrivateKey",
    ];
    const rest = Object.keys(shapes).filter((key) => !split.includes(key));
    assert.deepEqual([...rest, "blue", "green"].sort(), members("BlueGreenServiceArgs"));
  });
});
