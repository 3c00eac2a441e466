import assert from "node:assert/strict";
import type { Report } from "../../components/cli/report";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { losesNothing, type Options } from "../support/load";
import { useStack } from "../support/stack";

const TOKEN = "Bearer t0ken-of-the-gate";
const USERS: Partial<Options> = { requests: [{ method: "GET", path: "/" }] };

describe("a health that is asked in another way", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  before(async () => void (await stack.up()));
  const serves = async () => assert.equal((await stack.serving()).live, "blue one");
  const status = async () => {
    const { code, output } = await stack.bluegreen("status", "--json");
    const [report] = JSON.parse(output) as Report[];
    return { code, ...report };
  };
  const command = (...words: string[]) => stack.set({ health: { kind: "command", command: words } });

  it("N4 a gate that waits says for what, by the container's log", async () => {
    const keep = stack.keepConfig();
    await stack.set({ green: { env: { BEHAVIOUR: "never-up" } } });
    const { output } = await stack.upFails();
    assert.match(
      output,
      /gate: green after 1\d of 12 s: none: \S+:3000 refuses connections; its log says: fixture: green two starts, never-up/,
    );
    keep();
    await stack.up();
  });

  it("N4 another port and a secret header, under load; and nobody else knows the secret", async () => {
    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ env: { BEHAVIOUR: "guarded" }, health: { port: 8181 } });
        await stack.setSecret("env.HEALTH_TOKEN", TOKEN);
        const { output: without } = await stack.upFails();
        assert.match(without, /Last answer to GET \/health on port 8181: HTTP 401/);
        assert.match(without, /or give the health request a login, by health\.headers/);
        await stack.setSecret("health.headers.Authorization", TOKEN);
        const { output } = await stack.up();
        assert.match(output, /gate: blue on \/health on port 8181, 2 in a row/);
        const containers = await docker(
          "ps",
          "--all",
          "--quiet",
          "--filter",
          `label=${stack.label}`,
          "--filter",
          "label=bluegreen.role=proxy",
        );
        const seen = [
          output,
          await stack.export(),
          await docker("inspect", ...containers.split("\n")),
          JSON.stringify(await status()),
        ];
        assert.doesNotMatch(seen.join("\n"), /t0ken/);
        await stack.expectNoChange();
      },
      USERS,
    );
    const { code, health } = await status();
    assert.deepEqual([code, health?.ok, health?.answer], [0, true, "HTTP 200 of the actuator"]);
    await serves();
  });

  it("N14 a new setting is tried on what is live first: it fails the update, changes nothing, and can be set back", async () => {
    const keep = stack.keepConfig();
    await losesNothing(
      stack.port,
      async () => {
        await stack.setSecret("health.headers.Authorization", "Bearer wr0ng-token");
        const { output } = await stack.upFails();
        assert.match(
          output,
          /error: blue, which is live, does not pass the health setting that is new\. Nothing was changed\./,
        );
        assert.match(output, /Its answer to GET \/health on port 8181: HTTP 401 of the actuator/);
        assert.doesNotMatch(output, /wr0ng/);
        assert.equal((await status()).health?.ok, true, "what is live is asked as before");
        keep();
        const { output: back } = await stack.up();
        assert.doesNotMatch(back, /does not pass/);
        await stack.expectNoChange();
      },
      USERS,
    );
  });

  it("N14 a setting that only the new image answers is rolled out with it", async () => {
    await losesNothing(
      stack.port,
      async () => {
        await stack.unset("health.port", "health.headers", "env.HEALTH_TOKEN", "env.BEHAVIOUR");
        await stack.set({ health: { bodyText: "READY" }, env: { HEALTH_BODY: "READY" } });
        await stack.up();
      },
      USERS,
    );
    await stack.unset("health.bodyText", "env.HEALTH_BODY");
  });

  it("N4 N14 by a command, and by the image: what is live is asked in that way, by status too", async () => {
    await command("test", "!", "-e", "/tmp/ill");
    const { output } = await stack.up();
    assert.match(output, /gate: blue on the command test ! -e \/tmp\/ill, 2 in a row/);
    const [blue] = await stack.containers("blue");
    const container = blue.Name.slice(1);
    const { code, health } = await status();
    assert.deepEqual([code, health], [0, { ok: true, answer: "exit code 0", container }]);
    await stack.expectNoChange();
    await docker("exec", container, "touch", "/tmp/ill");
    const ill = await status();
    assert.deepEqual([ill.code, ill.health], [2, { ok: false, answer: "exit code 1", container }]);
    assert.equal(ill.users, "blue answers, but not as its health request should be answered");
    await docker("exec", container, "rm", "/tmp/ill");

    const keep = stack.keepConfig();
    await command("nosuch", "!", "-e", "/tmp/ill");
    const { output: missing } = await stack.upFails();
    assert.match(
      missing,
      /does not pass the health setting that is new[^]*no such command in the image: nosuch/,
    );
    keep();
    await stack.unset("health.command");
    await stack.set({ health: { kind: "image" } });
    const { output: none } = await stack.upFails();
    assert.match(none, /Its answer to the image's HEALTHCHECK: the image has no HEALTHCHECK/);
    await serves();
    keep();
  });
});
