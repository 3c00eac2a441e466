import fc from "fast-check";
import assert from "node:assert/strict";
import { OF_PROXIES } from "../../components/nginx/headers";
import { useService } from "../proxy/service";
import { docker } from "../support/docker";
import { until } from "../support/running";
import { ask, type Told } from "./asks";
import { REQUEST_APP } from "./request-app";

/** What some app takes for the client's address, scheme, host or port. */
const SPOOFED = ["X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", ...OF_PROXIES];
const NOBODY = "192.0.2.1";
const CLIENT = "203.0.113.9";

describe("N2 a proxy in front of nginx", () => {
  const service = useService();
  /** As nginx sees what comes from this machine. */
  let sender: string;
  before(async () => {
    for (const color of ["blue", "green"] as const) await service.startApp(color, REQUEST_APP);
    await trust();
    sender = (await told({})).headers["x-real-ip"];
  });
  const trust = (...trustedProxies: string[]) => service.switched("blue", { proxy: { trustedProxies } });
  const told = async (headers: { [name: string]: string }, port = service.port) => {
    const { status, body } = await ask(port, "/", { headers: { host: "shop.example.com", ...headers } });
    assert.equal(status, 200, body);
    return JSON.parse(body) as Told;
  };

  it("N2 that nobody has named changes nothing, whatever it says, in which spelling", async () => {
    for (const trusted of [[], [NOBODY, "2001:db8::/32"]]) {
      await trust(...trusted);
      const honest = await told({});
      const spelling = (name: string) =>
        fc
          .array(fc.constantFrom("-", "_"), { minLength: name.length, maxLength: name.length })
          .map((marks) => name.replace(/-/g, (_, i: number) => marks[i]));
      const header = fc.constantFrom(...SPOOFED).chain(spelling);
      const value = fc.constantFrom(
        CLIENT,
        "https",
        "on",
        "for=203.0.113.9;proto=https",
        "443",
        "evil.example",
      );
      await fc.assert(
        fc.asyncProperty(fc.dictionary(header, value, { minKeys: 1, maxKeys: 4 }), async (lies) => {
          assert.deepEqual(await told(lies), honest);
        }),
        { numRuns: 100 },
      );
    }
  });

  it("N2 that is trusted tells the client's address, scheme, host and port", async () => {
    await trust(NOBODY, `${sender}/32`);
    const { headers } = await told({
      "X-Forwarded-For": `6.6.6.6, ${CLIENT}, ${NOBODY}`,
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "www.example.com",
      "X-Forwarded-Port": "443",
      "CF-Connecting-IP": CLIENT,
    });
    assert.equal(headers["x-real-ip"], CLIENT);
    assert.equal(headers["x-forwarded-for"], CLIENT, "and not what the client said");
    assert.equal(headers["x-forwarded-proto"], "https");
    assert.equal(headers["x-forwarded-host"], "www.example.com");
    assert.equal(headers.host, "shop.example.com");
    assert.equal(headers["x-forwarded-port"], "443");
    assert.equal(headers["cf-connecting-ip"], CLIENT);
    await until(
      () => "a line in the log of requests with the client's address",
      async () =>
        (await docker("exec", service.proxy, "cat", "/bluegreen/access.log")).includes(`${CLIENT} [`),
      10,
    );
  });

  it("N2 that is trusted and says nothing is the client itself", async () => {
    const { headers } = await told({});
    assert.equal(headers["x-real-ip"], sender);
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-host"], "shop.example.com");
    assert.equal((await told({ "X-Forwarded-Proto": "gopher" })).headers["x-forwarded-proto"], "http");
  });

  it("N1 with one in front, gate and preview say https, as users do", async () => {
    const color = await service.startApp("green", REQUEST_APP, { INSIST_ON_HTTPS: "yes" });
    await service.switched("green", { proxy: { trustedProxies: [sender] } });
    assert.equal((await told({}, service.previewPort)).headers["x-forwarded-proto"], "https");
    assert.equal((await ask(service.port, "/")).status, 301);
    assert.equal((await told({ "X-Forwarded-Proto": "https" })).headers["x-forwarded-proto"], "https");
    await docker("rm", "--force", color);
  });
});
