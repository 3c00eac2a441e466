import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { BastionArgs } from "../settings/args";
import { isRemote } from "../settings/derived";
import type { Settings } from "../settings/read";
import { quote } from "../shell";

// Two programs connect to an ssh:// host: `ssh`, for the Docker provider, and the command provider, for the switch. Both are
// told the same here, and neither reads the user's own ~/.ssh/config, which the second one does not know.

type Host = Settings["host"];
/** The host itself or its bastion. */
type Server = BastionArgs;

/** The arguments of ssh that come before the host's name, for Pulumi's Docker provider. `name` is the service's own. */
export function sshOptions(host: Host, name: string): string[] | undefined {
  if (!isRemote(host)) return undefined;
  const { bastion } = host;
  const key = identity(host, name);
  const options = optionsOf(host, host, key);
  if (bastion === undefined) return options;

  const own = bastion.privateKey ?? bastion.privateKeyFile;
  const hop = optionsOf(bastion, host, own === undefined ? key : identity(bastion, `${name}-bastion`));
  // ssh hands this to a shell, and replaces what begins with % itself.
  const words = [...hop, ...destination(bastion)].map((word) => quote(word).replaceAll("%", "%%"));
  return [...options, "-o", `ProxyCommand=ssh -W '[%h]:%p' ${words.join(" ")}`];
}

/** The arguments of ssh that say where it goes. */
export function destination({ address }: Server): string[] {
  const { host, port, user } = endpoint(address);
  return ["-l", user, "-p", String(port), "--", host];
}

function optionsOf(
  server: Server,
  { connectTries, connectTimeoutSeconds }: Host,
  identity: string,
): string[] {
  const options = [
    // A question would never be answered.
    "BatchMode=yes",
    // The host key is compared with the given one, not with a file.
    "StrictHostKeyChecking=yes",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    `KnownHostsCommand=/bin/echo %H ${hostKeyOf(server)}`,
    `IdentityFile=${identity}`,
    ...(identity === "none" ? [] : ["IdentitiesOnly=yes"]),
    `ConnectTimeout=${connectTimeoutSeconds}`,
    `ConnectionAttempts=${connectTries}`,
    // A connection that is lost without a word ends after three of these.
    "ServerAliveInterval=15",
  ];
  return ["-F", "none", ...options.flatMap((option) => ["-o", option])];
}

/** How the switch gets to a remote host, or undefined where the engine is reached without SSH. */
export function sshConnection(host: Host): types.input.remote.ConnectionArgs | undefined {
  if (!isRemote(host)) return undefined;
  const { bastion } = host;
  const connection = (server: Server) => ({
    ...endpoint(server.address),
    hostKey: hostKeyOf(server),
    privateKey: keyOf(server) ?? keyOf(host),
    dialErrorLimit: host.connectTries,
    perDialTimeout: host.connectTimeoutSeconds,
  });
  return { ...connection(host), proxy: bastion && connection(bastion) };
}

function endpoint(address: string) {
  const { hostname, port, username } = new URL(address);
  return { host: hostname, port: port === "" ? 22 : Number(port), user: username };
}

// --- keys

/** Undefined for the agent's. */
function keyOf({ privateKey, privateKeyFile }: Server): pulumi.Input<string> | undefined {
  if (privateKeyFile !== undefined) return pulumi.secret(readFileSync(pathOf(privateKeyFile), "utf8"));
  return privateKey === undefined ? undefined : pulumi.secret(privateKey);
}

/** Where ssh finds the key. The same on every machine, or each would show a change. */
function identity({ privateKey, privateKeyFile }: Server, name: string): string {
  if (privateKeyFile !== undefined) return privateKeyFile.replace(/^~/, "${HOME}");
  return privateKey === undefined ? "none" : `\${HOME}/${keyFile(name)}`;
}

const keyFile = (name: string): string => `.bluegreen/${name}.key`;

/** Writes the keys that are secrets to where ssh looks for them. */
export function writeKeys(host: Host, name: string): pulumi.Output<void> {
  const write = (key: string | undefined, name: string) => {
    if (key === undefined) return;
    const file = join(homedir(), keyFile(name));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Another update may just be reading it.
    writeFileSync(`${file}.${process.pid}`, `${key.trim()}\n`, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  };
  return pulumi.unsecret(
    pulumi.all([host.privateKey, host.bastion?.privateKey]).apply(([key, bastionKey]) => {
      write(key, name);
      write(bastionKey, `${name}-bastion`);
    }),
  );
}

/** Why ssh can't use the key in a file, or undefined if it can. */
export function keyProblem(file: string): string | undefined {
  try {
    execFileSync("ssh-keygen", ["-y", "-P", "", "-f", pathOf(file)], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return lastLine((error as { stderr?: Buffer }).stderr?.toString() ?? String(error));
  }
}

// --- host keys

const hostKeyOf = (server: Server): string | undefined => server.hostKey ?? knownHostKey(server);

/** The key that a known_hosts file has for a server, or undefined. With more than one, what is preferred today. */
export function knownHostKey({ address, knownHostsFile = "" }: Server): string | undefined {
  const { host, port } = endpoint(address);
  const name = port === 22 ? host : `[${host}]:${port}`;
  let found: string;
  try {
    found = execFileSync("ssh-keygen", ["-F", name, "-f", pathOf(knownHostsFile)], {
      stdio: "pipe",
    }).toString();
  } catch {
    return undefined;
  }
  // A line that begins with a # says where, one with an @ has a certificate authority's key or a revoked one.
  const keys = found.split("\n").flatMap((line) => /^[^#@]\S* (\S+ \S+)/.exec(line)?.[1] ?? []);
  return ["ssh-ed25519 ", "ecdsa-"].flatMap((type) => keys.filter((key) => key.startsWith(type)))[0];
}

const pathOf = (file: string): string => file.replace(/^~/, homedir());

export const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() ?? "";
