import assert from "node:assert/strict";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { PLACE, useLiveService } from "./service";

const TOKEN = "Bearer t0ken-of-the-gate";

// Users come to 3000. The health is on 8181, for who has the token; it answers with what it was asked, and logs it.
const APP = `
const http = require("node:http");
const tell = (request, response) => {
  console.log(request.socket.localPort + " " + JSON.stringify(request.headers));
  const { authorization = "" } = request.headers;
  const isHealth = request.socket.localPort === 8181;
  response.writeHead(isHealth && authorization !== process.env.TOKEN ? 401 : 200);
  response.end(isHealth ? "asked with " + authorization : process.env.NAME);
};
for (const port of [3000, 8181].slice(process.env.HEALTH_ONLY ? 1 : 0)) http.createServer(tell).listen(port);
process.on("SIGTERM", () => process.exit());
`;

describe("N4 the kinds of a gate", () => {
  const service = useLiveService();
  const SHORT = { timeoutSeconds: 1, gateTimeoutSeconds: 4 };
  let blue: string;
  let well: { blue: string; green: string };
  before(() => {
    well = { ...service.containers };
    blue = well.blue;
  });
  const fails = async (health: object, because: RegExp[]) => {
    const { code, output } = await service.switch("green", { health: { ...SHORT, ...health } });
    assert.equal(code, 1, output);
    for (const words of because) assert.match(output, words);
    assert.equal(await service.live(), blue);
    return output;
  };
  const back = async () => {
    Object.assign(service.containers, well);
    await service.switched("blue");
  };

  it("http on another port, with a header that nobody gets to know", async () => {
    const green = await service.startApp("green", APP, { TOKEN });
    await fails({ port: 8181 }, [
      /Last answer to GET \/health on port 8181: HTTP 401 asked with /,
      /the service wants a login for \/health/,
    ]);
    const headers = { Authorization: TOKEN, "X-Probe": "gate" };
    const health = { port: 8181, headers };
    assert.equal((await service.deliverHeaders({ Authorization: "a\nb" })).code, 1);
    await fails(health, [/did not pass its health gate, and never will.*the headers of health\.headers/]);

    const delivered = await service.deliverHeaders(headers);
    assert.equal(delivered.code, 0, delivered.output);
    const output = await service.switched("green", { health, watch: { seconds: 1 } });
    assert.match(output, /gate: green on \/health on port 8181, 2 in a row/);
    assert.match(output, /passed 2 of 2: HTTP 200 asked with \[health\.headers\]/);
    assert.equal(await service.live(), green);
    assert.match(await service.facts(), /^healthy yes$/m);
    await get(`http://127.0.0.1:${service.port}/`);

    const asked = (await docker("logs", green)).split("\n");
    const [users, gates] = [
      asked.filter((line) => line.startsWith("3000 ")),
      asked.filter((line) => line.includes(TOKEN)),
    ];
    assert.ok(users.length > 0 && !users.join().includes("t0ken"), "users' requests");
    assert.ok(gates.every((line) => line.startsWith("8181 ") && line.includes('"x-probe":"gate"')));
    const seen = [
      output,
      delivered.output,
      await service.site(),
      JSON.stringify(await service.journal()),
      await service.facts(),
    ];
    const inspected = await docker("inspect", service.proxy, service.edge);
    assert.doesNotMatch([...seen, inspected, await docker("logs", service.proxy)].join("\n"), /t0ken/);
    assert.equal(await service.inProxy("stat", "-c", "%a %U", `${PLACE}/health-headers`), "600 root");

    // Well there, and yet of no use to users.
    await back();
    await service.startApp("green", APP, { TOKEN, HEALTH_ONLY: "yes" });
    assert.equal((await service.deliverHeaders(headers)).code, 0);
    await fails(health, [
      /Last answer to GET .*: where users are sent, none: \S+:3000 refuses connections/,
      /which is containerPort/,
    ]);
    await back();
  });

  it("tcp: a port that takes connections, whatever it says there", async () => {
    await service.app("green", "refuses");
    await fails({ kind: "tcp" }, [
      /Last answer to a connection to its port: none: \S+:3000 refuses connections/,
    ]);
    const green = await service.app("green", "hangs");
    const output = await service.switched("green", { health: { kind: "tcp" } });
    assert.match(output, /gate: green passed 2 of 2: it takes the connection/);
    assert.equal(await service.live(), green);
    assert.match(await service.facts(), /^healthy yes$/m);
    await back();
  });

  it("command: run in the container; one that is not there is told at once", async () => {
    const green = await service.app("green");
    const command = (...words: string[]) => ({ kind: "command", command: words });
    await fails(command("node", "-e", "console.log('not yet'); process.exit(3)"), [
      /Last answer to the command node -e .*: exit code 3: not yet/,
    ]);
    const began = performance.now();
    await fails({ ...command("nosuch", "-q"), gateTimeoutSeconds: 60 }, [
      /error: green did not pass its health gate, and never will as it is: no such command in the image: nosuch\./,
      /What to do next: set health\.command to a command that the green image has/,
    ]);
    assert.ok(performance.now() - began < 30_000, "it waited");
    const output = await service.switched("green", {
      health: command("sh", "-c", 'test "$NAME" != "" && echo "it\'s up"'),
    });
    assert.match(output, /gate: green passed 2 of 2: exit code 0: it's up/);
    assert.equal(await service.live(), green);
    await back();
  });

  it("image: what Docker says of the image's own HEALTHCHECK; one without is told at once", async () => {
    await service.app("green");
    const began = performance.now();
    await fails({ kind: "image", gateTimeoutSeconds: 60 }, [
      /and never will as it is: the image has no HEALTHCHECK\./,
    ]);
    assert.ok(performance.now() - began < 30_000, "it waited");
    const check = (command: string) => [
      "--health-cmd",
      command,
      "--health-interval",
      "1s",
      "--health-retries",
      "1",
    ];
    await service.startApp("green", APP, {}, check("echo 'no disk'; exit 1"));
    await fails({ kind: "image" }, [
      /Last answer to the image's HEALTHCHECK: unhealthy, its last check ended with 1: "no disk\\n"/,
    ]);
    const green = await service.startApp("green", APP, {}, check("true"));
    const output = await service.switched("green", { health: { kind: "image" } });
    assert.match(output, /gate: green passed 2 of 2: healthy/);
    assert.equal(await service.live(), green);
    await back();
  });

  it("N14 a setting that is new is tried on what is live first, and nothing is changed where that does not pass", async () => {
    const site = await service.site();
    const refused = await service.switch("blue", { health: { bodyText: "never" } });
    assert.equal(refused.code, 1, refused.output);
    assert.match(
      refused.output,
      /error: blue, which is live, does not pass the health setting that is new\. Nothing was changed\.\nerror: Its answer to GET \/health: HTTP 200 \{"status":"UP"\}/,
    );
    assert.match(refused.output, /What to do next: set 'health' back, or to what blue answers well/);
    assert.equal(await service.site(), site);
    assert.equal(await service.isRunning(blue), true);
    assert.match(
      (await service.journal()).at(-1)?.outcome ?? "",
      /^failed: blue, which is live, does not pass/,
    );
    // How often it is asked is no other health; nor is what is live asked where another is to become live.
    await service.switched("blue", { health: { passes: 1 } });
    const green = await service.app("green", "ok", '{"status":"READY"}');
    await service.switched("green", { health: { bodyText: "READY" } });
    assert.equal(await service.live(), green);
    await back();
    // One that is ill stays live, and all but its health can be changed.
    await service.app("blue", "fails-later");
    await service.switched("blue", { health: { passes: 2 } });
    const output = await service.switched("blue", { proxy: { gzip: true } });
    assert.match(
      output,
      /warning: blue is live and stays so, but does not pass its health request: HTTP 503/,
    );
  });
});
