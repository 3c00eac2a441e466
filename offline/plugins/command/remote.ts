import type { ClientChannel } from "ssh2";
import type { Call } from "../rpc/plugin.ts";
import { isObject, marked, type Props } from "../rpc/values.ts";
import { previousOutput, type Printed } from "./command.ts";
import { check, common, type Kinds } from "./inputs.ts";
import { Output } from "./output.ts";
import type { Connection, Endpoint } from "./ssh.ts";

export const kinds: Kinds = { ...common, connection: "object" };

const endpointKinds: Kinds = {
  host: "string",
  port: "number",
  user: "string",
  password: "string",
  privateKey: "string",
  privateKeyPassword: "string",
  agentSocketPath: "string",
  dialErrorLimit: "number",
  perDialTimeout: "number",
  hostKey: "string",
};
const connectionKinds: Kinds = { ...endpointKinds, proxy: "object" };

export function checkRemote(news: Props) {
  const { inputs, failures } = check("remote.Command", kinds, news);
  const connection = news.connection;
  if (connection === undefined)
    failures.push({ property: "connection", reason: "is required, but was not set" });
  if (!isObject(connection)) return { inputs, failures };

  const parts = [check("a connection", connectionKinds, connection, "connection.")];
  if (isObject(connection.proxy))
    parts.push(check("a proxy", endpointKinds, connection.proxy, "connection.proxy."));
  failures.push(...parts.flatMap((part) => part.failures));
  return { inputs: { ...inputs, connection: marked(withDefaults(connection)) }, failures };
}

function withDefaults(endpoint: Props): Props {
  const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
  const proxy = isObject(endpoint.proxy) ? { proxy: withDefaults(endpoint.proxy) } : {};
  return { ...defaults, ...endpoint, ...proxy };
}

export async function runRemote(line: string, inputs: Props, before: Printed, call: Call): Promise<Printed> {
  call.signal.throwIfAborted();
  const { dial } = await import("./ssh.ts");
  const connection = await dial(inputs.connection as Endpoint & { proxy?: Endpoint }, call);
  const abort = () => connection.close();
  call.signal.addEventListener("abort", abort);
  try {
    return await runOver(connection, line, inputs, before, call);
  } finally {
    call.signal.removeEventListener("abort", abort);
    connection.close();
  }
}

async function runOver(connection: Connection, line: string, inputs: Props, before: Printed, call: Call) {
  const { stream, refused } = await connection.exec(line, {
    required: (inputs.environment ?? {}) as Record<string, string>,
    optional: previousOutput(inputs, before),
  });
  for (const name of refused) call.log("warning", notAccepted(name));
  const output = new Output(inputs, call);
  output.collect(stream, stream.stderr);
  stream.end((inputs.stdin ?? "") as string);
  const problem = await ended(stream);
  await output.flush();
  if (problem !== undefined) throw output.failure(problem, line);
  return output.printed();
}

async function ended(stream: ClientChannel): Promise<string | undefined> {
  return new Promise((resolve) => {
    let problem: string | undefined = "wait: remote command exited without exit status or exit signal";
    stream.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) problem = undefined;
      else if (code !== null) problem = `Process exited with status ${code}`;
      else problem = `Process exited with status 1 from signal ${signal?.replace(/^SIG/, "")}`;
    });
    stream.on("close", () => resolve(problem));
  });
}

function notAccepted(name: string): string {
  return `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the command itself with the variables in the form 'VAR=value command'`;
}
