import * as pulumi from "@pulumi/pulumi";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { isRemote } from "./host";
import { refusal } from "./refusal";
import type { Settings } from "./settings";
import { destination, sshOptions, writeKeys } from "./ssh";

type Host = Settings["host"];

/**
 * The host's address. An update gets it only when the Docker of an ssh:// host has answered: everything waits for it, so a
 * host that can't be reached is one error, and not one of each resource. A preview contacts nothing.
 */
export function reachedAddress(host: Host, name: pulumi.Output<string>): pulumi.Input<string> {
  if (!isRemote(host) || pulumi.runtime.isDryRun()) return host.address;
  return name.apply((name) =>
    writeKeys(host, name).apply(async () => {
      await reach(host, name);
      return host.address;
    }),
  );
}

async function reach(host: Host, name: string): Promise<void> {
  const command = "docker version --format '{{.Server.Version}}'";
  const args = ["-T", ...(sshOptions(host, name) ?? []), ...destination(host), command];
  const seconds = host.connectTimeoutSeconds + DOCKER_ANSWERS_WITHIN_S;
  await checkAgent(host);
  for (let tries = 1; ; tries++) {
    const failure = await run("ssh", args, seconds);
    if (failure === undefined) return;
    const { hint, words, again } = explain(failure);
    if (!again || tries >= host.connectTries) throw unreachable(host, words, tries, hint);
    void pulumi.log.info(
      `${host.address}: try ${tries} of ${host.connectTries}: ${words}`,
      undefined,
      undefined,
      true,
    );
    await sleep(1000);
  }
}

const DOCKER_ANSWERS_WITHIN_S = 30;

/** The command provider insists on an agent that the environment names, also when it has a key. */
async function checkAgent(host: Host): Promise<void> {
  if (!process.env.SSH_AUTH_SOCK) return;
  const asked = await run("ssh-add", ["-l"], host.connectTimeoutSeconds);
  // With 1 it has no keys.
  if (asked?.status !== 2) return;
  throw unreachable(
    host,
    asked.said,
    1,
    "start the SSH agent that SSH_AUTH_SOCK names, or unset that variable.",
  );
}

interface Failure {
  /** 255 is ssh's own; any other is the command's. Undefined where it did not end by itself. */
  status: number | undefined;
  said: string;
}

function run(program: string, args: string[], seconds: number): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: seconds * 1000 }, (error, _, stderr) => {
      if (error === null) return resolve(undefined);
      const status = typeof error.code === "number" ? error.code : undefined;
      const said = stderr.replaceAll("\r", "").trim();
      resolve({ status, said: said || (error.killed ? `no answer within ${seconds} s` : error.message) });
    });
    child.stdin?.end();
  });
}

/** What can be wrong with a connection that was made, by ssh's own words for it. Another try is of no use then. */
const REFUSED: { words: RegExp; hint: string }[] = [
  {
    words: /^Host key .*$/gm,
    hint: "the server shows another key than the one that is set. If it was set up anew, set its new key (ssh-keyscan -p PORT HOST, compared with the one on the server itself). If not, somebody else may be answering in its place.",
  },
  {
    words: /^.*Permission denied.*$/gm,
    hint: "let the server take the key (~/.ssh/authorized_keys of that user), or set the right one: host.privateKeyFile or host.privateKey; without them it has to be in the SSH agent (ssh-add -l).",
  },
];

/** What to do about it, the words that matter, and whether another try may help. */
function explain({ status, said }: Failure): { hint: string; words: string; again: boolean } {
  if (status !== undefined && status !== 255) {
    const hint = "install Docker there, and let that user use it: ssh USER@HOST docker version.";
    return { hint, words: said, again: false };
  }
  for (const { words, hint } of REFUSED) {
    const found = said.match(words);
    if (found) return { hint, words: found.join("\n"), again: false };
  }
  const hint = "see that the host runs, that address and port are right, and that no firewall is between.";
  return { hint, words: said, again: true };
}

function unreachable(host: Host, words: string, tries: number, hint: string): pulumi.RunError {
  const through = host.bastion === undefined ? "" : ` through ${host.bastion.address}`;
  const times = tries === 1 ? "" : ` (${tries} tries)`;
  const message = [
    `no answer from Docker at ${host.address}${through}${times}:`,
    ...words.split("\n").map((line) => `  ${line}`),
    "Nothing was changed: what is live there keeps serving.",
    `What to do next: ${hint} Then run 'pulumi up' again.`,
  ].join("\n");
  return refusal(message);
}
