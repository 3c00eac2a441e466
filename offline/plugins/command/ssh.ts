import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from "ssh2";
import type { Call } from "../rpc/plugin.ts";

export interface Endpoint {
  host: string;
  port: number;
  user: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  dialErrorLimit: number;
  perDialTimeout: number;
  hostKey?: string;
}

export interface Connection {
  exec(line: string, env: Environment): Promise<{ stream: ClientChannel; refused: string[] }>;
  close(): void;
}

interface Environment {
  /** Without one of these the command doesn't run. */
  required: Record<string, string>;
  optional: Record<string, string>;
}

export async function dial(to: Endpoint & { proxy?: Endpoint }, call: Call): Promise<Connection> {
  const { proxy } = to;
  if (!proxy) return connectionOver([await retried("Dial", to, call, () => open(to))]);

  const bastion = await retried("Dial proxy", proxy, call, () => open(proxy)).catch((error: unknown) => {
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error });
  });
  try {
    const target = await retried("Dial from proxy", to, call, async () =>
      open(to, await through(bastion, to)),
    );
    return connectionOver([target, bastion]);
  } catch (error) {
    bastion.end();
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error });
  }
}

/** The official plugin's pauses: 100 ms at first, half as long again each time, 5 s at most. */
async function retried<T>(
  what: string,
  { dialErrorLimit }: Endpoint,
  call: Call,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0, pause = 100; ; tries++, pause = Math.min(pause * 1.5, 5000)) {
    call.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const failed = error as Error;
      if (failed instanceof BadSettings) throw failed;
      if (dialErrorLimit >= 0 && tries >= dialErrorLimit) {
        throw new Error(`after ${tries} failed attempts: ${failed.message}`, { cause: error });
      }
      call.log(
        "status",
        `${what} ${tries + 1}/${dialErrorLimit < 0 ? "inf" : dialErrorLimit} failed: retrying`,
      );
    }
    await sleep(pause, undefined, { signal: call.signal });
  }
}

/** What no second attempt can change. */
class BadSettings extends Error {}

async function open(to: Endpoint, sock?: Duplex): Promise<Client> {
  const config = configOf(to);
  if (typeof config.agent === "string") await agentAnswers(config.agent);
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on("keyboard-interactive", (_name, _instructions, _lang, prompts, finish) => {
      finish(prompts.map(() => to.password ?? ""));
    });
    client.once("ready", () => {
      client.off("error", reject);
      // A connection that breaks later ends its channels, and they tell.
      client.on("error", () => undefined);
      resolve(client);
    });
    client.on("error", reject);
    client.connect({ ...config, sock });
  });
}

function configOf(to: Endpoint): ConnectConfig {
  const agent = to.agentSocketPath ?? (process.env.SSH_AUTH_SOCK || undefined);
  const methods: ConnectConfig["authHandler"] = ["none"];
  if (to.privateKey !== undefined) methods.push("publickey");
  if (to.password !== undefined) methods.push("password", "keyboard-interactive");
  if (agent !== undefined) methods.push("agent");
  return {
    host: to.host,
    port: to.port,
    username: to.user,
    password: to.password,
    privateKey: readable(to),
    passphrase: to.privateKeyPassword,
    agent,
    tryKeyboard: to.password !== undefined,
    authHandler: methods,
    readyTimeout: to.perDialTimeout * 1000,
    ...hostKeyOnly(to.hostKey),
  };
}

/** One that is named has to be there, also when another key is to be used. */
async function agentAnswers(socket: string): Promise<void> {
  const connection = net.connect(socket);
  await once(connection, "connect").catch((error: Error) => {
    throw new BadSettings(`dial unix ${socket}: ${error.message}`, { cause: error });
  });
  connection.destroy();
}

function readable({ privateKey, privateKeyPassword }: Endpoint): string | undefined {
  if (privateKey === undefined) return undefined;
  const key = ssh2.utils.parseKey(privateKey, privateKeyPassword);
  if (key instanceof Error) throw new BadSettings(`failed to parse private key: ${key.message}`);
  return privateKey;
}

/** Only the given key, and only signatures of its kind. */
function hostKeyOnly(hostKey: string | undefined): Partial<ConnectConfig> {
  if (hostKey === undefined) return {};
  const expected = ssh2.utils.parseKey(hostKey);
  if (expected instanceof Error) throw new BadSettings(`failed to parse host key: ${expected.message}`);
  return {
    hostVerifier: (key: Buffer) => key.equals(expected.getPublicSSH()),
    // An RSA key, too: so its signatures are SHA-1, which today's servers don't offer.
    algorithms: { serverHostKey: [expected.type] },
  };
}

function through(bastion: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, host, port, (error, stream) =>
      error ? reject(error) : resolve(stream),
    );
  });
}

function connectionOver(clients: [Client, ...Client[]]): Connection {
  const [client] = clients;
  return {
    async exec(line, { required, optional }) {
      const env: Record<string, string> = {};
      const refused: string[] = [];
      for (const [name, value] of Object.entries({ ...optional, ...required })) {
        if (await accepts(client, name, value)) env[name] = value;
        else if (name in required)
          throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
        else refused.push(name);
      }
      const stream = await new Promise<ClientChannel>((resolve, reject) => {
        client.exec(line, { env }, (error, channel) => (error ? reject(error) : resolve(channel)));
      });
      return { stream, refused };
    },
    close: () => clients.forEach((each) => each.end()),
  };
}

interface WithEnvironment {
  sftp(
    env: Record<string, string>,
    done: (error: Error | undefined, transfer?: { end(): void }) => void,
  ): void;
}

/**
 * Whether the server lets a variable be set. ssh2 hears the answer only where it opens a file transfer, so
 * one is begun; that it may not be offered doesn't matter.
 */
function accepts(client: Client, name: string, value: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Its types don't know of the variables, and not that there is no transfer after an error.
    const known = client as unknown as WithEnvironment;
    known.sftp({ [name]: value }, (error, transfer) => {
      resolve(error?.message !== "Unable to set environment");
      transfer?.end();
    });
  });
}
