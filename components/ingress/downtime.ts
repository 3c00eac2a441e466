import * as command from "@pulumi/command";
import type { IngressContext } from "../context";
import type { IngressSettings } from "../settings";
import { DOWNTIME, settingsThatCost } from "../settings/schema";
import { addressesOf } from "./ports";
import { assignments, shellFile } from "../shell";

/** The settings whose change is downtime. */
const BINDING = settingsThatCost(DOWNTIME).filter((path) => path !== "proxy.ipv6");

/**
 * What the edge can't take over from another edge: a line "SETTING VALUE" each, `none` where there is none. IPv6 is told by the
 * addresses.
 */
export function binding(settings: IngressSettings, ipv6: boolean): string {
  const { proxy, tlsPort } = settings;
  const [bindAddress, previewBindAddress] = [proxy.bindAddress, proxy.previewBindAddress].map((address) =>
    addressesOf(address, ipv6).join(" and "),
  );
  const bound = { ...settings, proxy: { ...proxy, bindAddress, previewBindAddress }, tls: { port: tlsPort } };
  // Not among the others: the edge of a former version has no such line, and that is no change.
  const spoken = proxy.proxyProtocol.length > 0 ? ["proxy.proxyProtocol on"] : [];
  return [...BINDING.map((path) => `${path} ${valueAt(bound, path) ?? "none"}`), ...spoken].join("\n");
}

/** Whether an edge of this binding has an address of IPv6. */
export const isOpenForIPv6 = (binding: string): boolean => /^proxy\.\w+ \S+ and ::/m.test(binding);

const valueAt = (settings: object, path: string) =>
  path.split(".").reduce((value: unknown, step) => (value as { [step: string]: unknown })[step], settings) as
    string | number | boolean | undefined;

/**
 * Fails an update that would replace the edge without leave, before anything is deleted. Its own output remembers what the
 * edge was made with. Before the first release has passed there is nobody to be offline for.
 */
export function guardDowntime(context: IngressContext): command.local.Command {
  const { name, owner, provider, binding } = context;
  const stdin = binding.apply(async (wanted) => {
    const permitted = await isPermitted(context, wanted);
    return (
      assignments({ WANTED: wanted, PERMITTED: permitted ? "yes" : "no" }) + shellFile("on-pulumi/guard.sh")
    );
  });
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
