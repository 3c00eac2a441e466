import type Docker from "dockerode";
import type { Call, Resource } from "../rpc/plugin.ts";
import { type Client, isStatus, reason } from "./client.ts";
import { changed, check, diff, plain, previewed, refreshed, updated, values, type Table } from "./fields.ts";
import { saved } from "./saved.ts";

const table: Table = {
  fields: {
    name: { type: "string", required: true, replaces: true },
    keepLocally: { type: "bool" },
    forceRemove: { type: "bool" },
    pullTriggers: { type: "set", replaces: true },
    build: { type: "object", refused: true },
    platform: { type: "string", refused: true },
    triggers: { type: "map", refused: true },
  },
};

export function remoteImage(client: Client): Resource {
  async function read(name: string) {
    const docker = await client.docker();
    const image = await inspect(docker, name);
    if (!image) return undefined;
    return { id: image.Id + name, imageId: image.Id, repoDigest: repoDigest(name, image.RepoDigests ?? []) };
  }

  return {
    check: (news, olds, naming, { name }) => check(table, "RemoteImage", news, olds, { ...naming, name }),
    diff: (old, news) => diff(table, old, news),

    async create(news, call) {
      if (call.preview) return { id: "", state: previewed(table, ["imageId", "repoDigest"], news) };
      const name = news.name as string;
      try {
        await findOrPull(client, name, call);
      } catch (error) {
        throw new Error(`Unable to read Docker image into resource: ${reason(error)}`, { cause: error });
      }
      const found = await read(name);
      if (!found) throw new Error(`unable to find or pull image ${name}`);
      const { id, ...outputs } = found;
      return { id, state: saved(table.fields, { ...plain(news), id, ...outputs }, "made") };
    },

    async read(old) {
      const found = await read((old.state.name ?? old.id.replace(/^sha256:[0-9a-f]{64}/, "")) as string);
      if (!found) return undefined;
      const { id, ...outputs } = found;
      const state = saved(table.fields, { ...values(old.state), id, ...outputs }, "made");
      return { id, state, inputs: refreshed(table, old.inputs, state) };
    },

    async update(old, news, call) {
      const state = updated(table, old, news);
      if (call.preview || changed(table, old, news).size === 0) return state;
      await findOrPull(client, news.name as string, call);
      const found = await read(news.name as string);
      return { ...state, ...(found && { imageId: found.imageId, repoDigest: found.repoDigest }) };
    },

    async delete({ state }) {
      if (state.keepLocally === true) return;
      const docker = await client.docker();
      const name = state.name as string;
      if (!(await inspect(docker, name))) return;
      try {
        await docker.getImage(name).remove({ force: state.forceRemove === true });
      } catch (error) {
        throw new Error(`Unable to remove Docker image: ${reason(error)}`, { cause: error });
      }
    },
  };
}

async function inspect(docker: Docker, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** An image that is there is never looked up in a registry. */
export async function findOrPull(client: Client, name: string, call: Call): Promise<void> {
  const docker = await client.docker();
  if (name === "") throw new Error("empty image name is not allowed");
  if (await inspect(docker, name)) return;
  try {
    await pull(docker, client, name, call);
  } catch (error) {
    throw new Error(`unable to pull image ${name}: ${reason(error)}`, { cause: error });
  }
  if (!(await inspect(docker, name))) throw new Error(`unable to find or pull image ${name}`);
}

async function pull(docker: Docker, client: Client, name: string, call: Call): Promise<void> {
  call.log("status", `pulling ${name}`);
  const registry = client.authFor(name);
  const authconfig = registry && { ...registry, serveraddress: registry.address };
  const stream = await docker.pull(withTag(name), { authconfig });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => (error ? reject(error) : resolve()),
      ({ id, status }: { id?: string; status?: string }) => {
        if (id !== undefined && status !== undefined) call.log("status", `${id}: ${status}`);
      },
    );
  });
}

/** Docker's API pulls *all* tags of a name without one. */
function withTag(name: string): string {
  const last = name.slice(name.lastIndexOf("/") + 1);
  return /[:@]/.test(last) ? name : `${name}:latest`;
}

function repoDigest(name: string, digests: string[]): string {
  const repository = name.split(":")[0] ?? name;
  const own = digests.length > 1 && digests.find((digest) => digest.startsWith(repository));
  return own || (digests[0] ?? "");
}
