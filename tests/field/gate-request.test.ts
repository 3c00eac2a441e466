import assert from "node:assert/strict";
import fc from "fast-check";
import type { BlueGreenServiceArgs } from "../../components/index";
import { TestCa } from "../support/certificates";
import { docker } from "../support/docker";
import { useService } from "../proxy/service";
import { ask, type Told } from "./asks";
import { REQUEST_APP } from "./request-app";

const NAMES = ["shop.example.com", "www.shop.example.com"];

interface Case {
  tls: boolean;
  /** Not set: what users call it. */
  hostHeader?: string;
  path: string;
  proxy: BlueGreenServiceArgs["proxy"];
}
const CASE: fc.Arbitrary<Case> = fc.record({
  tls: fc.boolean(),
  hostHeader: fc.option(fc.constantFrom(...NAMES, "shop.example.com:8443", "intern"), { nil: undefined }),
  path: fc.constantFrom("/up", "/up?deep=1&x=%20y", "/a//b/../c", "/%41%2Fb"),
  proxy: fc.record({
    buffering: fc.boolean(),
    maxHeaderKb: fc.constantFrom(4, 32, 100),
    accessLog: fc.boolean(),
  }),
});

/** The phases in which an app is asked for its health, in their order. */
interface Seen {
  phase: string;
  request: Told;
}

describe("the gate's request", () => {
  const service = useService();
  const ca = new TestCa();
  after(() => ca.remove());

  /** What a container was asked since the last look. */
  const looked = new Map<string, number>();
  const newRequests = async (container: string) => {
    const lines = (await docker("logs", container)).split("\n").filter((line) => line.startsWith("{"));
    const fresh = lines.slice(looked.get(container) ?? 0);
    looked.set(container, lines.length);
    return fresh.map((line) => JSON.parse(line) as Told);
  };

  it("F1 reaches the app as a user's does: first release, later ones, watch, status and preview", async () => {
    const { certificate, privateKey } = ca.issue(NAMES);
    await fc.assert(
      fc.asyncProperty(CASE, async ({ tls, hostHeader, path, proxy }) => {
        await service.forget();
        const options = {
          health: { hostHeader, path },
          proxy,
          watch: { seconds: 1 },
          tls: tls ? { names: NAMES, certificate: "by the test", privateKey: "too" } : undefined,
        };
        const host = hostHeader ?? (tls ? NAMES[0] : "localhost");
        const seen: Seen[] = [];
        const note = async (phase: string, container: string) => {
          const requests = (await newRequests(container)).filter(
            ({ headers }) => headers["user-agent"] === "bluegreen-health",
          );
          assert.ok(requests.length > 0, `no request of the phase "${phase}"`);
          seen.push(...requests.map((request) => ({ phase, request })));
        };

        if (tls) await service.deliver({ CHAIN_TEXT: certificate, KEY_TEXT: privateKey }, NAMES);
        const blue = await service.startApp("blue", REQUEST_APP);
        const green = await service.startApp("green", REQUEST_APP);
        await service.switched("blue", options);
        await note("first release, live", blue);
        await note("first release, idle", green);
        const later = await service.startApp("green", REQUEST_APP);
        await service.switched("green", options);
        const [gate, watch] = await gateAndWatch(later);
        seen.push(...gate.map((request) => ({ phase: "later release", request })));
        seen.push(...watch.map((request) => ({ phase: "watch", request })));
        assert.match(await service.facts(), /^healthy yes$/m);
        await note("status", later);

        // With curl's Accept.
        const headers = { host, accept: "*/*", "user-agent": "a user" };
        const secure = { ca: ca.certificate, servername: NAMES[0] };
        const answer = await ask(tls ? service.tlsPort : service.port, path, { headers, ...(tls && secure) });
        const user = asUsers(JSON.parse(answer.body) as Told);
        const preview = JSON.parse((await ask(service.previewPort, path, { headers })).body) as Told;
        assert.deepEqual(asUsers(preview), user, "preview");
        for (const { phase, request } of seen) assert.deepEqual(asUsers(request), user, phase);
        assert.equal(user.headers.host, host);
        assert.equal(user.headers["x-forwarded-proto"], tls ? "https" : "http");
        await docker("rm", "--force", blue, green, later);
      }),
      { numRuns: Number(process.env.BLUEGREEN_RUNS ?? 4), endOnFailure: true },
    );
  });

  /** Two passes are the gate's, what follows is the watch's. */
  async function gateAndWatch(container: string): Promise<[Told[], Told[]]> {
    const requests = await newRequests(container);
    assert.ok(requests.length > 2, "no watch");
    return [requests.slice(0, 2), requests.slice(2)];
  }
});

/** Without what has to differ: the user agent, and the client's address, which has to be one all the same. */
function asUsers({ method, url, httpVersion, headers }: Told): Told {
  const { "user-agent": _agent, "x-real-ip": address, "x-forwarded-for": forwardedFor, ...rest } = headers;
  assert.match(address, /^\d+\.\d+\.\d+\.\d+$/);
  assert.equal(forwardedFor, address);
  return { method, url, httpVersion, headers: rest };
}
