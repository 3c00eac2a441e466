import { randomBytes } from "node:crypto";
import type { Call, Checked, Resource } from "../rpc/plugin.ts";
import { type Props, UNKNOWN } from "../rpc/values.ts";
import { diff, type Kinds, previewed } from "./inputs.ts";

export interface Printed {
  stdout: string;
  stderr: string;
}

/** Runs one command line. `before`: what the last one printed. */
export type Run = (line: string, inputs: Props, before: Printed, call: Call) => Promise<Printed>;

const nothing: Printed = { stdout: "", stderr: "" };

/** The life of a command, local or remote. */
export function command(kinds: Kinds, check: (news: Props) => Checked, run: Run): Resource {
  return {
    check,
    diff: (old, news) => diff(kinds, old, news),

    async create(news, call) {
      const id = call.name + randomBytes(4).toString("hex");
      if (call.preview) return { id, state: { ...news, stdout: UNKNOWN, stderr: UNKNOWN } };
      const printed = await runIfSet(news.create, news, nothing, call);
      return { id, state: { ...news, ...printed } };
    },

    read: (old) => Promise.resolve(old),

    async update(old, news, call) {
      if (call.preview) return previewed(kinds, old, news);
      const printed = await runIfSet(news.update ?? news.create, news, printedBy(old.state), call);
      return { ...news, ...printed };
    },

    async delete({ state }, call) {
      await runIfSet(state.delete, state, printedBy(state), call);
    },
  };

  async function runIfSet(line: unknown, inputs: Props, before: Printed, call: Call): Promise<Printed> {
    return typeof line === "string" ? run(line, inputs, before, call) : before;
  }
}

function printedBy(state: Props): Printed {
  return { stdout: (state.stdout ?? "") as string, stderr: (state.stderr ?? "") as string };
}

/** What the next run finds of the last one in its environment. */
export function previousOutput(inputs: Props, { stdout, stderr }: Printed): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  return {
    ...(stdout && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr && { PULUMI_COMMAND_STDERR: stderr }),
  };
}
