import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { HostArgs } from "../../components/index";

import { destination, sshConnection, sshOptions } from "../../components/host/ssh";
import { isSecret, mock, valueOf } from "./mocked";
import { LEAST, settingsOf } from "./valid";

const SHOP = { address: "ssh://deploy@shop.example:2222", hostKey: "ssh-ed25519 AAAAshop" };
const JUMP = { address: "ssh://guard@jump.example", hostKey: "ssh-ed25519 AAAAjump" };
const settings = (host: HostArgs) => settingsOf({ ...LEAST, host }).host;
const options = (host: HostArgs) => sshOptions(settings(host), "acme-dev-shop") ?? [];

/** What ssh itself makes of options, without connecting. */
function understood(host: HostArgs): { [option: string]: string } {
  const told = execFileSync("ssh", ["-T", "-G", ...options(host), ...destination(settings(host))]).toString();
  return Object.fromEntries(
    told.split("\n").map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]),
  );
}

describe("the options of ssh", () => {
  it("are none without it", () => {
    assert.equal(sshOptions(settings({ address: "tcp://192.0.2.1:2375" }), "x"), undefined);
    assert.equal(sshConnection(settings({})), undefined);
  });

  it("are understood by ssh as they are meant", () => {
    const all = understood({
      ...SHOP,
      connectTries: 3,
      connectTimeoutSeconds: 7,
      privateKeyFile: "/keys/id",
    });
    const expected = {
      hostname: "shop.example",
      port: "2222",
      user: "deploy",
      batchmode: "yes",
      stricthostkeychecking: "true",
      userknownhostsfile: "/dev/null",
      globalknownhostsfile: "/dev/null",
      knownhostscommand: "/bin/echo %H ssh-ed25519 AAAAshop",
      identityfile: "/keys/id",
      identitiesonly: "yes",
      connectionattempts: "3",
      connecttimeout: "7",
      proxycommand: undefined,
    };
    for (const [option, value] of Object.entries(expected)) assert.equal(all[option], value, option);
  });

  it("a key of the home folder is found in everybody's own", () => {
    assert.ok(options({ ...SHOP, privateKeyFile: "~/.ssh/id" }).includes("IdentityFile=${HOME}/.ssh/id"));
    const secret = { ...SHOP, privateKey: pulumi.secret("key") };
    assert.ok(options(secret).includes("IdentityFile=${HOME}/.bluegreen/acme-dev-shop.key"));
  });

  it("without a key, ssh asks the agent and takes no file of its own choice", () => {
    assert.equal(understood(SHOP).identityfile, "none");
    assert.equal(understood(SHOP).identitiesonly, "no");
  });

  it("through a bastion: its options are its own, its key is the host's unless it has one", () => {
    const hop = (host: HostArgs) => options(host).at(-1) ?? "";
    const shared = hop({ ...SHOP, privateKeyFile: "/keys/id", bastion: JUMP });
    assert.match(shared, /^ProxyCommand=ssh -W '\[%h\]:%p' /);
    assert.match(shared, /'KnownHostsCommand=\/bin\/echo %%H ssh-ed25519 AAAAjump'/);
    assert.match(shared, / '-l' 'guard' '-p' '22' '--' 'jump.example'$/);
    assert.match(shared, /'IdentityFile=\/keys\/id'/);
    const own = hop({
      ...SHOP,
      privateKeyFile: "/keys/id",
      bastion: { ...JUMP, privateKeyFile: "/keys/jump" },
    });
    assert.match(own, /'IdentityFile=\/keys\/jump'/);
    const secret = hop({ ...SHOP, bastion: { ...JUMP, privateKey: pulumi.secret("key") } });
    assert.match(secret, /'IdentityFile=\$\{HOME\}\/\.bluegreen\/acme-dev-shop-bastion\.key'/);
  });
});

describe("the connection of the switch", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-ssh-"));
  const privateKeyFile = path.join(folder, "key");
  const known = path.join(folder, "known");
  before(() => {
    mock();
    writeFileSync(privateKeyFile, "the private key\n");
    writeFileSync(known, "jump.example ecdsa-sha2-nistp256 AAAAe\njump.example ssh-ed25519 AAAAj me@here\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("says what the options of ssh say", async () => {
    const host = settings({
      ...SHOP,
      privateKeyFile,
      connectTries: 3,
      connectTimeoutSeconds: 7,
      bastion: { address: JUMP.address, knownHostsFile: known },
    });
    const common = { privateKey: "the private key\n", dialErrorLimit: 3, perDialTimeout: 7 };
    assert.deepEqual(await valueOf(pulumi.output(sshConnection(host))), {
      host: "shop.example",
      port: 2222,
      user: "deploy",
      hostKey: "ssh-ed25519 AAAAshop",
      ...common,
      proxy: { host: "jump.example", port: 22, user: "guard", hostKey: "ssh-ed25519 AAAAj", ...common },
    });
  });

  it("tries ten times, 15 s each, and leaves the key to the agent", () => {
    const { dialErrorLimit, perDialTimeout, ...rest } = sshConnection(settings(SHOP))!;
    assert.deepEqual([dialErrorLimit, perDialTimeout, "agentSocketPath" in rest], [10, 15, false]);
    assert.deepEqual([rest.privateKey, rest.proxy], [undefined, undefined]);
  });

  it("keeps every key secret", async () => {
    const given = { ...SHOP, privateKey: pulumi.output("key"), bastion: { ...JUMP, privateKeyFile } };
    const connection = sshConnection(settings(given));
    const proxy = connection?.proxy as typeof connection;
    assert.deepEqual(await Promise.all([connection, proxy].map((each) => isSecret(each?.privateKey))), [
      true,
      true,
    ]);
    assert.equal(await valueOf(proxy?.privateKey as pulumi.Output<string>), "the private key\n");
  });
});
