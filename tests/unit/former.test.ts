import assert from "node:assert/strict";
import type { BlueGreenServiceArgs } from "../../components/index";
import { binding } from "../../components/ingress/downtime";
import { declare, ID, type State } from "./mocked";
import { LEAST, settingsOf } from "./valid";

const urnOf = (command: string, type = "local", name = "shop") =>
  `urn:pulumi:dev::acme::bluegreen:index:BlueGreenService$command:${type}:Command::${name}-${command}`;
const BINDING = binding(settingsOf(LEAST), true);
/** What a switch and an idle gate that have passed leave. */
const former = (
  live: string,
  blue: string,
  green: string,
  type = "local",
  name = "shop",
  bound = BINDING,
): State => {
  const switched = {
    ...{ version: 1, owner: `acme/dev/${name} ${ID}`, live, liveImage: live === "blue" ? blue : green },
  };
  const takenOver = {
    version: 1,
    owner: `acme/dev/${name} ${ID}`,
    nginx: "nginx:1.30.6",
    binding: bound,
  };
  const gated = { version: 1, blue, green };
  return {
    [urnOf("switch", type, name)]: { outputs: { triggers: [JSON.stringify(switched), "id", "id", "hash"] } },
    [urnOf("take-over", type, name)]: { outputs: { triggers: [JSON.stringify(takenOver), "id"] } },
    [urnOf("idle-gate", type, name)]: {
      outputs: { triggers: [JSON.stringify(gated), "id", "id", "running"] },
    },
  };
};
/** The state after an update. */
async function after(args: BlueGreenServiceArgs = LEAST): Promise<State> {
  const { resources } = await declare(args);
  return Object.fromEntries(
    Object.values(resources).map(({ urn, name, inputs }) => [
      urn,
      { outputs: { ...inputs, id: `${name}-id` } },
    ]),
  );
}
const addressesIn = async (state: State, args: BlueGreenServiceArgs = LEAST) => {
  const { ports } = (await declare(args, state)).resources.edge.inputs;
  return (ports as { ip: string }[]).map(({ ip }) => ip);
};
const NOTHING = "plan: blue stays live with shop:1.0.0: no new image and no switch";
const WITH_REDIS = { ...LEAST, redis: { enabled: true } };
const planOf = async (state: State, args: BlueGreenServiceArgs = LEAST) =>
  (await declare(args, state)).logs.join("\n");

