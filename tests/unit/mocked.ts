import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { setImmediate } from "node:timers/promises";
import { BlueGreenService, type BlueGreenServiceArgs } from "../../components/index";

/** What the engine is asked for. */
export interface Registered {
  urn: string;
  type: string;
  name: string;
  /** The names of other resources. */
  parent: string;
  dependencies: string[];
  provider: string;
  deleteBeforeReplace: boolean | undefined;
  retainOnDelete: boolean;
  ignoreChanges: string[];
  additionalSecretOutputs: string[];
  inputs: Inputs;
  /** Paths of the inputs that arrived marked as secret, such as `envs` or `uploads.0.content`. */
  secrets: string[];
}
// Inputs are compared with what is expected of them, so their type is of no use here.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Inputs = { [name: string]: any };

export interface Mocked {
  service: BlueGreenService;
  /** By name without "shop-"; the component itself is "shop". */
  resources: { [name: string]: Registered };
  outputs: { [name: string]: unknown };
  logs: string[];
}

/** What readStackResourceOutputs answers: the resources of the last update by URN. */
export type State = { [urn: string]: { outputs: Inputs } };

/**
 * Declares a service "shop" in the stack "acme/dev" and waits until everything is registered. In a preview an ssh:// host is
 * not asked whether it is there.
 */
export async function declare(
  args: BlueGreenServiceArgs,
  state: State = {},
  preview = false,
): Promise<Mocked> {
  const registered = mock(state, preview);
  const logs: string[] = [];
  // The engine prints these; under mocks there is none.
  const restore = replaceLog((message) => logs.push(message));
  try {
    const service = new BlueGreenService("shop", args);
    const names = [
      "url",
      "previewUrl",
      "activeColor",
      "blueImage",
      "greenImage",
      "blueContainer",
      "greenContainer",
      "proxyContainer",
      "redisHost",
    ] as const;
    const values = await valueOf(pulumi.all(names.map((name) => service[name])));
    await pulumi.runtime.disconnect();
    // What waits for the last resource comes right after it.
    await setImmediate();
    return {
      service,
      logs,
      resources: Object.fromEntries(registered.map((r) => [r.name.replace(/^shop-/, ""), r])),
      outputs: Object.fromEntries(names.map((name, i) => [name, values[i]])),
    };
  } finally {
    restore();
  }
}

/** Starts anew: whatever is registered from here on is in the returned list. */
export function mock(state: State = {}, preview = false): Registered[] {
  const registered: Registered[] = [];
  void pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => ({
        // Empty for what is not imported.
        id: id || `${name}-id`,
        // The plugin names what has no name.
        state: { ...madeUp(type, name), ...(inputs as Inputs) },
      }),
      call: ({ token }) => {
        if (token !== "pulumi:pulumi:readStackResourceOutputs")
          throw new Error(`unexpected call of ${token}`);
        return { outputs: state };
      },
    },
    "acme",
    "dev",
    preview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (request: RegisterResourceRequest, callback: unknown) => unknown;
  };
  // Mocks get to see only types, names and inputs; options are in the request.
  const original = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    registered.push(read(request));
    return original(request, callback);
  };
  return registered;
}

export const ID = "0123456789abcdef";

/** What a plugin adds to the inputs. */
function madeUp(type: string, name: string): Inputs {
  if (type.startsWith("docker:")) return { name: `${name}-1a2b3c4`, id: `${name}-id` };
  return name.endsWith("-identity") ? { stdout: ID } : {};
}

export const valueOf = <T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> =>
  new Promise((resolve) => output.apply((value) => resolve(value as pulumi.Unwrap<T>)));

export const isSecret = (output: unknown): Promise<boolean> =>
  (output as { isSecret: Promise<boolean> }).isSecret;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

function read(request: RegisterResourceRequest): Registered {
  const secrets: string[] = [];
  const plain = (value: unknown, path: string[]): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => plain(item, [...path, String(i)]));
    if (typeof value !== "object" || value === null) return value;
    const object = value as { [key: string]: unknown };
    if (object[SIGNATURE] === SECRET) {
      secrets.push(path.join("."));
      return plain(object.value, path);
    }
    return Object.fromEntries(
      Object.entries(object).map(([key, inner]) => [key, plain(inner, [...path, key])]),
    );
  };
  const nameOf = (urn: string) => urn.slice(urn.lastIndexOf("::") + 2);
  return {
    urn: urnOf(request),
    type: request.getType(),
    name: request.getName(),
    parent: nameOf(request.getParent()),
    dependencies: request.getDependenciesList().map(nameOf).sort(),
    provider: nameOf(request.getProvider().split("::").slice(0, -1).join("::")),
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    retainOnDelete: request.getRetainondelete() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    inputs: plain(request.getObject()?.toJavaScript() ?? {}, []) as Inputs,
    secrets,
  };
}

function urnOf(request: RegisterResourceRequest): string {
  const [chain, parent] = request.getParent().split("::").slice(2);
  const type = parent === undefined ? request.getType() : `${chain}$${request.getType()}`;
  return `urn:pulumi:dev::acme::${type}::${request.getName()}`;
}

/** What the engine would print goes to the given function, until the one that it gives is called. */
export function replaceLog(info: (message: string) => void): () => void {
  const log = pulumi.log as unknown as { info: unknown };
  const original = log.info;
  log.info = (message: string) => (info(message), Promise.resolve());
  return () => (log.info = original);
}
