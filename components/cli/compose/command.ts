import type { Context } from "./context";
import { holdsSecret, leaveSecret } from "./secrets";
import { commandOf } from "./values";

/** What a container is started with, and by which setting. No words: there is a secret among them. */
export interface Start {
  words?: string[];
  by: "command" | "container.entrypoints";
}

export function mapCommand(context: Context): Start | undefined {
  const { findings } = context;
  const settings = { entrypoint: ["container", "entrypoints"], command: ["command"] };
  const all: string[] = [];
  let isHidden = false;
  for (const key of ["entrypoint", "command"] as const) {
    const words = wordsOf(context, key);
    if (words?.length === 0)
      findings.leave(
        [key],
        "is empty, and the image's own can't be taken away",
        `make an image without one: ${key === "command" ? "CMD" : "ENTRYPOINT"} [].`,
      );
    else if (words !== undefined && holdsSecret(words, context.project)) {
      leaveSecret(findings, [key]);
      isHidden = true;
    } else if (words !== undefined) findings.set(settings[key], words, [key]);
    all.push(...(words ?? []));
  }
  if (all.length === 0) return undefined;
  const by = findings.origin(...settings.entrypoint) === undefined ? "command" : "container.entrypoints";
  return { words: isHidden ? undefined : all, by };
}

function wordsOf(
  { findings, service, project }: Context,
  key: "command" | "entrypoint",
): string[] | undefined {
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
      `Docker Compose drops ${holdsSecret([read.dropped], project) ? "all after the first command" : JSON.stringify(read.dropped)}, and so does this: it takes a shell, ["sh", "-c", "…"]`,
    );
  return read.words;
}
