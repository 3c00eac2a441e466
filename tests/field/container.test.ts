import assert from "node:assert/strict";
import { useImages } from "../support/images";
import { losesNothing, type Options } from "../support/load";
import { useStack } from "../support/stack";

const REQUESTS: Options["requests"] = [{ method: "GET", path: "/" }];

describe("the containers of the colors", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({
    redis: { enabled: false },
    blue: { image: images.one },
    green: {
      image: images.two,
      containerPort: 8080,
      command: ["node", "/fixture-app.js", "--green"],
      memoryMb: 96,
    },
  });
  before(() => stack.up());

  it("N5 each color has its own port, command and memory, and a flip between the ports loses nothing", async () => {
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    const [blue, green] = [await stack.container("blue"), await stack.container("green")];
    assert.ok(blue.Config.Env.includes("PORT=3000") && green.Config.Env.includes("PORT=8080"));
    assert.deepEqual(
      [blue, green].map(({ Config }) => Config.Cmd),
      [
        ["node", "/fixture-app.js"],
        ["node", "/fixture-app.js", "--green"],
      ],
    );
    assert.deepEqual(
      [blue, green].map(({ HostConfig }) => HostConfig.Memory / 2 ** 20),
      [0, 96],
    );
    await stack.expectNoChange();

    await losesNothing(
      stack.port,
      async () => {
        await stack.set({ activeColor: "green" });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
        // The live color's own port: its new container is released beside the old one.
        await stack.set({ green: { containerPort: 8081 } });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "green two", idle: "blue one" });
        await stack.set({ activeColor: "blue" });
        await stack.up();
        assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
      },
      { requests: REQUESTS },
    );
    await stack.expectNoChange();
  });

  it("N5 another port, command or memory of the idle color is no reason to touch the live one", async () => {
    await stack.set({ green: { containerPort: 8082, command: ["node", "/fixture-app.js"] } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.set({ green: { memoryMb: 80 } });
    assert.deepEqual((await stack.up()).changes, {
      service: "update",
      green: "update",
    });
    assert.equal((await stack.container("green")).HostConfig.Memory, 80 * 2 ** 20);
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 0, output);
    await stack.expectNoChange();
  });

  it("N5 a gate that fails names the color's own port, and its advice works", async () => {
    await stack.set({ green: { env: { BEHAVIOUR: "other-port" } }, health: { gateTimeoutSeconds: 3 } });
    const { output } = await stack.upFails();
    assert.match(output, /none: \S+:8082 refuses connections/);
    assert.match(output, /nothing listens on port 8082, which is green\.containerPort; it listens on 5000/);
    const [, advice] = /'pulumi (config set --path green\.containerPort 5000)'/.exec(output) ?? [];
    await stack.pulumi(...advice.split(" "));
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    await stack.unset("green.env");
  });
});
