import type * as pulumi from "@pulumi/pulumi";
import { formerRelease, readState } from "../release/former";
import type { Identity } from "../identity";

/** What the stack's state says that there is of the service on the host. What only waits for its deletion is not in it. */
export interface Known {
  /** The color that the last switch made live. */
  live: string | undefined;
  /** The address of the host that all of it was made on. */
  host: string | undefined;
  containers: KnownResource[];
  networks: KnownResource[];
  volumes: KnownResource[];
}
export interface KnownResource {
  role: string;
  id: string;
  name: string;
}

/** Reads it from the state: nothing contacts the host. By the labels, since a resource may have had another name then. */
export async function knownOf(
  service: pulumi.ComponentResource,
  identity: Identity,
  id: string,
): Promise<Known> {
  const state = await readState();
  const former = await formerRelease(service, identity, Promise.resolve(state));
  const resources = Object.entries(state).flatMap(([urn, { type = "", outputs }]) => {
    const { id: madeId, name, labels = [] } = outputs ?? {};
    const label = (wanted: string) => labels.find(({ label }) => label === `bluegreen.${wanted}`)?.value;
    const role = label("role");
    if (label("id") !== id || role === undefined || madeId === undefined || name === undefined) return [];
    return [{ urn, type, role, id: madeId, name }];
  });
  const ofType = (wanted: string) => resources.filter(({ type }) => type === wanted);
  // Of a worker and a peer, the name does not end with the role.
  const provider = resources
    .filter(({ urn, role }) => role !== "worker" && urn.endsWith(`-${role}`))
    .map(({ urn, type, role }) =>
      urn.replace(type, "pulumi:providers:docker").replace(new RegExp(`${role}$`), "docker"),
    )[0];
  return {
    live: former?.activeColor,
    host: state[provider]?.outputs?.host,
    containers: ofType("docker:index/container:Container"),
    networks: ofType("docker:index/network:Network"),
    volumes: ofType("docker:index/volume:Volume"),
  };
}
