import assert from "node:assert/strict";
import type { HealthArgs } from "../../components/settings/args";
import { get } from "../support/http";
import { type Health, useLiveService } from "./service";

const UP = '{"status":"UP"}';
const NESTED_UP = '{"status":"DOWN","components":{"db":{"status":"UP"}}}';
const field: HealthArgs = { jsonField: "status", jsonValue: "UP" };

interface Failing {
  what: string;
  app: Health;
  body?: string;
  health?: HealthArgs;
  lastAnswer: string;
}

const FAILING: Failing[] = [
  { what: "another status than 2xx", app: "wrong-status", lastAnswer: `HTTP 500 ${UP}` },
  {
    what: "another status than the wanted one",
    app: "ok",
    health: { status: 204 },
    lastAnswer: `HTTP 200 ${UP}`,
  },
  { what: "a body without the text", app: "ok", health: { bodyText: "ready" }, lastAnswer: `HTTP 200 ${UP}` },
  {
    what: "only a nested field that is right",
    app: "ok",
    body: NESTED_UP,
    health: field,
    lastAnswer: `HTTP 200 ${NESTED_UP}`,
  },
  {
    what: "half a JSON text",
    app: "ok",
    body: '{"status":"UP"',
    health: field,
    lastAnswer: 'HTTP 200 {"status":"UP"',
  },
  { what: "no JSON at all", app: "ok", body: "UP", health: field, lastAnswer: "HTTP 200 UP" },
  { what: "a refused connection", app: "refuses", lastAnswer: "none: " },
  { what: "no answer", app: "hangs", lastAnswer: "none: the container said nothing, or not all, within 1 s" },
  {
    what: "an answer without an end",
    app: "endless",
    lastAnswer: "none: the container said nothing, or not all, within 1 s",
  },
];

describe("the gate", () => {
  const service = useLiveService();
  const SHORT = { timeoutSeconds: 1, gateTimeoutSeconds: 3 };

  for (const { what, app, body, health, lastAnswer } of FAILING) {
    it(`fails on ${what}, and nothing that serves has changed`, async () => {
      const { blue, green } = service.containers;
      const site = await service.site();
      const candidate = await service.app("green", app, body);
      try {
        const { code, output } = await service.switch("green", { health: { ...SHORT, ...health } });
        assert.equal(code, 1, output);
        assert.ok(output.includes(`Last answer to GET /health: ${lastAnswer}`), output);
        assert.match(output, /error: green did not pass its health gate: no 2 passes in a row within 3 s/);
        assert.match(output, /blue keeps serving/);
        assert.match(output, /What to do next: /);
        assert.equal(await service.site(), site);
        assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
        assert.equal(await service.isRunning(candidate), false, "the failed candidate still runs");
      } finally {
        service.containers.green = green;
      }
    });
  }

  it("F28: says so when nginx itself has no connection left, and blames no image", async () => {
    const { blue, green } = service.containers;
    const few = "worker_processes 1; events { worker_connections 24; }";
    await service.inProxy("sh", "-c", `echo '${few}' >/run/bluegreen/workers.conf`);
    await service.app("green");
    // Each takes two connections for three seconds.
    const load = setInterval(() => void get(`http://127.0.0.1:${service.port}/slow`).catch(() => {}), 50);
    try {
      const { output } = await service.switch("green", { health: { ...SHORT, passes: 30 } });
      assert.match(output, /Last answer to GET \/health: none: nginx itself is at its limits/);
      assert.match(output, /Why: nginx has as many connections as it may have/);
      assert.match(output, /nginx logged: .*worker_connections are not enough/);
      assert.doesNotMatch(output, /What to do next: .*\bimage\b/);
    } finally {
      clearInterval(load);
      service.containers.green = green;
      await service.inProxy("sh", "-c", ". /bluegreen/nginx.sh && write_workers open && reload");
    }
    assert.equal(await service.live(), blue);
  });

  it("passes on what was asked for", async () => {
    const healths: HealthArgs[] = [
      { status: 200 },
      { bodyText: '"UP"' },
      { ...field, status: 200, bodyText: "status" },
      { jsonField: "components.1.up", jsonValue: "true" },
    ];
    const green = await service.app("green", "ok", '{"status":"UP","components":[{"up":false},{"up":true}]}');
    await service.switched("blue");
    for (const health of healths) {
      await service.switched("green", { health });
      assert.equal(await service.live(), green);
      await service.switched("blue");
    }
  });

  it("does not stop a color that is served already when that one fails", async () => {
    const { blue, green } = service.containers;
    const site = await service.site();
    const { code, output } = await service.switch("green", { health: { ...SHORT, bodyText: "missing" } });
    assert.equal(code, 1, output);
    assert.equal(await service.site(), site);
    assert.deepEqual([await service.live(), await service.idle()], [blue, green]);
  });

  it("lets the failed candidate be mended and released", async () => {
    const { blue } = service.containers;
    const candidate = await service.app("green", "sick");
    const { code } = await service.switch("green", { health: SHORT });
    assert.equal(code, 1);
    assert.equal(await service.live(), blue);
    const running = service.startSwitch("green");
    await running.says(`==> starting ${candidate}`);
    await running.says("gate: green");
    await service.heal(candidate);
    const { output } = await running.ended;
    assert.equal(await service.live(), candidate, output);
  });
});
