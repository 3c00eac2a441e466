import * as pulumi from "@pulumi/pulumi";
import { Checkpoint } from "./checkpoint";
import type { IngressContext } from "../context";
import { readFacts } from "./facts";
import { knownOf } from "./known";
import { publishedPorts } from "../ingress/ports";
import { findProblems, inWords, missing, type Place } from "./problems";
import { askHost, isUpdate } from "./reach";
import { refusal } from "./refusal";
import { hostScript } from "../shell";
import { writeKeys } from "./ssh";
import { violationsInWords, type Violation } from "../settings";

/** What is known of a host before anything is made there. */
export interface CheckedHost {
  address: string;
  /** Where it has not been looked at, it is taken to have it. */
  ipv6: boolean;
  /** Whether its engine is Podman. Undefined where it has not been looked at. */
  podman?: boolean;
}

/**
 * The host. An update gets it only when the host has been looked at: everything waits for it, so that a host that
 * can't be reached or lacks something is one error, before anything is touched. A preview contacts nothing, and neither does
 * a unit test with Pulumi's mocks, where there is no engine.
 *
 * `place`: of a service, what it claims on its ingress.
 */
export function checkHost(
  { owner, name, identity, ingress, settings }: Omit<IngressContext, "provider" | "ipv6" | "binding">,
  conflicts: () => Violation[],
  place: Place | undefined,
): pulumi.Output<CheckedHost> {
  const checkpoint = new Checkpoint(`${name}-checkpoint`, owner);
  const { host, proxy, network } = settings;
  if (!isUpdate()) {
    checkpoint.skip();
    return pulumi.output({ address: host.address, ipv6: true });
  }
  const { fullName, stack, service, id } = identity;
  return pulumi.all([fullName, stack, service, id, ingress]).apply((own) => {
    const [fullName, stack, service, id, ingress] = own;
    const wanted = {
      ...{ stack, service, id, name, fullName, ingress, place },
      host: host.address,
      ports: place?.isShared ? [] : publishedPorts(settings, false),
      ipv6: proxy.ipv6,
      network: network.name,
      migrateConnections: proxy.migrateConnections,
    };
    const known = () => knownOf(owner, identity, id);
    return writeKeys(host, fullName).apply(async () => {
      try {
        // Another service may have been declared since.
        const late = conflicts();
        if (late.length > 0) throw refusal(violationsInWords(name, late));
        const script = hostScript({ INGRESS: ingress }, ["on-host/facts.sh"]);
        const facts = readFacts(await askHost(host, fullName, script));
        // What is not there may be known already: by the refresh that this update has begun with.
        if (missing(facts, await known()).length > 0) await checkpoint.write();
        const now = await known();
        const problems = findProblems(facts, now, wanted);
        if (problems.length > 0) throw refusal(inWords(wanted, now, problems));
        const { ipv6, podman } = facts.engine;
        return { address: host.address, ipv6, podman };
      } finally {
        checkpoint.skip();
      }
    });
  });
}
