import assert from "node:assert/strict";
import { useService } from "../proxy/service";
import { ask } from "./asks";
import { REQUEST_APP } from "./request-app";

describe("what a service has at the ingress", () => {
  const service = useService();
  before(async () => {
    for (const color of ["blue", "green"] as const) await service.startApp(color, REQUEST_APP);
  });
  const asked = (host: string, path = "/", headers = {}, port = service.port) =>
    ask(port, path, { headers: { host, ...headers } });

  it("N16 a name leads to another one, with path and query; the rest is answered as ever", async () => {
    await service.switched("blue", {
      hosts: ["shop.example.com"],
      redirects: { "*.example.com": "https://shop.example.com", default: "http://other.example:8080" },
    });
    for (const [host, target] of [
      ["www.example.com", "https://shop.example.com"],
      ["WWW.example.com:80", "https://shop.example.com"],
      ["default", "http://other.example:8080"],
    ])
      for (const path of ["/", "/a%2Fb?c=d&e=%20", "//x/../y"])
        for (const method of ["GET", "POST"]) {
          const options = { method, headers: { host, accept: "text/event-stream" } };
          const { status, headers } = await ask(service.port, path, options);
          assert.deepEqual([status, headers.location], [308, target + path], `${method} ${host}${path}`);
        }
    assert.equal((await asked("shop.example.com")).status, 200);
    assert.equal((await asked("unknown.example.org")).status, 404);
    assert.equal((await asked("www.example.com", "/", {}, service.previewPort)).status, 200);
  });
});
