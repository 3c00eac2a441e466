import assert from "node:assert/strict";
import { cpus } from "node:os";
import { useLiveService } from "../proxy/service";
import { docker } from "../support/docker";
import { useDemo } from "../support/demo";
import { useTag } from "../support/images";
import { indent } from "../support/load";
import { useStack } from "../support/stack";
import { agrees, leftNothing, underLoad } from "./agreement";
import { fault } from "./table";

/** 64 kept connections with pauses that are long enough to be idle in a reload, and new ones all the time. */
const CROWD = { kept: 64, fresh: 8, pauseMs: 400 };
/** Of each kind so many through `pulumi up`; the others are the switch alone, which is what touches nginx. */
const UPS = { flips: 4, releases: 2, nginx: 2 };
const SWITCHES = { flips: 96, releases: 18, nginx: 18 };

describe("100 flips, 20 releases of the live color and 20 replacements of nginx in a row", function () {
  this.timeout(1_500_000);

  describe("the switch alone", () => {
    const service = useLiveService();

    fault(`${SWITCHES.flips} flips, ${SWITCHES.releases} releases, ${SWITCHES.nginx} of nginx`, async () => {
      const remove = (container: string) => docker("rm", "--force", "--volumes", container);
      const flip = async () => {
        const live = await service.live();
        await service.switched(live === service.containers.blue ? "green" : "blue");
      };
      const release = async () => {
        const live = await service.live();
        const color = live === service.containers.blue ? "blue" : "green";
        await service.app(color);
        await service.switched(color);
        await remove(live);
      };
      const newNginx = async () => {
        const [former, live] = [service.proxy, await service.live()];
        await service.newProxy();
        await service.switched(live === service.containers.blue ? "blue" : "green");
        await docker("stop", former);
        await remove(former);
      };
      const usage = async () => {
        const [workers, memoryKb] = (await service.inProxy("sh", "-c", USAGE)).split("\n").map(Number);
        return { workers, memoryMb: Math.round(memoryKb / 1024) };
      };
      const spread = (count: number, of: number, round: number) =>
        Math.floor((count * (round + 1)) / of) - Math.floor((count * round) / of);

      const rounds = SWITCHES.nginx;
      const used = [await usage()];
      const requests = await underLoad(
        service,
        async () => {
          for (let round = 0; round < rounds; round++) {
            for (let i = spread(SWITCHES.flips, rounds, round); i > 0; i--) await flip();
            for (let i = spread(SWITCHES.releases, rounds, round); i > 0; i--) await release();
            used.push(await usage());
            await newNginx();
            if ((round + 1) % 3 === 0) console.log(indent(`round ${round + 1} of ${rounds}`));
          }
        },
        CROWD,
      );
      const live = await service.live();
      await agrees(service, [live, await service.idle()]);
      await leftNothing(service);
      assert.equal((await service.journal()).length, 50);
      const most = (of: (one: (typeof used)[number]) => number) => Math.max(...used.map(of));
      const [workers, memoryMb] = [most((one) => one.workers), most((one) => one.memoryMb)];
      assert.ok(memoryMb < 100, `nginx took ${memoryMb} MB`);
      assert.ok(workers <= 10 * cpus().length, `there were ${workers} nginx workers`);
      return {
        happened: `at most ${workers} nginx workers and ${memoryMb} MB in nginx's container, 50 entries in the journal`,
        requests,
      };
    });
  });

  describe("through pulumi up", () => {
    const [one, two] = [useDemo("1.0.0"), useDemo("1.1.0")];
    const stack = useStack({ blue: { image: one }, green: { image: two } });
    const releases = Array.from({ length: UPS.releases }, () => useTag(one));
    const nginx = Array.from({ length: UPS.nginx }, () => useTag("nginx:1.30.6"));
    before("first deploy", () => stack.up());

    fault(`${UPS.flips} flips, ${UPS.releases} releases, ${UPS.nginx} of nginx`, async () => {
      const requests = await underLoad(
        stack,
        async () => {
          for (let i = 0; i < UPS.flips; i++) {
            await stack.set({ activeColor: i % 2 === 0 ? "green" : "blue" });
            await stack.up();
          }
          for (const blueImage of releases) {
            await stack.set({ blue: { image: blueImage } });
            await stack.up();
          }
          for (const image of nginx) {
            await stack.set({ proxy: { image } });
            await stack.up();
          }
        },
        CROWD,
      );
      for (const role of ["edge", "proxy", "blue", "green", "redis"] as const) await stack.container(role);
      return { happened: "one container of each kind is left", requests };
    });
  });
});

/** How many nginx workers there are, old ones too, and the memory in KB that is of the container's processes alone. */
const USAGE = `
grep -l 'nginx: worker' /proc/[0-9]*/cmdline 2>/dev/null | wc -l
cat /proc/[0-9]*/status 2>/dev/null | awk '/^RssAnon/ { kb += $2 } END { print kb }'`;
