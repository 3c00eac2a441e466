import type { Resource } from "../rpc/plugin.ts";
import type { Props } from "../rpc/values.ts";
import { attempt, type Client, isStatus, reason } from "./client.ts";
import { check, diff, previewed, refreshed, updated, type Table } from "./fields.ts";
import { fromMap, labelsField, toMap } from "./labels.ts";
import { untilFree } from "./remove.ts";
import { saved, type When } from "./saved.ts";

const table: Table = {
  autoName: true,
  fields: {
    name: { type: "string", replaces: true },
    driver: { type: "string", replaces: true, computed: true },
    internal: { type: "bool", replaces: true, computed: true },
    labels: labelsField,
    ipv6: { type: "bool", replaces: true, computed: true },
    ipamConfigs: {
      type: "set",
      of: {
        subnet: { type: "string" },
        ipRange: { type: "string", refused: true },
        gateway: { type: "string", refused: true },
        auxAddress: { type: "map", refused: true },
      },
      replaces: true,
      computed: true,
    },
    ipamDriver: { type: "string", replaces: true, default: "default" },
    ipamOptions: { type: "map", refused: true },
  },
};
const outputs = ["scope", "options"];

const subnetsOf = (configs: unknown) =>
  (configs as { subnet?: string }[] | undefined)?.map(({ subnet }) => ({ Subnet: subnet }));

export function network(client: Client): Resource {
  async function read(id: string, when: When): Promise<Props | undefined> {
    const docker = await client.docker();
    try {
      const found = await docker.getNetwork(id).inspect();
      const state: Props = {
        id: found.Id,
        name: found.Name,
        driver: found.Driver,
        internal: found.Internal,
        scope: found.Scope,
        labels: fromMap(found.Labels),
        attachable: found.Attachable,
        ingress: found.Ingress,
        ipv6: found.EnableIPv6,
        options: found.Options ?? {},
        ipamDriver: found.IPAM?.Driver,
        ipamConfigs: found.IPAM?.Config?.map(({ Subnet, IPRange, Gateway }) => ({
          subnet: Subnet ?? "",
          ipRange: IPRange ?? "",
          gateway: Gateway ?? "",
          auxAddress: {},
        })),
      };
      return saved(table.fields, state, when);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw new Error(`Unable to inspect network ${id}: ${reason(error)}`, { cause: error });
    }
  }

  return {
    check: (news, olds, naming, { name }) => check(table, "Network", news, olds, { ...naming, name }),
    diff: (old, news) => diff(table, old, news),

    async create(news, call) {
      if (call.preview) return { id: "", state: previewed(table, outputs, news) };
      const docker = await client.docker();
      const { id } = await attempt("Unable to create network", () =>
        docker.createNetwork({
          Name: news.name as string,
          Driver: news.driver as string | undefined,
          Internal: news.internal as boolean | undefined,
          Labels: toMap(news.labels),
          EnableIPv6: news.ipv6 as boolean | undefined,
          IPAM: { Driver: news.ipamDriver as string, Config: subnetsOf(news.ipamConfigs) },
        }),
      );
      const state = await read(id, "made");
      if (!state) throw new Error(`network ${news.name as string} is gone right after it was created`);
      return { id, state };
    },

    async read(old) {
      const state = await read(old.id, "read");
      return state && { id: old.id, state, inputs: refreshed(table, old.inputs, state) };
    },

    update: (old, news) => Promise.resolve(updated(table, old, news)),

    async delete({ id }) {
      const docker = await client.docker();
      await untilFree(`network ${id}`, /has active endpoints/i, () => docker.getNetwork(id).remove());
    },
  };
}
