import assert from "node:assert/strict";
import { docker, dockerLines } from "../support/docker";
import { useImages } from "../support/images";
import { useRegistry } from "../support/registry";
import { useStack, type Role } from "../support/stack";

describe("images of a private registry", () => {
  const images = useImages({ one: "ok", two: "ok", three: "ok", four: "ok" });
  const registry = useRegistry();
  const stack = useStack({ keepImages: 1 });
  const said: string[] = [];
  const tags: { [version: string]: string } = {};

  before(async () => {
    for (const [version, image] of Object.entries(images)) {
      tags[version] = await registry.push(image, `team/shop:${version}`);
    }
    await stack.set({ blue: { image: tags.one }, green: { image: tags.one } });
  });
  after(() => removeImages(`${registry.address}/team/shop`));

  const idsOf = async (...roles: Role[]) =>
    Promise.all(roles.map(async (role) => (await stack.container(role)).Id));

  it("without a login: one error by setting, and no container is made", async () => {
    const { output, changes } = await stack.upFails();
    assert.match(output, /error: blue\.image: \S+\/team\/shop:one is not on the host and can't be pulled:/);
    assert.match(output, /error: green\.image: /);
    assert.match(output, /no basic auth credentials/);
    assert.match(output, /What to do next: .*'registries'/);
    for (const role of ["redis", "blue", "green", "edge", "proxy"])
      assert.equal(changes[role], undefined, role);
    assert.deepEqual((await stack.leftovers()).containers, []);
  });

  it("with a wrong password: the registry's answer", async () => {
    await stack.set({ registries: [{ address: registry.address, username: registry.username }] });
    await stack.setSecret("registries[0].password", "planted-wrong-password");
    const { output } = await stack.upFails();
    said.push(output);
    assert.match(output, /blue\.image: .* can't be pulled:\n.*unauthorized/is);
  });

  it("with the login: it is pulled first, and goes live", async () => {
    await stack.setSecret("registries[0].password", registry.password);
    const { output } = await stack.up();
    said.push(output);
    assert.match(output, /==> pulling \S+\/team\/shop:one/);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
    await stack.expectNoChange();
  });

  it("a tag that is not there: Redis, which would be replaced in the same update, is not touched", async () => {
    const restore = stack.keepConfig();
    const before = await idsOf("redis", "blue", "green", "edge", "proxy");
    await stack.set({ green: { image: `${registry.address}/team/shop:none` } });
    await stack.setSecret("redis.password", "another");
    const { output, changes } = await stack.upFails();
    said.push(output);
    assert.match(output, /error: green\.image: \S+:none is not on the host and can't be pulled:/);
    assert.match(output, /manifest unknown|not found/);
    assert.match(output, /Nothing was changed: what is live keeps serving\./);
    assert.equal(changes.redis, undefined);
    assert.deepEqual(await idsOf("redis", "blue", "green", "edge", "proxy"), before);
    restore();
    await stack.up();
  });

  it("a release of the idle color pulls its image and leaves the live color alone", async () => {
    const [live] = await idsOf("blue");
    await stack.set({ green: { image: tags.two } });
    const { changes } = await stack.up();
    assert.deepEqual(changes, {
      service: "update",
      images: "update",
      green: "replace",
      "idle-gate": "replace",
    });
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
    assert.deepEqual(await idsOf("blue"), [live]);
  });

  it("keepImages: older images go, what a rollback needs stays", async function () {
    if (await hasContainerdStore()) return this.skip();
    for (const version of ["three", "four", "three"]) {
      await stack.set({ green: { image: tags[version] } });
      said.push((await stack.up()).output);
    }
    // What green ran before the last release, and its image of now; "one" is blue's. "two" is two releases back.
    assert.deepEqual(await versions(), ["four", "one", "three"]);
    assert.ok(said.join("").includes(`==> removed an old image: ${tags.two}`));
    assert.equal(
      (await dockerLines("image", "ls", "--quiet", images.two)).length,
      1,
      "only the name is the release's",
    );
  });

  it("keepImages with containerd's image store: nobody can tell which can be pulled again, so all stay", async function () {
    if (!(await hasContainerdStore())) return this.skip();
    const before = await versions();
    for (const version of ["three", "four", "three"]) {
      await stack.set({ green: { image: tags[version] } });
      said.push((await stack.up()).output);
    }
    assert.deepEqual(await versions(), [...new Set([...before, "three", "four"])].sort());
    assert.match(said.at(-1) ?? "", /==> old images stay: in containerd's image store/);
  });

  it("an image that no registry has stays", async () => {
    for (const version of ["two", "four", "one"] as const) {
      await stack.set({ green: { image: images[version] } });
      await stack.up();
    }
    for (const image of Object.values(images))
      assert.equal((await dockerLines("image", "ls", "--quiet", image)).length, 1, image);
  });

  it("the password is in no output, no state, no file of the host, no container", async () => {
    assert.doesNotMatch(said.join(""), /planted-/);
    assert.doesNotMatch(await stack.export(), /planted-/);
    assert.match(await stack.export(), /registryAuth/);
    const names = (await stack.leftovers()).containers;
    assert.doesNotMatch(await docker("container", "inspect", ...names), /planted-/);
    await assert.rejects(docker("pull", tags.two), /no basic auth credentials/, "the host is not signed in");
  });

  async function versions(): Promise<string[]> {
    const found = await dockerLines("image", "ls", "--format", "{{.Tag}}", `${registry.address}/team/shop`);
    return found.sort();
  }
});

describe("pinImages", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const registry = useRegistry();
  const stack = useStack({ pinImages: true, redis: { enabled: false } });
  let tag: string;

  before(async () => {
    tag = await registry.push(images.one, "shop:1.0");
    await stack.set({ blue: { image: tag }, green: { image: tag } });
    await stack.set({ registries: [{ address: `http://${registry.address}`, username: registry.username }] });
    await stack.setSecret("registries[0].password", registry.password);
  });
  after(() => removeImages(`${registry.address}/shop`));

  let first = "";

  it("a plan asks the registry, not the host, and shows the digest", async () => {
    stack.extraEnv.DOCKER_HOST = "unix:///nowhere";
    const { output } = await stack.preview().finally(() => delete stack.extraEnv.DOCKER_HOST);
    const pinned = /plan: first release: blue goes live with (\S+:1\.0@sha256:[0-9a-f]{64});/;
    first = pinned.exec(output)?.[1] ?? assert.fail(output);
  });

  it("an update runs just that, and again there is nothing to do", async () => {
    await stack.up();
    assert.equal((await stack.container("blue")).Config.Image, first);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green one" });
    await stack.expectNoChange();
  });

  it("a tag that was moved shows in the plan; one that was not pinned would hide it", async () => {
    await registry.push(images.two, "shop:1.0");
    const { output } = await stack.preview();
    assert.match(output, /plan: green \(idle\): image \S+:1\.0@sha256:\w+ -> \S+:1\.0@sha256:\w+/);
    await stack.up();
    assert.deepEqual(await stack.serving(), { live: "blue two", idle: "green two" });
  });

  it("an image that comes with its digest is not asked for", async () => {
    await stack.set({ green: { image: first } });
    const { output } = await stack.up();
    assert.match(output, /plan: blue stays live and is not touched/);
    assert.deepEqual(await stack.serving(), { live: "blue two", idle: "green one" });
  });

  it("a tag that the registry does not have: one error, in the preview already", async () => {
    await stack.set({ green: { image: `${registry.address}/shop:none` } });
    const { code, output } = await stack.run("preview");
    assert.notEqual(code, 0);
    assert.match(
      output,
      /green\.image: \S+:none can't be pinned to its digest, since its registry does not tell it:/,
    );
    assert.match(output, /Nothing was changed: what is live keeps serving\./);
    assert.doesNotMatch(output, /unhandled|node_modules/);
  });
});

/** All names that this machine has from a test's registry; other tests may have the same images under names of their own. */
async function removeImages(repository: string): Promise<void> {
  for (const format of ["{{.Repository}}:{{.Tag}}", "{{.Repository}}@{{.Digest}}"]) {
    const found = await dockerLines("image", "ls", "--digests", "--format", format, repository);
    const names = found.filter((name) => !name.includes("<none>"));
    if (names.length > 0) await docker("image", "rm", ...new Set(names));
  }
}

/** Docker 29's default for a new installation. */
async function hasContainerdStore(): Promise<boolean> {
  return (await docker("info", "--format", "{{.DriverStatus}}")).includes("io.containerd.snapshotter");
}
