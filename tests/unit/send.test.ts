import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { lookInto, send } from "../../components/host/archive";
import { layersThere, readImageFacts, whatToSend, withTags } from "../../components/host/imageFacts";
import { hostScript } from "../../components/shell";
import { until } from "../support/running";

const IMAGE = {
  Os: "linux",
  Architecture: "amd64",
  RootFS: { Layers: ["base", "one"] },
  Config: { Env: ["A=1"], Cmd: ["node"] },
};
const facts = (wanted: { [setting: string]: object } = {}, more: object = {}) => ({
  ...readImageFacts(""),
  platform: "linux/amd64",
  keepsLayers: true,
  wanted: wanted as { [setting: string]: typeof IMAGE },
  ...more,
});
const BOTH = { "blue.image": "shop:1", "green.image": "shop:1" };

describe("N11: what this machine sends", () => {
  const sent = (...args: Parameters<typeof whatToSend>) =>
    whatToSend(...args).send.map(({ setting }) => setting);

  it("has a tag, and no digest", () => {
    const all = {
      a: "shop",
      b: "localhost:5000/shop",
      c: "shop:1.2-rc",
      d: `shop:1@sha256:${"0".repeat(64)}`,
    };
    assert.deepEqual(withTags(all), {
      ...{ a: "shop:latest", b: "localhost:5000/shop:latest", c: "shop:1.2-rc" },
    });
  });

  it("is what the host lacks, once", () => {
    const here = facts({ "blue.image": IMAGE, "green.image": IMAGE });
    assert.deepEqual(sent(BOTH, here, facts()), ["blue.image"]);
    assert.deepEqual(sent(BOTH, here, here), []);
  });

  it("is a color's image that is another one there, and nobody else's", () => {
    const other = { ...IMAGE, Config: { ...IMAGE.Config, Env: ["A=2"] } };
    const images = { "green.image": "shop:1", "proxy.image": "nginx:1" };
    const here = facts({ "green.image": IMAGE, "proxy.image": IMAGE });
    const { send } = whatToSend(images, here, facts({ "green.image": other, "proxy.image": other }));
    assert.deepEqual(send, [
      { setting: "green.image", image: "shop:1", layers: ["base", "one"], renames: true },
    ]);
  });

  it("is not what another engine merely writes in another way", () => {
    const there = {
      ...IMAGE,
      Id: "sha256:of a manifest",
      Config: { ...IMAGE.Config, Volumes: null, Labels: {}, User: "", Hostname: "1234" },
    };
    assert.deepEqual(
      sent({ "green.image": "shop:1" }, facts({ "green.image": IMAGE }), facts({ "green.image": there })),
      [],
    );
  });

  it("is nothing for another platform, and nothing that is not here: both are said", () => {
    const images = { "blue.image": "shop:1", "green.image": "shop:2" };
    const here = facts({ "blue.image": { ...IMAGE, Architecture: "arm64" } });
    const { send, notes } = whatToSend(images, here, facts());
    assert.deepEqual(send, []);
    assert.deepEqual(notes, [
      "blue.image: shop:1 of this machine is not sent: it is for linux/arm64, the host is linux/amd64 (docker build --platform linux/amd64)",
      "green.image: shop:2 is not on this machine: the host asks its registry",
    ]);
  });

  it("is nothing where there is no Docker", () => {
    assert.deepEqual(whatToSend(BOTH, undefined, facts()), { send: [], notes: [] });
  });

  it("comes without the lowest layers that the host has, unless it has containerd's image store", () => {
    const layers = [
      ["other", "base", "one"],
      ["base", "two"],
    ];
    assert.equal(layersThere(["base", "one"], facts({}, { layers })), 1);
    assert.equal(layersThere(["base", "two"], facts({}, { layers })), 2);
    assert.equal(layersThere(["base"], facts({}, { layers: [] })), 0);
    assert.equal(layersThere(["base", "one"], facts({}, { layers, keepsLayers: false })), 0);
  });
});

