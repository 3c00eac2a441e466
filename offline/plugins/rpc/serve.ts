/**
 * Serves a plugin to the Pulumi engine.
 *
 * The SDK has a server of its own (`pulumi.provider.main`), but it hands on neither the provider's
 * configuration nor whether a call is a preview, refuses CheckConfig, and takes twice as long to load.
 * So this one is built on the SDK's protocol files alone.
 */
import * as grpc from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import { connectLog } from "./log.ts";
import {
  type Call,
  type Checked,
  type Diff,
  InitError,
  type Naming,
  type Plugin,
  type Resource,
} from "./plugin.ts";
import { type Props, same, unwrapped } from "./values.ts";

export async function serve(plugin: Plugin): Promise<void> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(services.ResourceProviderService, handlers(plugin));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  // The engine reads the port from the first line.
  process.stdout.write(`${port}\n`);
}

function handlers(plugin: Plugin): grpc.UntypedServiceImplementation {
  const cancelled = new AbortController();
  let log = connectLog(process.argv.slice(2).find((arg) => /^[^-].*:\d+$/.test(arg)));

  function resource(urn: string): Resource {
    const type = urnType(urn);
    const found = plugin.resources[type];
    if (found) return found;
    const supported = Object.keys(plugin.resources).join(", ");
    throw new Error(
      `${type} is not in the offline stand-in of the ${plugin.name} plugin, which has only ${supported}.`,
    );
  }

  function callOf(urn: string, preview = false, timeout = 0): Call {
    const signals = [cancelled.signal];
    if (timeout > 0) signals.push(AbortSignal.timeout(timeout * 1000));
    return {
      urn,
      name: urn.slice(urn.lastIndexOf("::") + 2),
      preview,
      signal: AbortSignal.any(signals),
      log: (severity, message) => log.write(urn, severity, message),
      logged: () => log.written(),
    };
  }

  return {
    attach: unary((req: pluginPb.PluginAttach) => {
      log = connectLog(req.getAddress());
      return new empty.Empty();
    }),
    cancel: unary(() => {
      cancelled.abort(new Error("cancelled"));
      return new empty.Empty();
    }),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(plugin.version)),

    checkConfig: unary((req: pb.CheckRequest) => checkResponse(plugin.checkConfig(props(req.getNews())))),
    diffConfig: unary((req: pb.DiffRequest) => {
      const olds = props(req.getOldInputs() ?? req.getOlds());
      const changed = !same(olds, props(req.getNews()));
      const kinds = pb.DiffResponse.DiffChanges;
      return new pb.DiffResponse().setChanges(changed ? kinds.DIFF_SOME : kinds.DIFF_NONE);
    }),
    configure: unary(async (req: pb.ConfigureRequest) => {
      await plugin.configure(unwrapped(props(req.getArgs())) as Props);
      return new pb.ConfigureResponse().setSupportspreview(true).setSupportsAutonamingConfiguration(true);
    }),

    check: unary((req: pb.CheckRequest) => {
      const olds = req.hasOlds() ? props(req.getOlds()) : undefined;
      const call = callOf(req.getUrn());
      return checkResponse(resource(req.getUrn()).check(props(req.getNews()), olds, namingOf(req), call));
    }),
    diff: unary((req: pb.DiffRequest) => {
      const old = { id: req.getId(), state: props(req.getOlds()), inputs: props(req.getOldInputs()) };
      const news = ignoring(req.getIgnorechangesList(), props(req.getNews()), old.state);
      return diffResponse(resource(req.getUrn()).diff(old, news));
    }),
    create: unary(async (req: pb.CreateRequest) => {
      const call = callOf(req.getUrn(), req.getPreview(), req.getTimeout());
      const { id, state } = await resource(req.getUrn()).create(props(req.getProperties()), call);
      return new pb.CreateResponse().setId(id).setProperties(toStruct(state));
    }),
    read: unary(async (req: pb.ReadRequest) => {
      const old = { id: req.getId(), state: props(req.getProperties()), inputs: props(req.getInputs()) };
      if (Object.keys(old.state).length === 0) {
        throw new Error(
          `The offline stand-in of the ${plugin.name} plugin can't import or get ${old.id}: it reads only what it created.`,
        );
      }
      const found = await resource(req.getUrn()).read(old, callOf(req.getUrn()));
      if (!found) return new pb.ReadResponse();
      return new pb.ReadResponse()
        .setId(found.id)
        .setProperties(toStruct(found.state))
        .setInputs(toStruct(found.inputs));
    }),
    update: unary(async (req: pb.UpdateRequest) => {
      const old = { id: req.getId(), state: props(req.getOlds()), inputs: props(req.getOldInputs()) };
      const news = ignoring(req.getIgnorechangesList(), props(req.getNews()), old.state);
      const call = callOf(req.getUrn(), req.getPreview(), req.getTimeout());
      return new pb.UpdateResponse().setProperties(
        toStruct(await resource(req.getUrn()).update(old, news, call)),
      );
    }),
    delete: unary(async (req: pb.DeleteRequest) => {
      const old = { id: req.getId(), state: props(req.getProperties()), inputs: props(req.getOldInputs()) };
      await resource(req.getUrn()).delete(old, callOf(req.getUrn(), false, req.getTimeout()));
      return new empty.Empty();
    }),
    invoke: unary(async (req: pb.InvokeRequest) => {
      const run = plugin.functions?.[req.getTok()];
      if (run) return new pb.InvokeResponse().setReturn(toStruct(await run(props(req.getArgs()))));
      throw new Error(
        `The function ${req.getTok()} is not in the offline stand-in of the ${plugin.name} plugin.`,
      );
    }),
  };
}

