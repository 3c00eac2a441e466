import * as pulumi from "@pulumi/pulumi";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { dockerHost } from "./address";
import { refusal } from "./refusal";
import { isRemote, type Settings } from "../settings";
import { destination, sshOptions } from "./ssh";

type Host = Settings["host"];

/** A program of this machine, by which one is run where the Docker engine is reached. */
export interface HostCommand {
  file: string;
  args: string[];
  env: { [name: string]: string };
}

export function onHost(host: Host, name: string, command: [string, ...string[]]): HostCommand {
  const [file, ...args] = command;
  if (!isRemote(host)) return { file, args, env: dockerHost(host) };
  const way = ["-T", ...(sshOptions(host, name) ?? []), ...destination(host)];
  return { file: "ssh", args: [...way, command.join(" ")], env: {} };
}

/**
 * Whether a program may contact anybody: a preview has to work where nobody can be reached, and with Pulumi's mocks there is no
 * engine.
 */
export const isUpdate = (): boolean => !pulumi.runtime.isDryRun() && pulumi.runtime.getEngine() !== undefined;

/** Runs a script where the Docker engine is reached and gives what it prints; one that can't be reached is a refusal. */
export async function askHost(host: Host, name: string, script: string): Promise<string> {
  const seconds = host.connectTimeoutSeconds + DOCKER_ANSWERS_WITHIN_S;
  const command = onHost(host, name, ["sh", "-s"]);
  if (!isRemote(host)) {
    const answer = await run(command, seconds, script);
    if (typeof answer === "string") return answer;
    throw unreachable(host, answer.said, 1, hintWithoutSsh(host, answer));
  }
  await checkAgent(host);
  for (let tries = 1; ; tries++) {
    const answer = await run(command, seconds, script);
    if (typeof answer === "string") return answer;
    const { hint, words, again } = explain(answer);
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

/** The same on this machine, with the engine that its Docker client has; what is wrong there is given back. */
export async function askMachine(script: string): Promise<string | Failure> {
  return run({ file: "sh", args: ["-s"], env: {} }, DOCKER_ANSWERS_WITHIN_S, script);
}

/** The command provider insists on an agent that the environment names, also when it has a key. */
async function checkAgent(host: Host): Promise<void> {
  if (!process.env.SSH_AUTH_SOCK) return;
  const asked = await run({ file: "ssh-add", args: ["-l"], env: {} }, host.connectTimeoutSeconds);
  // With 1 it has no keys.
  if (typeof asked === "string" || asked.status !== 2) return;
  throw unreachable(
    host,
    asked.said,
    1,
    "start the SSH agent that SSH_AUTH_SOCK names, or unset that variable.",
  );
}

export interface Failure {
  /** 255 is ssh's own; any other is the command's. Undefined where it did not end by itself. */
  status: number | undefined;
  said: string;
}

/** What it prints, or how it failed. */
function run({ file, args, env }: HostCommand, seconds: number, input = ""): Promise<string | Failure> {
  return new Promise((resolve) => {
    const options = {
      timeout: seconds * 1000,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const status = typeof error.code === "number" ? error.code : undefined;
      const said = [...new Set(stderr.replaceAll("\r", "").trim().split("\n"))].join("\n");
      resolve({ status, said: said || (error.killed ? `no answer within ${seconds} s` : error.message) });
    });
    // Who can't be reached does not read it.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
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

const NO_DOCKER = /docker: (command )?not found/;

function hintWithoutSsh(host: Host, { said }: Failure): string {
  if (NO_DOCKER.test(said)) return "install the Docker client on this machine.";
  return host.address.startsWith("unix:")
    ? "see that Docker runs, and that this user may use it: docker version. If it is elsewhere, set host.address."
    : "see that the host runs, that host.address is right, and that no firewall is between.";
}

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
