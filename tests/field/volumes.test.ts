import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderPull } from "../../components/host/images";
import { NGINX_IMAGE } from "../../components/settings";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { Running } from "../support/running";

const PREFIX = `bgvolume-${randomBytes(4).toString("hex")}`;

/** An image with these files in /assets. */
async function withAssets(image: string, tag: string, files: { [name: string]: string }): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-assets-"));
  const container = await docker("create", image);
  try {
    mkdirSync(path.join(folder, "assets"));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, "assets", name), text);
    await docker("cp", path.join(folder, "assets"), `${container}:/`);
    await docker("commit", container, `${PREFIX}:${tag}`);
    return `${PREFIX}:${tag}`;
  } finally {
    await docker("rm", container);
    rmSync(folder, { recursive: true });
  }
}

/** What the command that gets the images says, before anything is touched. */
async function says(blue: string, green: string, containerPath = "/assets"): Promise<string> {
  const images = { "blue.image": blue, "green.image": green, "proxy.image": NGINX_IMAGE };
  const volumes = [
    { hostPath: "/srv", containerPath: "/srv" },
    { volumeName: PREFIX, containerPath },
  ];
  const { code, output } = await new Running("sh", ["-s"], { input: renderPull(images, [], volumes) }).ended;
  assert.equal(code, 0, output);
  return output;
}

describe("F29: a named volume over files of the images", () => {
  const { base } = useImages({ base: "ok" });
  let one: string;
  let two: string;
  before(async () => {
    one = await withAssets(base, "one", { "app.1.js": "one", "style.css": "one", empty: "" });
    two = await withAssets(base, "two", { "app.2.js": "two", "style.css": "two", empty: "" });
  });
  after(async () => {
    await docker("volume", "rm", "--force", PREFIX);
    await docker("image", "rm", `${PREFIX}:one`, `${PREFIX}:two`);
  });

  it("is warned of before the volume is there", async () => {
    const output = await says(one, one);
    assert.match(
      output,
      /warning: volumes\[1\]: blue's image has 2 file\(s\) in \/assets \(app\.1\.js, style\.css\), where the volume \S+ will be mounted/,
    );
    assert.doesNotMatch(output, /green's image/, "the same image is told of once");
    const volumes = await docker("volume", "ls", "--quiet", "--filter", `name=${PREFIX}`);
    assert.equal(volumes, "", "looking makes no volume");
  });

  it("is warned of where a release has files that the volume has not, or other ones", async () => {
    await docker("run", "--rm", "--volume", `${PREFIX}:/assets`, one, "true");
    const output = await says(one, two);
    assert.match(
      output,
      /warning: volumes\[1\]: green will not see 2 file\(s\) that its image has in \/assets \(app\.2\.js, style\.css\): the volume/,
    );
    assert.doesNotMatch(output, /blue will not see/, "the volume was filled from blue's image");
  });

  it("is nothing to warn of where the images have no files", async () => {
    assert.equal(await says(one, two, "/data"), "");
    assert.equal(await says(one, one), "");
  });

  it("nothing is left of the look", async () => {
    for (const image of [one, two])
      assert.equal(await docker("ps", "--all", "--quiet", "--filter", `ancestor=${image}`), "");
  });
});