function unary<Req, Res>(handle: (request: Req) => Res | Promise<Res>): grpc.handleUnaryCall<Req, Res> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(serviceError(error)),
      );
  };
}

function serviceError(error: unknown): Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  const code = grpc.status.UNKNOWN;
  if (!(error instanceof InitError)) return { code, details: message };

  const failed = new pb.ErrorResourceInitFailed().setId(error.id).setProperties(toStruct(error.state));
  failed.setReasonsList([message]);
  const detail = new any.Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusPb.Status();
  status.setCode(code);
  status.setMessage(message);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  // The name under which Go's gRPC looks for structured details of an error.
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code, details: message, metadata };
}

function checkResponse({ inputs, failures }: Checked): pb.CheckResponse {
  const response = new pb.CheckResponse().setInputs(toStruct(inputs));
  for (const { property, reason } of failures) {
    response.addFailures(new pb.CheckFailure().setProperty(property).setReason(reason));
  }
  return response;
}

function diffResponse({ changes, deleteBeforeReplace, comparesInputs }: Diff): pb.DiffResponse {
  const names = Object.keys(changes);
  const kinds = pb.DiffResponse.DiffChanges;
  const response = new pb.DiffResponse()
    .setChanges(names.length > 0 ? kinds.DIFF_SOME : kinds.DIFF_NONE)
    .setDiffsList(names)
    .setReplacesList(names.filter((name) => changes[name]?.replace))
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  for (const [name, { kind, replace }] of Object.entries(changes)) {
    const full = replace ? (`${kind}_replace` as const) : kind;
    const key = full.toUpperCase() as Uppercase<typeof full>;
    const detail = new pb.PropertyDiff().setKind(pb.PropertyDiff.Kind[key]).setInputdiff(comparesInputs);
    response.getDetaileddiffMap().set(name, detail);
  }
  return response;
}

/** `ignoreChanges`: a top-level property keeps the value that it has. */
function ignoring(ignored: string[], news: Props, state: Props): Props {
  const result = { ...news };
  for (const path of ignored) {
    if (path in state) result[path] = state[path];
    else delete result[path];
  }
  return result;
}

function namingOf(req: pb.CheckRequest): Naming {
  const seed = req.getRandomseed_asU8();
  const options = req.getAutonaming();
  if (!options) return { seed };
  const mode = (["propose", "enforce", "disable"] as const)[options.getMode()];
  return { seed, mode, proposed: options.getProposedName() };
}

/** `urn:pulumi:stack::project::parent$type::name` */
function urnType(urn: string): string {
  const chain = urn.split("::")[2] ?? "";
  return chain.slice(chain.lastIndexOf("$") + 1);
}

function props(value: struct.Struct | undefined): Props {
  const all = (value?.toJavaScript() ?? {}) as Props;
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== null));
}

function toStruct(value: Props): struct.Struct {
  return struct.Struct.fromJavaScript(withoutUndefined(value) as Record<string, struct.JavaScriptValue>);
}

/** The protocol has null, but nothing for undefined. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const set = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(set.map(([k, v]) => [k, withoutUndefined(v)]));
}
