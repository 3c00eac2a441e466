import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import path from "node:path";
import { other, type Color } from "../../components/settings";
import { useService } from "../proxy/service";
import { ask } from "./asks";
import { Client, GRPC_APP } from "./grpc-calls";

describe("N12 gRPC", () => {
  const service = useService();
  const options = {
    proxy: { protocol: "grpc" },
    health: { status: 415 },
    ports: [
      { containerPort: 3001, path: "/admin" },
      { containerPort: 3002, hosts: ["nobody.example"] },
    ],
  };
  const names = { blue: "", green: "" };
  const library = ["--volume", `${path.resolve("node_modules")}:/node_modules:ro`];
  before(async () => {
    for (const color of ["blue", "green"] as const)
      names[color] = await service.startApp(color, GRPC_APP, {}, library);
    await service.switched("blue", options);
  });
  const clients: Client[] = [];
  const client = (port = service.port) => (clients.push(new Client(port)), clients.at(-1)!);
  after(() => clients.forEach((one) => one.close()));

  it("calls, errors and streams pass, on both ports, and no client lies about itself", async () => {
    assert.equal(await client().name(), names.blue);
    assert.equal(await client(service.previewPort).name(), names.green);
    const lies = { "x-real-ip": "6.6.6.6", "x_forwarded-for": "6.6.6.6", "x-forwarded-proto": "https" };
    const told = JSON.parse(await client().call("Name", { ...lies, tenant: "a" })) as {
      [name: string]: string;
    };
    assert.notEqual(told["x-real-ip"], "6.6.6.6");
    assert.equal(told["x_forwarded-for"], undefined);
    assert.deepEqual([told["x-forwarded-proto"], told.tenant], ["http", "a"]);
    await assert.rejects(client().call("Missing"), { code: status.NOT_FOUND, details: "no such thing" });
    const chat = client().chat();
    for (const text of ["a", "b"]) assert.equal(await chat.says(text), `${names.blue} ${text}`);
    chat.end();
    assert.equal((await ask(service.port, "/")).status, 415, "the app's own answer to HTTP/1.1");
  });

  it("a further port has a path, or a name, of its own, on both ports; the gate does not ask it", async () => {
    const at = async (host: string, path: string, port = service.port) => {
      const { status, body } = await ask(port, path, { headers: { host } });
      return `${status} ${body}`;
    };
    assert.equal(await at("a", "/admin/x?y=1"), `200 ${names.blue} /admin/x?y=1`);
    assert.equal(await at("a", "/admin", service.previewPort), `200 ${names.green} /admin`);
    assert.match(await at("a", "/administrators"), /^415 /);
    assert.match(await at("nobody.example", "/"), /^502 /, "nothing listens there");
  });

  it("no call fails while colors are flipped, on kept connections and on new ones, and a stream lives on", async () => {
    const chat = client().chat();
    assert.equal(await chat.says("before"), `${names.blue} before`);
    let [done, calls]: [boolean, number] = [false, 0];
    const seen = new Set<string>();
    const caller = async (isNew: boolean) => {
      const kept = client();
      while (!done) {
        const one = isNew ? new Client(service.port) : kept;
        seen.add(await one.name());
        calls++;
        if (isNew) one.close();
      }
    };
    const visitor = async () => {
      while (!done) {
        const { status, body } = await ask(service.port, "/admin");
        assert.equal(status, 200, body);
        seen.add(body.split(" ")[0]);
      }
    };
    const callers = Promise.all([...[false, false, true, true].map(caller), visitor()]);
    let live: Color = "blue";
    const flips = async () => {
      try {
        for (let i = 0; i < 4; i++) {
          await service.switched((live = other(live)), options);
          assert.equal(await client().name(), names[live]);
          assert.equal((await ask(service.port, "/admin")).body, `${names[live]} /admin`);
          assert.equal(await chat.says(String(i)), `${names.blue} ${i}`);
        }
      } finally {
        done = true;
      }
    };
    await Promise.all([callers, flips()]);
    assert.deepEqual([...seen].sort(), [names.blue, names.green].sort());
    assert.ok(calls > 100, String(calls));
    chat.end();
  });
});
