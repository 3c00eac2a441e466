import assert from "node:assert/strict";
import { useLiveService, type Health, type Service, type SwitchOptions } from "../proxy/service";
import { docker } from "../support/docker";
import { failed } from "../support/load";
import { agrees, leftNothing, underLoad } from "./agreement";
import { fault, type Told } from "./table";

const watch = { seconds: 8, tolerancePercent: 5 };
const SHORT = { timeoutSeconds: 1, gateTimeoutSeconds: 4 };

interface Candidate {
  app: Health;
  options?: SwitchOptions;
  /** What the switch says, and with that whether it fails. */
  refused?: RegExp;
  /** Requests may fail: the candidate is live when it goes wrong. */
  loses?: boolean;
  happened: string;
}

const CANDIDATES: { [name: string]: Candidate } = {
  "accepts and never answers": {
    app: "hangs",
    options: { health: SHORT },
    refused: /did not pass its health gate.*\n.*none: the container said nothing, or not all, within/,
    happened: "refused by its gate",
  },
  "answers more slowly than health.timeoutSeconds": {
    app: "slow",
    options: { health: { ...SHORT, timeoutSeconds: 0.5 } },
    refused: /did not pass its health gate.*\n.*none: the container said nothing, or not all, within/,
    happened: "refused by its gate",
  },
  "answers slowly, but in time": { app: "slow", happened: "went live, each answer took 0.7 s" },
  "turns unhealthy right after the gate, without a watch": {
    app: "fails-later",
    happened: "went live and stays: only a watch looks again",
  },
  "turns unhealthy right after the gate, with a watch": {
    app: "fails-later",
    options: { watch },
    refused: /flipped back: three health requests in a row failed/,
    happened: "flipped back by the watch",
  },
  "answers every request with 500, with a watch": {
    app: "errors",
    options: { watch },
    refused: /flipped back: \d+ of \d+ answers were 5xx after the switch/,
    loses: true,
    happened: "flipped back by the watch",
  },
  "dies under load again and again, with a watch": {
    app: "dies",
    options: { watch },
    refused: /flipped back: /,
    loses: true,
    happened: "flipped back by the watch",
  },
};

describe("a candidate that", function () {
  this.timeout(300_000);
  const service = useLiveService();

  for (const [name, { app, options = {}, refused, loses = false, happened }] of Object.entries(CANDIDATES)) {
    fault(name, async () => {
      const { blue, green } = service.containers;
      const candidate = await service.app("green", app);
      let output = "";
      const requests = await underLoad(
        service,
        async (load) => {
          const ended = await service.switch("green", options);
          output = ended.output;
          assert.equal(ended.code === 0, refused === undefined, output);
          await load.more(100);
        },
        { loses },
      );
      if (refused) assert.match(output, refused);
      assert.equal(failed(requests) > 0, loses, "requests failed, or did not");
      const journal = await agrees(service, refused ? [blue, green] : [candidate, blue]);
      assert.match(journal.at(-1)?.outcome ?? "", refused ? /^failed: green did not pass/ : /^done/);
      await mend(service, green);
      await docker("rm", "--force", "--volumes", candidate);
      return {
        happened,
        requests,
        ...(loses && { healSeconds: [requests.longestSilenceMs / 1000] }),
      } satisfies Told;
    });
  }

  /** Blue is live again, beside the green of before: the next switch has nothing to complain of. */
  async function mend({ containers }: Service, green: string): Promise<void> {
    containers.green = green;
    const output = await service.switched("blue");
    assert.doesNotMatch(output, /the switch before this one/);
    await agrees(service, [containers.blue, green]);
    await leftNothing(service);
  }
});
