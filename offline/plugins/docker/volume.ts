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
    name: { type: "string", replaces: true, computed: true },
    driver: { type: "string", replaces: true, computed: true },
    driverOpts: { type: "map", replaces: true },
    labels: labelsField,
    cluster: { type: "object", refused: true },
  },
};

export function volume(client: Client): Resource {
  async function read(id: string, when: When): Promise<Props | undefined> {
    const docker = await client.docker();
    try {
      const found = await docker.getVolume(id).inspect();
      const state: Props = {
        id: found.Name,
        name: found.Name,
        driver: found.Driver,
        driverOpts: found.Options ?? undefined,
        labels: fromMap(found.Labels),
        mountpoint: found.Mountpoint,
      };
      return saved(table.fields, state, when);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw new Error(`Unable to inspect volume: ${reason(error)}`, { cause: error });
    }
  }

  return {
    check: (news, olds, naming, { name }) => check(table, "Volume", news, olds, { ...naming, name }),
    diff: (old, news) => diff(table, old, news),

    async create(news, call) {
      if (call.preview) return { id: "", state: previewed(table, ["mountpoint"], news) };
      const docker = await client.docker();
      const id = news.name as string;
      await attempt("Unable to create volume", () =>
        docker.createVolume({
          Name: id,
          Driver: news.driver as string | undefined,
          DriverOpts: news.driverOpts as Record<string, string> | undefined,
          Labels: toMap(news.labels),
        }),
      );
      const state = await read(id, "made");
      if (!state) throw new Error(`volume ${id} is gone right after it was created`);
      return { id, state };
    },

    async read(old) {
      const state = await read(old.id, "read");
      return state && { id: old.id, state, inputs: refreshed(table, old.inputs, state) };
    },

    update: (old, news) => Promise.resolve(updated(table, old, news)),

    async delete({ id }) {
      const docker = await client.docker();
      await untilFree(`volume ${id}`, /volume is in use/i, () =>
        docker.getVolume(id).remove({ force: true }),
      );
    },
  };
}
