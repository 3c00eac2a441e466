import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { useExampleApp } from "../support/demo";
import { docker } from "../support/docker";
import { ExampleStack } from "../support/example";
import { get } from "../support/http";
import { losesNothing } from "../support/load";
import { use, whoAnswered } from "../support/stack";

describe("examples/two-services", () => {
  const [blue, green] = [useExampleApp("1.0.0"), useExampleApp("1.1.0")];
  const ingress = `web_${randomBytes(4).toString("hex")}`;
  const images = { blue: { image: blue }, green: { image: green } };
  const stack = use(
    new ExampleStack(
      "two-services",
      { shop: images, wiki: images },
      { ingress, ports: (port, previewPort) => ({ [ingress]: { proxy: { port, previewPort } } }) },
    ),
  );
  const live = async (service: string) => whoAnswered(await get(stack.url, 10_000, `${service}.localhost`));
  const idle = async (service: string) =>
    whoAnswered(await get(stack.previewUrl, 10_000, `${service}.localhost`));

  it("up: the first release of both", async () => {
    await stack.up();
    for (const service of ["shop", "wiki"])
      assert.deepEqual([await live(service), await idle(service)], ["blue 1.0.0", "green 1.1.0"]);
  });

  it("a second up and a refresh change nothing", () => stack.expectNoChange());

  it("a flip of one, by the command line, reloads nginx once and loses no request of the other", async () => {
    const inNginx = async (script: string) =>
      docker("exec", (await stack.container("proxy")).Id, "sh", "-c", script);
    // nginx itself counts: it tells of each reload, whoever asked for it, but only where notices are logged.
    const notices = "s#^error_log .*#error_log /tmp/notices notice;#";
    await inNginx(`sed -i '${notices}' /bluegreen/nginx.conf && . /bluegreen/nginx.sh && reload`);
    const reloads = async () => Number(await inNginx("grep -c SIGHUP /tmp/notices || :"));
    const before = await reloads();
    await losesNothing(
      stack.port,
      async () => {
        const { code, output } = await stack.bluegreen("flip", "--service", "shop", "--yes");
        assert.equal(code, 0, output);
        assert.match(output, /pulumi config set --path shop\.activeColor green/);
      },
      { requests: [{ method: "GET", path: "/" }], host: "wiki.localhost" },
    );
    assert.equal((await reloads()) - before, 1);
    assert.deepEqual([await live("shop"), await live("wiki")], ["green 1.1.0", "blue 1.0.0"]);
  });

  it("status tells of both, with where they answer", async () => {
    const output = await stack.inOrder();
    for (const service of ["shop", "wiki"]) {
      assert.match(output, new RegExp(`^${service} \\(.*\\): in order$`, "m"));
      assert.match(output, new RegExp(`url: +http://${service}\\.localhost:${stack.port}$`, "m"));
    }
  });

  it("destroy leaves nothing", async () => {
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
  });
});
