import * as grpc from "@grpc/grpc-js";
import { setTimeout as sleep } from "node:timers/promises";

/** As generated code has it, but that messages are texts. */
const method = (name: string, isStream: boolean): grpc.MethodDefinition<string, string> => ({
  path: `/shop.Shop/${name}`,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: (text) => Buffer.from(text),
  requestDeserialize: String,
  responseSerialize: (text) => Buffer.from(text),
  responseDeserialize: String,
});
const service = {
  Name: method("Name", false),
  Missing: method("Missing", false),
  Chat: method("Chat", true),
};

/** A gRPC server in Node.js, with this checkout's library at /node_modules; on port 3001 it speaks HTTP/1.1. */
export const GRPC_APP = `
const grpc = require("@grpc/grpc-js");
const toText = { requestSerialize: Buffer.from, requestDeserialize: String, responseSerialize: Buffer.from, responseDeserialize: String };
const service = Object.entries(${JSON.stringify(service)}).map(([name, method]) => [name, { ...method, ...toText }]);
const server = new grpc.Server();
server.addService(Object.fromEntries(service), {
  Name: (call, done) => done(null, JSON.stringify({ name: process.env.NAME, ...call.metadata.getMap() })),
  Missing: (call, done) => done({ code: grpc.status.NOT_FOUND, details: "no such thing" }),
  Chat: (call) => {
    call.on("data", (text) => call.write(process.env.NAME + " " + text));
    call.on("end", () => call.end());
  },
});
require("node:http").createServer((request, response) => response.end(process.env.NAME + " " + request.url)).listen(3001);
server.bindAsync("0.0.0.0:3000", grpc.ServerCredentials.createInsecure(), () => {});
process.on("SIGTERM", () => process.exit());
`;

export class Client {
  private readonly client: grpc.Client;
  constructor(port: number) {
    const Shop = grpc.makeGenericClientConstructor(service, "Shop");
    // Else all clients of a process share connections.
    const own = { "grpc.use_local_subchannel_pool": 1 };
    this.client = new Shop(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), own);
  }
  close = () => this.client.close();

  call(name: "Name" | "Missing", headers: { [name: string]: string } = {}): Promise<string> {
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    const { path, requestSerialize, responseDeserialize } = service[name];
    return new Promise((resolve, reject) =>
      this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        "?",
        metadata,
        { deadline: Date.now() + 20_000 },
        (error, answer) => (error ? reject(error) : resolve(answer ?? "")),
      ),
    );
  }
  async name(): Promise<string> {
    return (JSON.parse(await this.call("Name")) as { name: string }).name;
  }
  chat(): Chat {
    const { path, requestSerialize, responseDeserialize } = service.Chat;
    return new Chat(this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize));
  }
}

export class Chat {
  readonly heard: string[] = [];
  error?: Error;
  constructor(private readonly call: grpc.ClientDuplexStream<string, string>) {
    call.on("data", (text: string) => this.heard.push(text));
    call.on("error", (error) => (this.error = error));
  }
  /** What comes back for it. */
  async says(text: string): Promise<string> {
    const count = this.heard.length;
    this.call.write(text);
    for (let i = 0; i < 400 && this.heard.length === count && this.error === undefined; i++) await sleep(25);
    if (this.error !== undefined) throw this.error;
    return this.heard.at(-1) ?? "nothing";
  }
  end = () => this.call.end();
}
