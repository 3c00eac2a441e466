import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { type Call, InitError, type Resource } from "../rpc/plugin.ts";
import type { Props } from "../rpc/values.ts";
import { attempt, type Client, isStatus, reason } from "./client.ts";
import { type Attachment, createOptions, resourcesOf } from "./container-options.ts";
import { stateOf } from "./container-state.ts";
import { outputs, table } from "./container-table.ts";
import { changed, check, diff, plain, previewed, refreshed, updated, values } from "./fields.ts";
import { findOrPull } from "./image.ts";
import { saved } from "./saved.ts";
import { upload, type Upload } from "./upload.ts";

export function container(client: Client): Resource {
  async function create(inputs: Props, call: Call): Promise<{ id: string; state: Props }> {
    const image = inputs.image as string;
    await attempt(`Unable to create container with image ${image}`, () => findOrPull(client, image, call));
    const docker = await client.docker();
    const options = createOptions(inputs);
    await refuseIfTooNew(docker, options);
    const made = await attempt("Unable to create container", () => docker.createContainer(options));
    try {
      await connect(docker, made, (inputs.networksAdvanced ?? []) as Attachment[]);
      await upload(made, (inputs.uploads ?? []) as Upload[]);
      if (inputs.start === true) await start(made, inputs);
      return { id: made.id, state: stateOf(await made.inspect(), inputs, "made") };
    } catch (error) {
      // It exists, so it has to be in the state, or nothing would ever remove it.
      throw new InitError(
        made.id,
        saved(table.fields, { ...inputs, id: made.id }, "made"),
        failed("creating", call, error),
      );
    }
  }

  return {
    check: (news, olds, naming, { name }) => check(table, "Container", news, olds, { ...naming, name }),
    diff(old, news) {
      const result = diff(table, old, news);
      // It failed at its start, so it was never read back.
      if (old.state.networkDatas === undefined) result.changes.networkDatas = { kind: "add", replace: false };
      return result;
    },

    async create(news, call) {
      if (call.preview) return { id: "", state: previewed(table, outputs, news) };
      return create(plain(news), call);
    },

    async read(old) {
      const docker = await client.docker();
      try {
        const state = stateOf(await docker.getContainer(old.id).inspect(), values(old.state), "read");
        return { id: old.id, state, inputs: refreshed(table, old.inputs, state) };
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },

    async update(old, news, call) {
      const state = updated(table, old, news);
      const changes = changed(table, old, news);
      if (call.preview || changes.size === 0) return state;
      const docker = await client.docker();
      const running = docker.getContainer(old.id);
      try {
        if (changes.has("mustRun") && news.mustRun === true && news.start === true) {
          await startUnlessRunning(running);
        }
        const inPlace = ["restart", "maxRetryCount", "memory", "memorySwap", "cpuShares", "cpuSet"];
        if (inPlace.some((name) => changes.has(name))) {
          await attempt("Unable to update a container", () => running.update(resourcesOf(state)));
        }
      } catch (error) {
        throw new InitError(old.id, state, failed("updating", call, error));
      }
      return saved(table.fields, state, "made");
    },

    async delete({ id, state }) {
      const docker = await client.docker();
      const gone = docker.getContainer(id);
      const grace = Math.max(0, (state.destroyGraceSeconds ?? 0) as number);
      await unlessGone(`Error stopping container ${id}`, () => gone.stop({ t: grace }));
      await unlessGone(`Error deleting container ${id}`, () =>
        gone.remove({ v: state.removeVolumes !== false, force: true }),
      );
    },
  };
}

/** An older engine ignores it without a word; the official plugin's client refuses it. */
async function refuseIfTooNew(docker: Docker, options: Docker.ContainerCreateOptions): Promise<void> {
  if (!options.Healthcheck?.StartInterval) return;
  const { ApiVersion } = await docker.version();
  if (ApiVersion.localeCompare("1.44", "en", { numeric: true }) >= 0) return;
  throw new Error(
    `Unable to create container: "specify health-check start interval" requires API version 1.44, but the Docker daemon API version is ${ApiVersion}`,
  );
}

/** In the words of the official plugin. */
function failed(what: string, { urn }: Call, error: unknown): string {
  return `${what} ${urn}: 1 error occurred:\n\t* ${reason(error)}\n\n`;
}

async function connect(docker: Docker, made: Docker.Container, networks: Attachment[]): Promise<void> {
  if (networks.length === 0) return;
  try {
    await docker.getNetwork("bridge").disconnect({ Container: made.id });
  } catch (error) {
    if (!reason(error).includes("is not connected to the network bridge")) {
      throw new Error(`Unable to disconnect the default network: ${reason(error)}`, { cause: error });
    }
  }
  for (const { name, aliases, ipv4Address } of networks) {
    await attempt(`Unable to connect to network '${name}'`, () =>
      docker.getNetwork(name).connect({
        Container: made.id,
        EndpointConfig: {
          Aliases: aliases,
          IPAMConfig: { IPv4Address: ipv4Address },
        },
      }),
    );
  }
}

async function startUnlessRunning(container: Docker.Container): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    if (!isStatus(error, 304))
      throw new Error(`Unable to start container: ${reason(error)}`, { cause: error });
  }
}

async function start(made: Docker.Container, inputs: Props): Promise<void> {
  await startUnlessRunning(made);
  if (inputs.wait !== true) return;
  const deadline = Date.now() + (inputs.waitTimeout as number) * 1000;
  while (Date.now() < deadline) {
    const { State: state } = await made.inspect();
    if (!state.Health) {
      throw new Error(
        "you have supplied a 'wait' argument, but the container does not have a healthcheck defined. Please remove the 'wait' argument or add a 'healthcheck' attribute",
      );
    }
    if (state.Health.Status === "healthy") return;
    await sleep(1000);
  }
  throw new Error("container failed to be in healthy state");
}

async function unlessGone(what: string, request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    // 304: it had stopped already; 409: its removal is under way.
    const harmless =
      isStatus(error, 304) || isStatus(error, 404) || /is already in progress/.test(reason(error));
    if (!harmless) throw new Error(`${what}: ${reason(error)}`, { cause: error });
  }
}