/** A machine with a "docker" that has one image, in an archive, and another engine that takes what comes. */
function machine(
  files: { [name: string]: string },
  { saves = "cat image.tar", loads = "gzip -d >arrived.tar" } = {},
) {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-unit-"));
  const content = path.join(folder, "content");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(content, name)), { recursive: true });
    writeFileSync(path.join(content, name), text);
  }
  const image = path.join(folder, "image.tar");
  // What Docker writes of today: with a header of its own before each file.
  execFileSync(
    "tar",
    ["--format=pax", "--sort=name", "-cf", image, "-C", content, "."].concat(["--transform=s,^[.]/,,"]),
  );
  const docker = path.join(folder, "docker");
  writeFileSync(docker, `#!/bin/sh\ncd "${folder}"\ncase $1 in save) ${saves} ;; load) ${loads} ;; esac\n`);
  chmodSync(docker, 0o755);
  return {
    folder,
    path: `${folder}:${process.env.PATH}`,
    arrived: () =>
      execFileSync("tar", ["-tf", path.join(folder, "arrived.tar")], { encoding: "utf8" })
        .split("\n")
        .filter((name) => name !== "" && !name.endsWith("/"))
        .sort(),
    text: (name: string) =>
      execFileSync("tar", ["-xOf", path.join(folder, "arrived.tar"), name], { encoding: "utf8" }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

describe("N11: an archive on its way", () => {
  const usual = process.env.PATH;
  afterEach(() => (process.env.PATH = usual));
  const FILES = {
    "aa/layer.tar": "base".repeat(100_000),
    "bb/layer.tar": "empty",
    "cc/layer.tar": "empty",
    "dd/layer.tar": "one",
    "config.json": "{}",
    "manifest.json": JSON.stringify([
      { Config: "config.json", Layers: ["aa", "bb", "cc", "dd"].map((name) => `${name}/layer.tar`) },
    ]),
  };
  const LAYERS = ["base", "empty", "empty", "one"];

  async function transfer(there: number, files = FILES, shims: Parameters<typeof machine>[1] = {}) {
    const made = machine(files, shims);
    process.env.PATH = made.path;
    const contents = await lookInto("shop:1", LAYERS, there);
    let last = 0;
    const command = { file: "docker", args: ["load"], env: {} };
    const bytes = await send("shop:1", contents, command, (read) => (last = read));
    return { made, contents, bytes, last };
  }

  it("is whole where the host has nothing of it", async () => {
    const { made, contents, bytes, last } = await transfer(0);
    using _ = made;
    assert.deepEqual(made.arrived(), Object.keys(FILES).sort());
    assert.equal(made.text("aa/layer.tar"), FILES["aa/layer.tar"]);
    assert.ok(
      contents.bytes > 400_000 && last > 400_000 && bytes < 20_000,
      `${contents.bytes} ${last} ${bytes}`,
    );
  });

  it("lacks the layers that the host has, but none that an upper one may be a link to", async () => {
    const { made, contents } = await transfer(2);
    using _ = made;
    assert.deepEqual(
      made.arrived(),
      Object.keys(FILES)
        .filter((name) => name !== "aa/layer.tar")
        .sort(),
    );
    assert.ok(contents.bytes < 1000);
  });

  for (const [what, saving] of [
    ["this machine's Docker does not let go", "echo $$ >saving; trap '' TERM; exec cat image.tar"],
    ["docker is a script", "cat image.tar & echo $! >saving; wait"],
  ])
    it(`ends when nobody takes it any more, also where ${what}`, async () => {
      const noise = Array.from({ length: 300_000 }, () => Math.random().toString(36)).join("");
      const shims = {
        saves: `if [ -e once ]; then ${saving}; else : >once; exec cat image.tar; fi`,
        loads: "head -c 100 >&2; exit 1",
      };
      using made = machine({ ...FILES, "aa/layer.tar": noise }, shims);
      process.env.PATH = made.path;
      await lookInto("shop:1", LAYERS, 0);
      const nothing = { left: new Set<string>() };
      await assert.rejects(send("shop:1", nothing, { file: "docker", args: ["load"], env: {} }, () => {}));
      const pid = Number(readFileSync(path.join(made.folder, "saving"), "utf8"));
      await until(
        () => `the end of process ${pid}`,
        () => spawnSync("kill", ["-0", `${pid}`]).status !== 0,
      );
    });

  it("is whole where its layers are not those of the image", async () => {
    const { made } = await transfer(2, { ...FILES, "manifest.json": '[{"Layers":["aa/layer.tar"]}]' });
    using _ = made;
    assert.deepEqual(made.arrived(), Object.keys(FILES).sort());
  });

  for (const [who, shims, words] of [
    ["the host refuses it", { loads: "echo no space left >&2; exit 1" }, /no space left/],
    [
      "the connection is lost",
      { loads: "head -c 100 >&2; echo Connection closed >&2; exit 255" },
      /Connection closed/,
    ],
    [
      "this machine's Docker ends",
      {
        saves:
          "if [ -e once ]; then head -c 1000 image.tar; echo daemon is gone >&2; exit 1; fi; : >once; cat image.tar",
      },
      /daemon is gone/,
    ],
  ] as const) {
    it(`tells why it did not arrive: ${who}`, async () => {
      const noise = Array.from({ length: 300_000 }, () => Math.random().toString(36)).join("");
      await assert.rejects(transfer(0, { ...FILES, "aa/layer.tar": noise }, shims), words);
    });
  }
});

describe("N11: what an engine is asked about images", () => {
  it("is answered as data, whatever an image is called", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-unit-"));
    const docker = path.join(folder, "docker");
    writeFileSync(
      docker,
      `#!/bin/sh
case "$1 $2" in
  "version "*) echo 'platform {"os":"linux","architecture":"arm64"}' ;;
  "info "*) echo 'store [["driver-type","io.containerd.snapshotter.v1"]]' ;;
  "image ls") echo b; echo a; echo b ;;
  "image inspect")
    case "$5" in
      "a'; touch $FOLDER/made") echo 'wanted {"setting":"blue.image","image":{"Os":"linux"}}' ;;
      a) echo 'layers ["1","2"]'; echo 'layers null' ;;
      *) exit 1 ;;
    esac ;;
esac
`,
    );
    chmodSync(docker, 0o755);
    try {
      const name = `a'; touch ${folder}/made`;
      const text = execFileSync("sh", ["-s"], {
        input: hostScript({ IMAGES: `blue.image ${name}\ngreen.image none` }, ["on-host/images.sh"]),
        env: { PATH: `${folder}:${process.env.PATH}`, FOLDER: folder },
        encoding: "utf8",
      });
      assert.deepEqual(readImageFacts(text), {
        platform: "linux/arm64",
        keepsLayers: false,
        wanted: { "blue.image": { Os: "linux" } },
        layers: [["1", "2"], []],
      });
      assert.throws(() => readFileSync(path.join(folder, "made")));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
