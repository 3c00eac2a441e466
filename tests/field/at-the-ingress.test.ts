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

  it("N16 a client that asks too often gets a 429, others and the gate do not", async () => {
    const [one, two] = ["203.0.113.1", "203.0.113.2"];
    const rateLimit = { requestsPerSecond: 1, burst: 3 };
    await service.switched("blue", { proxy: { rateLimit, trustedProxies: ["10.0.0.0/8", "172.16.0.0/12"] } });
    const statuses = async (client: string, many: number, { accept = "*/*", port = service.port } = {}) => {
      const headers = { "x-forwarded-for": client, accept };
      const all = await Promise.all(Array.from({ length: many }, () => asked("a", "/", headers, port)));
      for (const { status, headers } of all)
        assert.equal(headers["retry-after"], status === 429 ? "1" : undefined, String(status));
      return all.map(({ status }) => status).sort();
    };
    const limited = await statuses(one, 12);
    assert.deepEqual(limited.slice(0, 4), [200, 200, 200, 200], "what may come at once");
    assert.ok(limited.filter((status) => status === 429).length >= 6, limited.join());
    assert.deepEqual(await statuses(two, 4, { accept: "text/event-stream" }), [200, 200, 200, 200]);
    assert.equal((await statuses(two, 3, { accept: "text/event-stream" })).at(-1), 429, "streams count, too");
    assert.deepEqual(new Set(await statuses(one, 12, { port: service.previewPort })), new Set([200]));
    // Many passes, one after the other, from one address: and what is limited is no fault of the color.
    const watched = service.startSwitch("green", {
      health: { passes: 10, intervalSeconds: 0.1 },
      watch: { seconds: 3 },
      proxy: { rateLimit },
    });
    const flood = setInterval(() => void asked("a").catch(() => {}), 20);
    const { code, output } = await watched.ended.finally(() => clearInterval(flood));
    assert.equal(code, 0, output);
    assert.match(output, /green passed 10 of 10/);
    assert.match(output, /watch: 0 of \d{2,} answers were 5xx, and green is healthy/);
  });
});
