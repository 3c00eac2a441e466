import type { Context } from "./context";
import { commandOf } from "./values";

/** The command as it will run. There is no setting for the entrypoint, so the command begins with it. */
export function mapCommand(context: Context): string[] | undefined {
  const { findings } = context;
  const entrypoint = wordsOf(context, "entrypoint");
  const command = wordsOf(context, "command");
  for (const [key, words] of [
    ["entrypoint", entrypoint],
    ["command", command],
  ] as const)
    if (words?.length === 0)
      findings.leave(
        [key],
        "is empty, and the image's own can't be taken away",
        `make an image without one: ${key === "command" ? "CMD" : "ENTRYPOINT"} [].`,
      );
  const all = [...(entrypoint ?? []), ...(command ?? [])];
  if (all.length === 0) return undefined;
  findings.set(
    ["command"],
    all,
    command === undefined || command.length === 0 ? ["entrypoint"] : ["command"],
  );
  if (entrypoint !== undefined && entrypoint.length > 0)
    findings.remark(
      ["entrypoint"],
      'there is no setting for it, so the command begins with it. That is the same where the image has no ENTRYPOINT, or one that ends in exec "$@"; else put it into the image',
    );
  return all;
}

function wordsOf({ findings, service }: Context, key: "command" | "entrypoint"): string[] | undefined {
  if (!(key in service)) return undefined;
  if (service[key] === null) {
    findings.holds([key], "is the image's own");
    return undefined;
  }
  const read = commandOf(service[key]);
  if (read === undefined) {
    const reason = "can't be taken apart into words, and Docker Compose refuses it, too";
    findings.leave([key], reason, "write it as a list, and set command.");
    return undefined;
  }
  if (read.dropped !== "")
    findings.remark(
      [key],
      `Docker Compose drops ${JSON.stringify(read.dropped)}, and so does this: it takes a shell, ["sh", "-c", "…"]`,
    );
  return read.words;
}
