import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/docker";
import { until } from "../support/running";
import { SERVICE, useLiveService } from "./service";

const OLD_WORKERS = `grep -l 'worker process is shutting [d]own' /proc/[0-9]*/cmdline 2>/dev/null | wc -l`;
const RELOAD = ". /bluegreen/nginx.sh && reload";

describe("the entrypoint", () => {
  const service = useLiveService();
  const sockets: Socket[] = [];
  after(() => sockets.forEach((socket) => socket.destroy()));

  /** A request that is never sent to its end: whoever has accepted it, keeps its old worker. */
  async function hold(): Promise<Socket> {
    const socket = connect(service.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000\r\n\r\nthe first of them");
    return socket;
  }
  const oldWorkers = async () => Number(await service.inProxy("sh", "-c", OLD_WORKERS));

  it("ends the oldest of too many old workers, and the color serves on", async () => {
    const { blue } = service.containers;
    const cap = Number(
      await service.inProxy(
        "sh",
        "-c",
        `eval "$(grep ^MAX_OLD_WORKERS= /bluegreen/entrypoint.sh)" && echo $MAX_OLD_WORKERS`,
      ),
    );
    assert.ok(cap > 1, `the cap is ${cap}`);
    const first = await hold();
    let closed = false;
    first.on("close", () => (closed = true));
    let most = 0;
    for (let i = 0; i < 3 * cap && !closed; i++) {
      await hold();
      // A change of what is hashed, so that each reload is a real one.
      await service.inProxy("sh", "-c", `echo '# ${i}' >/run/bluegreen/staged-${SERVICE}.conf && ${RELOAD}`);
      most = Math.max(most, await oldWorkers());
      await sleep(100);
    }
    await until(
      () => "the oldest worker's connection is ended",
      () => closed,
      20,
    );
    await until(
      () => `no more than ${cap} old workers are left`,
      async () => (await oldWorkers()) <= cap,
      20,
    );
    assert.ok(most >= cap, `only ${most} old workers came to be, the cap is ${cap}`);
    assert.equal(await service.live(), blue);
  });

  it("leaves no more old workers when their connections have ended", async () => {
    sockets.splice(0).forEach((socket) => socket.destroy());
    await until(
      () => "no old worker is left",
      async () => (await oldWorkers()) === 0,
      30,
    );
  });

  it("starts a worker for each core that the container may use", async () => {
    await docker("update", "--cpuset-cpus", "0", service.proxy);
    await docker("restart", service.proxy);
    const workers = `grep -l 'nginx: [w]orker process' /proc/[0-9]*/cmdline | wc -l`;
    await until(
      () => "one worker serves",
      async () =>
        (await service.listens(service.proxy)) && (await service.inProxy("sh", "-c", workers)) === "1",
    );
  });
});
