/** Runs a plugin as the engine would, and speaks to it in its protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type Props, UNKNOWN } from "../rpc/values.ts";

export { UNKNOWN };

type Unary<Req, Res> = (
  request: Req,
  done: (error: grpc.ServiceError | null, response: Res) => void,
) => unknown;

export class TestPlugin {
  /** What was shown to the user. */
  readonly logged: string[] = [];
  #process!: ChildProcess;
  #engine!: grpc.Server;
  #client!: InstanceType<typeof services.ResourceProviderClient>;
  readonly #type: string;

  /** `type`: of the resources of a test. */
  static async start(
    name: string,
    type: string,
    config: Props = {},
    env: NodeJS.ProcessEnv = {},
  ): Promise<TestPlugin> {
    const plugin = new TestPlugin(type);
    const engine = await plugin.#listen();
    const program = path.join(import.meta.dirname, "..", "bin", `pulumi-resource-${name}`);
    plugin.#process = spawn(program, [engine], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const port = await firstLine(plugin.#process);
    plugin.#client = new services.ResourceProviderClient(
      `127.0.0.1:${port}`,
      grpc.credentials.createInsecure(),
    );
    try {
      await plugin.#call("configure", new pb.ConfigureRequest().setArgs(toStruct(config)));
    } catch (error) {
      await plugin.stop();
      throw error;
    }
    return plugin;
  }

  private constructor(type: string) {
    this.#type = type;
  }

  async stop(): Promise<void> {
    this.#client.close();
    this.#engine.forceShutdown();
    this.#process.kill();
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, "exit");
  }

  async check(news: Props, olds?: Props, seed = "seed") {
    const request = new pb.CheckRequest()
      .setUrn(this.#urn())
      .setNews(toStruct(news))
      .setRandomseed(Buffer.from(seed));
    if (olds) request.setOlds(toStruct(olds));
    const response = await this.#call<pb.CheckResponse>("check", request);
    const failures = response
      .getFailuresList()
      .map((f) => ({ property: f.getProperty(), reason: f.getReason() }));
    return { inputs: fromStruct(response.getInputs()), failures };
  }

  async checkConfig(news: Props) {
    const response = await this.#call<pb.CheckResponse>(
      "checkConfig",
      new pb.CheckRequest().setNews(toStruct(news)),
    );
    return response.getFailuresList().map((f) => ({ property: f.getProperty(), reason: f.getReason() }));
  }

  async diff(old: { id?: string; state: Props; inputs?: Props }, news: Props) {
    const request = new pb.DiffRequest()
      .setUrn(this.#urn())
      .setId(old.id ?? "id")
      .setOlds(toStruct(old.state))
      .setOldInputs(toStruct(old.inputs ?? {}))
      .setNews(toStruct(news));
    const response = await this.#call<pb.DiffResponse>("diff", request);
    return {
      changes: response.getDiffsList().sort(),
      replaces: response.getReplacesList().sort(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(inputs: Props, { preview = false, timeout = 0 } = {}) {
    const request = new pb.CreateRequest().setUrn(this.#urn()).setProperties(toStruct(inputs));
    request.setPreview(preview).setTimeout(timeout);
    const response = await this.#call<pb.CreateResponse>("create", request);
    return { id: response.getId(), state: fromStruct(response.getProperties()), inputs };
  }

  async read(old: { id: string; state: Props; inputs: Props }) {
    const request = new pb.ReadRequest().setUrn(this.#urn()).setId(old.id);
    request.setProperties(toStruct(old.state)).setInputs(toStruct(old.inputs));
    const response = await this.#call<pb.ReadResponse>("read", request);
    const [state, inputs] = [fromStruct(response.getProperties()), fromStruct(response.getInputs())];
    return { id: response.getId(), state, inputs };
  }

  async update(old: { id: string; state: Props; inputs: Props }, news: Props, preview = false) {
    const request = new pb.UpdateRequest().setUrn(this.#urn()).setId(old.id).setPreview(preview);
    request.setOlds(toStruct(old.state)).setOldInputs(toStruct(old.inputs)).setNews(toStruct(news));
    const response = await this.#call<pb.UpdateResponse>("update", request);
    return { id: old.id, state: fromStruct(response.getProperties()), inputs: news };
  }

  async delete(old: { id: string; state: Props }): Promise<void> {
    const request = new pb.DeleteRequest()
      .setUrn(this.#urn())
      .setId(old.id)
      .setProperties(toStruct(old.state));
    await this.#call("delete", request);
  }

  async cancel(): Promise<void> {
    await this.#call("cancel", new empty.Empty());
  }

  #urn(): string {
    return `urn:pulumi:dev::test::pkg:index:Parent$${this.#type}::thing`;
  }

  #call<Res>(method: keyof typeof this.methods, request: unknown): Promise<Res> {
    const call = this.#client[method].bind(this.#client) as unknown as Unary<unknown, Res>;
    return new Promise((resolve, reject) => {
      call(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }
  declare readonly methods: Record<
    "check" | "checkConfig" | "configure" | "diff" | "create" | "read" | "update" | "delete" | "cancel",
    1
  >;

  async #listen(): Promise<string> {
    this.#engine = new grpc.Server();
    this.#engine.addService(engineServices.EngineService, {
      log: (
        call: grpc.ServerUnaryCall<enginePb.LogRequest, empty.Empty>,
        done: grpc.sendUnaryData<empty.Empty>,
      ) => {
        this.logged.push(call.request.getMessage());
        done(null, new empty.Empty());
      },
    });
    return new Promise((resolve, reject) => {
      this.#engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  }
}

/** The identity and state that come with the error of a resource that was made, but doesn't work. */
export function initFailure(error: unknown): { id: string; reasons: string[] } | undefined {
  const [details] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(details)) return undefined;
  const detail = statusPb.Status.deserializeBinary(details).getDetailsList()[0];
  const failed = pb.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return { id: failed.getId(), reasons: failed.getReasonsList() };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the plugin has no output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("the plugin ended before it told its port");
}

function toStruct(value: Props): struct.Struct {
  return struct.Struct.fromJavaScript(
    JSON.parse(JSON.stringify(value)) as Record<string, struct.JavaScriptValue>,
  );
}

function fromStruct(value: struct.Struct | undefined): Props {
  return value?.toJavaScript() ?? {};
}
