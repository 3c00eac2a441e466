import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { isObject, type Props } from "../../offline/plugins/rpc/values";
import { docker, IMAGE, makeImage, removeImage } from "../../offline/plugins/tests/image";
import { TestPlugin } from "../../offline/plugins/tests/plugin";

interface Saved {
  inputs: Props;
  /** The outputs after a creation, and after a refresh. */
  made: Props;
  read: Props;
}

/** What the two plugins saved for the same program on the same engine (Docker 20.10). Machine and names are taken out. */
interface Recorded {
  name: string;
  type: string;
  news: Props;
  official: Saved;
  standIn: Saved;
}

const recorded = JSON.parse(readFileSync(path.join(__dirname, "plugin-states.json"), "utf8")) as Recorded[];

describe("F26 a stack may go from one plugin to the other", function () {
  this.timeout(60_000);
  const network = `standin-states-${process.pid}`;
  const volume = `standin-states-${process.pid}`;
  const plugins = new Map<string, TestPlugin>();
  let base = "";

  before(async () => {
    makeImage();
    docker("network", "create", network);
    docker("volume", "create", volume);
    base = docker("run", "--detach", "--network", "none", IMAGE);
    for (const type of new Set(recorded.map((one) => one.type)))
      plugins.set(type, await TestPlugin.start("docker", type));
  });
  after(async () => {
    await Promise.all([...plugins.values()].map((plugin) => plugin.stop()));
    docker("rm", "--force", base);
    docker("network", "rm", network);
    docker("volume", "rm", volume);
    removeImage();
  });

  for (const { name, type, news, official, standIn } of recorded) {
    it(`F26 ${name}: what either saved is no change to the stand-in`, async () => {
      const plugin = plugins.get(type)!;
      for (const { inputs, made, read } of [official, standIn])
        for (const state of [made, read]) {
          const checked = await plugin.check(news, inputs);
          assert.deepEqual(checked.failures, []);
          const { changes } = await plugin.diff({ id: state.id as string, state, inputs }, checked.inputs);
          assert.deepEqual(changes, []);
        }
    });

    it(`F26 ${name}: the stand-in saves what the official plugin saves`, async () => {
      const plugin = plugins.get(type)!;
      const { inputs } = await plugin.check(here(news), undefined, `${process.pid} ${name}`);
      const resource = await plugin.create(inputs);
      try {
        if (news.start === false) docker("start", resource.id);
        const { id } = resource;
        const subject = { id, name: resource.state.name as string | undefined };
        assert.deepEqual(anywhere(inputs, subject), anywhere(official.inputs));
        assert.deepEqual(anywhere(resource.state, subject), anywhere(official.made));
        const { state } = await plugin.read(resource);
        assert.deepEqual(anywhere(state, subject), anywhere(official.read));
      } finally {
        await plugin.delete(resource);
      }
    });
  }

  const placeholders = () => ({ IMAGE, NETWORK: network, VOLUME: volume, BASE: base });

  /** With this test's names in place of the recorded ones. */
  function here(value: Props): Props {
    let text = JSON.stringify(value);
    for (const [placeholder, own] of Object.entries(placeholders()))
      text = text.replaceAll(new RegExp(`\\b${placeholder}\\b`, "g"), own);
    return JSON.parse(text) as Props;
  }

  /** Without names, addresses and the order in sets; without the official plugin's own notes. */
  function anywhere(
    value: Props,
    { id = "", name }: { id?: string; name?: string | undefined } = {},
  ): unknown {
    let text = JSON.stringify(value);
    // The volume has the network's name.
    for (const own of [id, id.slice(0, 12), name, IMAGE, network, base, base.slice(0, 12)])
      if (own) text = text.replaceAll(own, "…");
    text = text.replaceAll(/\b(SHORTID|ID|NAME|IMAGE|NETWORK|VOLUME|BASE|IMAGEID|IP|MAC|GW|SUBNET)\b/g, "…");
    return ordered(JSON.parse(text));
  }

  function ordered(value: unknown): unknown {
    if (Array.isArray(value)) {
      const texts = value.map((element) => JSON.stringify(ordered(element)));
      return texts.sort().map((text) => JSON.parse(text) as unknown);
    }
    if (!isObject(value)) return value;
    const kept = Object.entries(value).filter(([key]) => !/^__(meta|pulumi_raw_state_delta)$/.test(key));
    return Object.fromEntries(
      kept
        .map(([key, part]) => [key, ofMachine.has(key) && part ? "…" : ordered(part)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
});

/** What another engine or another run gives another value. */
const ofMachine = new Set([
  "gateway",
  "id",
  "imageId",
  "ipAddress",
  "ipPrefixLength",
  "macAddress",
  "mountpoint",
  "runtime",
  "subnet",
]);
