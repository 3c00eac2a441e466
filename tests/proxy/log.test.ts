import assert from "node:assert/strict";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { until } from "../support/running";
import { useLiveService } from "./service";

const LOG = "/bluegreen/access.log";
const FORMER = `${LOG}.1`;
const HALF_MB = 512 * 1024;

describe("the log of requests", () => {
  const service = useLiveService();
  const read = (file: string) => service.inProxy("cat", file);
  const ask = (path: string) => get(`http://127.0.0.1:${service.port}/${path}`);
  const logged = (path: string) =>
    until(
      () => `${path} is logged`,
      async () => (await read(LOG)).includes(`"GET /${path} HTTP/1.1" 200 `),
    );

  it("has every request, and is no part of the container's log", async () => {
    await ask("first");
    await logged("first");
    assert.doesNotMatch(await docker("logs", service.proxy), /first/);
  });

  it("keeps within its room, and goes on", async () => {
    await service.switched("blue", { logs: { maxSizeMb: 1, maxFiles: 1 } });
    const long = "x".repeat(5000);
    const sent = 120;
    for (let i = 0; i < sent; i++) await ask(`${i}-${long}`);
    await until(
      () => "the full log is emptied",
      async () => (await read(LOG)).length < HALF_MB && (await read(FORMER)).length >= HALF_MB,
    );
    await ask("last");
    await logged("last");
    const lines = (await read(FORMER))
      .split("\n")
      .concat((await read(LOG)).split("\n"))
      .filter(Boolean);
    for (const line of lines) assert.match(line, /^\S+ \[\S+\] "GET \/\S+ HTTP\/1.1" 200 .*"$/);
    // A block of nginx's buffer may come between the copy and the emptying.
    const lost = sent - lines.filter((line) => line.includes(long)).length;
    assert.ok(lost <= 7, `${lost} of ${sent} are lost`);
  });

  it("is not written without proxy.accessLog", async () => {
    await service.switched("blue", { proxy: { accessLog: false } });
    const before = await read(LOG);
    await ask("silent");
    await service.switched("blue");
    await ask("heard");
    await logged("heard");
    const after = await read(LOG);
    assert.ok(after.startsWith(before));
    assert.doesNotMatch(after, /silent/);
  });
});
