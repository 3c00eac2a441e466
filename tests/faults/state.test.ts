import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { useLiveService, withDirective, type Service } from "../proxy/service";
import { STEPS, TAKE_OVER_STEPS, withLine } from "../proxy/steps";
import { addressOf, docker, inspect } from "../support/docker";
import { get } from "../support/http";
import { until } from "../support/running";
import { agrees, leftNothing, underLoad } from "./agreement";
import { fault } from "./table";

describe("what the proxy stands on: a rendered configuration", function () {
  this.timeout(300_000);
  const service = useLiveService();

  const BROKEN = {
    "that nginx -t refuses": {
      directive: "no_such_directive on;",
      said: /nginx refuses the new configuration/,
    },
    "that nginx can't load: its port is taken": {
      directive: "server { listen 9999; }",
      said: /nginx does not take the new configuration/,
    },
  };
  for (const [name, { directive, said }] of Object.entries(BROKEN)) {
    fault(name, async () => {
      const { blue, green } = service.containers;
      const squatter = await service.squat(9999);
      const requests = await underLoad(service, async () => {
        const { code, output } = await service.switch("green", { edit: withDirective(directive) });
        assert.equal(code, 1, output);
        assert.match(output, said);
      });
      await agrees(service, [blue, green]);
      await docker("rm", "--force", squatter);
      await service.switched("green");
      await agrees(service, [green, blue]);
      await leftNothing(service);
      await service.switched("blue");
      return { happened: "the switch failed and put the former site back", requests };
    });
  }
});

describe("what the proxy stands on: a state volume that is full", function () {
  this.timeout(300_000);
  const service = useLiveService(256);
  const FILLER = "/bluegreen/state/filler";
  const FILL = `! dd if=/dev/zero of=${FILLER} bs=1k 2>/dev/null`;

  const filledBefore = (line: string) => withLine(line, `  ${FILL} || :\n`);

  for (const withNewNginx of [false, true]) {
    const kind = withNewNginx ? "the take-over of a new nginx" : "a flip";
    for (const [step, line] of Object.entries(withNewNginx ? TAKE_OVER_STEPS : STEPS)) {
      fault(`from before "${step}" of ${kind}`, async () => {
        const former = service.proxy;
        const [live, idle] = [await service.live(), await service.idle()];
        const color = live === service.containers.blue ? "green" : "blue";
        let failed = true;
        const requests = await underLoad(service, async () => {
          if (withNewNginx) await service.newProxy();
          const edit = withNewNginx ? { editTakeOver: filledBefore(line) } : { edit: filledBefore(line) };
          const { code, output } = await service.switch(color, edit);
          failed = code !== 0;
          if (failed) assert.match(output, /can't write|No space left/);
          assert.equal(await service.live(), failed ? live : idle, output);
          await service.inProxy("rm", FILLER);
          await service.switched(color);
          await agrees(service, [idle, live]);
          if (withNewNginx) await docker("rm", "--force", former);
        });
        await leftNothing(service);
        const happened = failed
          ? "the switch failed and the former color served on"
          : "the switch got through";
        return { happened: `${happened}; with room again, the next one went through`, requests };
      });
    }
  }
});

describe("what the proxy stands on: a clock that", function () {
  this.timeout(300_000);
  const service = useLiveService();
  const HOUR = 3600;

  // Every program in nginx's container gets another time of day, and the same uptime, as after a jump of the machine's clock.
  before("a clock of its own for nginx's container", async () => {
    const [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
    assert.ok(library, "libfaketime is missing");
    await docker("cp", library, `${service.proxy}:/tmp/faketime.so`);
    const preload = "export LD_PRELOAD=/tmp/faketime.so FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1";
    await jump(0);
    await service.inProxy("sed", "-i", `2i ${preload}`, "/bluegreen/entrypoint.sh");
    await docker("restart", service.proxy);
    await nginxServes();
  });
  const nginxServes = () =>
    until(
      () => "nginx serves, not the edge",
      async () =>
        (await service.listens(service.proxy).catch(() => false)) && !(await service.listens(service.edge)),
    );

  /** Sets the time in nginx's container, in seconds from the right one, and waits until nginx has it. */
  const jump = async (seconds: number) => {
    const startedAt = async () => (await inspect(service.proxy)).State.StartedAt;
    const former = await startedAt();
    await service.inProxy("sh", "-c", `echo '${seconds < 0 ? "" : "+"}${seconds}' >/etc/faketimerc`);
    // It starts anew when the clock was set back (entrypoint.sh), and the edge, whose clock is right, serves meanwhile.
    if (seconds < shift)
      await until(
        () => "nginx starts anew",
        async () => (await startedAt()) !== former,
      );
    shift = seconds;
    await nginxServes();
    await until(
      () => `libfaketime has moved nginx's clock by ${seconds} s`,
      async () => Math.abs((await proxyTime()) - Date.now() - 1000 * seconds) < 10_000,
    );
  };
  let shift = 0;
  const proxyTime = async () => {
    const { headers } = await get(`http://127.0.0.1:${service.port}/`);
    return Date.parse(headers.date ?? "");
  };

  for (const [name, seconds] of [
    ["jumps an hour ahead", HOUR],
    ["jumps an hour back", -HOUR],
  ] as const) {
    fault(name, async () => {
      const { blue, green } = service.containers;
      const requests = await underLoad(service, async (load) => {
        await jump(seconds);
        await load.more(100);
        await service.switched("green");
        await agrees(service, [green, blue]);
        await service.switched("blue");
        await agrees(service, [blue, green]);
      });
      await nginxServes();
      const started = performance.now();
      await moveToNewAddress(service, blue);
      await until(
        () => "the live color answers at its new address",
        async () => (await service.live()) === blue,
        20,
      );
      const healSeconds = [(performance.now() - started) / 1000];
      await leftNothing(service);
      await jump(0);
      return {
        happened: "nobody noticed; flips work, and a live container with a new address is found",
        requests,
        healSeconds,
      };
    });
  }
});

/** Connects it to its network again; its former address is another's by then. */
async function moveToNewAddress(service: Service, container: string): Promise<void> {
  const former = await addressOf(container);
  await docker("network", "disconnect", service.network, container);
  // Docker gives out the lowest address that is free, and there may be some below.
  for (let taken = ""; taken !== former;) taken = await addressOf(await service.app("green"));
  await docker("network", "connect", service.network, container);
  assert.notEqual(await addressOf(container), former);
}
