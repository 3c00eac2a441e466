import * as command from "@pulumi/command";
import type { IngressContext } from "../context";
import type { IngressSettings } from "../settings";
import { DOWNTIME, settingsThatCost } from "../settings/schema";
import { assignments, shellFile } from "../shell";

/** The settings whose change is downtime. */
const BINDING = settingsThatCost(DOWNTIME);

/** What the edge can't take over from another edge: a line "SETTING VALUE" each, `none` where there is none. */
export function binding(settings: IngressSettings): string {
  const bound = { ...settings, tls: { port: settings.tlsPort } };
  return BINDING.map((path) => `${path} ${valueAt(bound, path) ?? "none"}`).join("\n");
}

const valueAt = (settings: object, path: string) =>
  path.split(".").reduce((value: unknown, step) => (value as { [step: string]: unknown })[step], settings) as
    string | number | boolean | undefined;

/**
 * Fails an update that would replace the edge without leave, before anything is deleted. Its own output remembers what the
 * edge was made with. Before the first release has passed there is nobody to be offline for.
 */
export function guardDowntime(context: IngressContext): command.local.Command {
  const { name, owner, provider, settings } = context;
  const wanted = binding(settings);
  const stdin = isPermitted(context, wanted).then(
    (permitted) =>
      assignments({ WANTED: wanted, PERMITTED: permitted ? "yes" : "no" }) + shellFile("on-pulumi/guard.sh"),
  );
  return new command.local.Command(
    `${name}-downtime-guard`,
    { create: "sh -s", stdin, logging: "stderr" },
    // A host that can't be reached is one error, and not this one too.
    { parent: owner, dependsOn: provider },
  );
}

/**
 * What is the same as before needs no permission either. So this is true in every update that passes, and no reason to run
 * the guard again.
 */
async function isPermitted(context: IngressContext, wanted: string): Promise<boolean> {
  if (context.settings.allowDowntime) return true;
  try {
    const former = await context.formerBinding();
    return former === undefined || former === wanted;
  } catch {
    return false;
  }
}
