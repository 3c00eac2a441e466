import { spawn } from "node:child_process";
import type { Call } from "../rpc/plugin.ts";
import type { Props } from "../rpc/values.ts";
import { previousOutput, type Printed } from "./command.ts";
import { check, common, type Kinds } from "./inputs.ts";
import { Output } from "./output.ts";

export const kinds: Kinds = { ...common, interpreter: "list", dir: "string" };

export function checkLocal(news: Props) {
  return check("local.Command", kinds, news);
}

export async function runLocal(line: string, inputs: Props, before: Printed, call: Call): Promise<Printed> {
  call.signal.throwIfAborted();
  const interpreter = inputs.interpreter as string[] | undefined;
  const [program = "/bin/sh", ...args] = interpreter?.length ? interpreter : ["/bin/sh", "-c"];
  const output = new Output(inputs, call);

  const child = spawn(program, [...args, line], {
    cwd: inputs.dir as string | undefined,
    env: {
      ...process.env,
      ...(inputs.environment as Record<string, string>),
      ...previousOutput(inputs, before),
    },
    stdio: "pipe",
    signal: call.signal,
    killSignal: "SIGKILL",
  });
  output.collect(child.stdout, child.stderr);
  // A command need not read its input to the end.
  child.stdin.on("error", () => undefined);
  child.stdin.end((inputs.stdin ?? "") as string);

  const problem = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => {
      if (error.name !== "AbortError") resolve(error.message);
    });
    child.on("close", (code, signal) =>
      resolve(code === 0 ? undefined : signal ? named(signal) : `exit status ${code}`),
    );
  });
  await output.flush();
  if (problem !== undefined) throw output.failure(problem, line);
  return output.printed();
}

function named(signal: NodeJS.Signals): string {
  const words: Partial<Record<NodeJS.Signals, string>> = {
    SIGKILL: "killed",
    SIGTERM: "terminated",
    SIGINT: "interrupt",
  };
  return `signal: ${words[signal] ?? signal}`;
}
