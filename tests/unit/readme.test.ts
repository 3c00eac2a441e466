import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { withDefaults } from "../../components/settings";
import { documentedArgs } from "./sources";
import { LEAST } from "./valid";

/** Where the members of each interface of components/args.ts stand in the README. */
const PREFIXES: { [interfaceName: string]: string[] } = {
  BlueGreenServiceArgs: [""],
  ColorArgs: ["blue.", "green."],
  VolumeArgs: ["volumes[]."],
  UlimitArgs: ["container.ulimits[]."],
  ContainerArgs: ["container."],
  CapabilitiesArgs: ["container.capabilities."],
  LogsArgs: ["logs."],
  HealthArgs: ["health."],
  WatchArgs: ["watch."],
  RedisArgs: ["redis."],
  NetworkArgs: ["network."],
  ProxyArgs: ["proxy."],
  TlsArgs: ["tls."],
  HostArgs: ["host."],
  BastionArgs: ["host.bastion."],
  RegistryArgs: ["registries[]."],
};
/** What only holds other settings. */
const GROUPS = [
  "blue",
  "green",
  "container",
  "container.capabilities",
  "logs",
  "health",
  "watch",
  "redis",
  "network",
  "proxy",
  "tls",
  "host",
  "host.bastion",
];
/** What has no default that withDefaults could tell, with what the README says. */
const NOT_IN_SETTINGS: { [setting: string]: string } = {
  activeColor: "required",
  "blue.image": "required",
  "green.image": "required",
  "volumes[].containerPath": "required",
  "container.ulimits[].name": "required",
  "container.ulimits[].soft": "required",
  "container.ulimits[].hard": "required",
  "host.bastion.address": "required",
  "registries[].address": "required",
  "registries[].username": "required",
  "registries[].password": "required",
  "volumes[].readOnly": "`false`",
  "tls.acmeDirectory": "Let's Encrypt",
};

function settingsOfTheComponent(): string[] {
  return Object.entries(documentedArgs()).flatMap(([interfaceName, members]) =>
    PREFIXES[interfaceName].flatMap((prefix) => Object.keys(members).map((member) => prefix + member)),
  );
}

/** The first two cells of each row of the table of settings. */
function rowsOfTheReadme(): { [setting: string]: string } {
  const readme = readFileSync(path.resolve(__dirname, "../../README.md"), "utf8");
  const table = /\n\| Setting [^]*?\n\n/.exec(readme)?.[0] ?? "";
  const rows = [...table.matchAll(/^\| `([^`]+)` +\| ([^|]*?) +\|/gm)];
  return Object.fromEntries(rows.map(([, setting, value]) => [setting, value]));
}

function defaultOf(setting: string): string {
  if (setting in NOT_IN_SETTINGS) return NOT_IN_SETTINGS[setting];
  const steps = setting.replace(/^(blue|green)\./, "colors.$1.").split(".");
  let value: unknown = withDefaults(LEAST);
  for (const step of steps) value = (value as { [key: string]: unknown } | undefined)?.[step];
  if (value === undefined) return "none";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

describe("the README's table of settings", () => {
  const rows = rowsOfTheReadme();
  const settings = settingsOfTheComponent().filter((setting) => !GROUPS.includes(setting));

  it("has a row for every setting and no other", () => {
    assert.deepEqual(Object.keys(rows).sort(), [...settings].sort());
  });

  for (const setting of settings) {
    it(`${setting}: has its default`, () => {
      assert.equal(rows[setting], defaultOf(setting));
    });
  }
});