describe("the former release, as the state has it", () => {
  it("an ingress that has no IPv6 gets none, until it is said; one that has it keeps it", async () => {
    const bound = binding(settingsOf(LEAST), false);
    const without = former("blue", "shop:1.0.0", "shop:1.1.0", "local", "shop", bound);
    assert.deepEqual(await addressesIn(without), ["0.0.0.0", "127.0.0.1"]);
    assert.doesNotMatch(await planOf(without), /bindAddress/);
    const remote = { ...LEAST, host: { address: "tcp://[::1]:2375" } };
    const reached = former("blue", "a:1", "b:1", "local", "shop", binding(settingsOf(remote), false));
    assert.deepEqual(await addressesIn(reached, remote), ["0.0.0.0", "127.0.0.1"], "the host's own address");
    const wanted = { ...LEAST, proxy: { ipv6: true } };
    assert.deepEqual(await addressesIn(without, wanted), ["0.0.0.0", "::", "127.0.0.1", "::1"]);
    assert.match(
      await planOf(without, wanted),
      /proxy\.bindAddress 0\.0\.0\.0 -> 0\.0\.0\.0 and ::.*REFUSED by the update unless allowDowntime is true/,
    );
    assert.equal((await addressesIn(former("blue", "shop:1.0.0", "shop:1.1.0"))).length, 4);
  });

  it("is none before the first switch", async () => {
    assert.match(await planOf({}), /^plan: first release: blue goes live/);
  });

  for (const type of ["local", "remote"]) {
    it(`is read from the ${type} switch`, async () => {
      const state = former("green", "shop:1.0.0", "shop:1.1.0", type);
      assert.match(await planOf(state), /^plan: switch: green -> blue \(shop:1\.0\.0\)/);
    });
  }

  it("is read from the switch of version 0.1.0, which was the take-over, too", async () => {
    const switched = {
      ...{ version: 1, service: `acme/dev/shop ${ID}`, live: "green", liveImage: "shop:1.1.0" },
      ...{ nginx: "nginx:1.30.6", binding: BINDING },
    };
    const state = { [urnOf("switch")]: { outputs: { triggers: [JSON.stringify(switched), "id"] } } };
    assert.match(await planOf(state), /^plan: switch: green -> blue \(shop:1\.0\.0\)/m);
    const permitted = async (proxy: object) =>
      /PERMITTED='(.*)'/.exec(
        (await declare({ ...LEAST, proxy }, state)).resources["downtime-guard"].inputs.stdin as string,
      )?.[1];
    assert.deepEqual([await permitted({}), await permitted({ port: 81 })], ["yes", "no"]);
  });

  it("is what the component itself writes: an update without a change is told as one", async () => {
    assert.equal(await planOf(await after()), NOTHING);
  });

  it("is found by the identity, whatever the component is called now", async () => {
    const renamed = Object.entries(await after()).map(([urn, found]) => [
      urn.replace(/::shop/, "::store"),
      found,
    ]);
    assert.equal(await planOf(Object.fromEntries(renamed) as State), NOTHING);
    const others = JSON.stringify(renamed).replaceAll(ID, "fedcba9876543210");
    assert.match(
      await planOf(Object.fromEntries(JSON.parse(others) as [string, State[string]][])),
      /^plan: first release/,
    );
  });

  it("tells which containers are new", async () => {
    const state = await after(WITH_REDIS);
    const redis = Object.keys(state).find((urn) => urn.endsWith("::shop-redis"))!;
    state[redis].outputs.id = "another";
    assert.deepEqual((await planOf(state, WITH_REDIS)).split("\n"), [
      "plan: redis: replaced; it is away for some seconds, its data stays",
      "plan: blue stays live with shop:1.0.0 and is not touched",
    ]);
  });

  it("knows what an update that failed has left", async () => {
    const made =
      "urn:pulumi:dev::acme::bluegreen:index:BlueGreenService$docker:index/container:Container::shop-";
    const state = {
      ...former("blue", "shop:1.0.0", "shop:1.1.0"),
      [`${made}blue`]: { outputs: { image: "shop:1.0.0" } },
      [`${made}green`]: { outputs: { image: "shop:1.2.0" } },
    };
    assert.match(
      await planOf(state),
      /^plan: green \(idle\): image shop:1\.2\.0, which failed, -> shop:1\.1\.0$/m,
    );
  });

  it("knows that the live color passed although the idle one failed", async () => {
    const state = {
      ...(await after()),
      ...former("blue", "shop:0.9", "shop:1.1.0"),
      [urnOf("switch")]: former("blue", "shop:1.0.0", "")[urnOf("switch")],
    };
    assert.doesNotMatch(await planOf(state), /image|failed/);
  });

  it("U7 tells that a Redis goes which nobody asks for any more", async () => {
    const plan = await planOf(await after(WITH_REDIS));
    assert.match(plan, /^plan: redis: removed, since redis\.enabled is not true; its volume stays/);
  });

  it("is not another component's", async () => {
    const state = former("green", "a:1", "b:1", "local", "other");
    assert.match(await planOf(state), /^plan: first release/);
  });

  it("a switch without a record counts as none, and one of another version", async () => {
    const another = JSON.stringify({ version: 2, live: "green" });
    for (const triggers of [undefined, [], ["blue", "shop:1.0.0"], [another]])
      assert.match(await planOf({ [urnOf("switch")]: { outputs: { triggers } } }), /^plan: first release/);
  });

  it("the plan tells each thing on a line of its own", async () => {
    const plan = await planOf({ ...(await after()), ...former("green", "shop:0.9", "shop:1.1.0") });
    assert.deepEqual(
      plan.split("\n").map((line) => line.slice(0, 20)),
      ["plan: blue (becomes ", "plan: switch: green "],
    );
  });
});
