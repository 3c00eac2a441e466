import * as pulumi from "@pulumi/pulumi";
import type { IngressContext } from "../context";
import { known, type Decisions } from "./decisions";
import type { Decided, Former } from "./plan";

/** What an update changes, and how that is said. */
export interface Plan<F, N> {
  /** What the last update left. */
  former: Promise<F | undefined>;
  next: pulumi.Output<N>;
  words: (former: F | undefined, next: pulumi.Unwrap<N>, decided: Decided) => string[];
}

/**
 * Prints the plan: a preview prints it when all is decided, an update at once what is certain and then each line when it is.
 * Called when all children are declared. The plan only tells: what keeps it from being told does not keep a release from
 * being made.
 */
export function sayPlan<F extends Pick<Former, "children">, N>(
  { owner }: IngressContext,
  decisions: Decisions,
  plan: Plan<F, N>,
): void {
  const say = (lines: string[]) => {
    if (lines.length > 0) void pulumi.log.info(lines.map((line) => `plan: ${line}`).join("\n"), owner);
  };
  tell(decisions, plan, say).catch((error: Error) =>
    say([`not known, since the former release could not be read: ${error.message}`]),
  );
}

async function tell<F extends Pick<Former, "children">, N>(
  decisions: Decisions,
  plan: Plan<F, N>,
  say: (lines: string[]) => void,
): Promise<void> {
  const [former, next] = await Promise.all([plan.former, known(plan.next)]);
  if (next === undefined) return;
  const made = new Set<string>();
  const said = new Set<string>();
  const sayNews = (all: boolean) => {
    const declared = new Set(decisions.declared);
    const lines = plan.words(former, next, { declared, made, all });
    say(lines.filter((line) => !said.has(line)));
    for (const line of lines) said.add(line);
  };

  if (former === undefined) return sayNews(true);
  if (!pulumi.runtime.isDryRun()) sayNews(false);
  const decided = decisions.declared.map(async (child) => {
    if (!(await decisions.isMade(child, former))) return;
    made.add(child);
    if (!pulumi.runtime.isDryRun()) sayNews(false);
  });
  // Of what failed, the engine tells.
  await Promise.all(decided).then(
    () => sayNews(true),
    () => {},
  );
}
