import * as pulumi from "@pulumi/pulumi";
import type { Context } from "./context";
import { known, type Decisions } from "./decisions";
import { formerRelease } from "./former";
import { planInWords, type Release } from "./plan";

/**
 * Prints the plan: a preview prints it when all is decided, an update at once what is certain and then each line when it is.
 * Called when all children are declared. The plan only tells: what keeps it from being told does not keep a release from
 * being made.
 */
export function sayPlan(
  context: Context,
  release: { [K in keyof Release]: pulumi.Input<string> },
  decisions: Decisions,
): void {
  const say = (lines: string[]) => {
    if (lines.length > 0)
      void pulumi.log.info(lines.map((line) => `plan: ${line}`).join("\n"), context.owner);
  };
  tell(context, release, decisions, say).catch((error: Error) =>
    say([`not known, since the former release could not be read: ${error.message}`]),
  );
}

async function tell(
  { owner, identity, settings, stateBefore }: Context,
  release: { [K in keyof Release]: pulumi.Input<string> },
  decisions: Decisions,
  say: (lines: string[]) => void,
): Promise<void> {
  const [former, next] = await Promise.all([
    formerRelease(owner, identity, stateBefore),
    known(pulumi.output(release)),
  ]);
  if (next === undefined) return;
  const made = new Set<string>();
  const said = new Set<string>();
  const sayNews = (all: boolean) => {
    const declared = new Set(decisions.declared);
    const lines = planInWords(former, next, settings, { declared, made, all });
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
