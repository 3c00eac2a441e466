import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sshd } from "../../offline/plugins/tests/sshd";
import { docker } from "../support/docker";
import { useImages } from "../support/images";
import { canHaveOwnDocker, OwnDocker } from "../support/own-docker";
import { TestStack } from "../support/stack";

const REPOSITORY = `bluegreen-test-sent-${randomBytes(4).toString("hex")}`;

// The host's engine is another one than this machine's, and has the images' base and nginx, as a host has them from a registry.
(canHaveOwnDocker ? describe : describe.skip)(
  "N11: images without a registry (needs root on Linux)",
  function () {
    this.timeout(300_000);
    const images = useImages({ one: "ok", two: "ok" });
    const host = new OwnDocker();
    const stack = new TestStack({ redis: { enabled: false }, sendImages: true });
    let sshd: Sshd;
    const onHost = (...args: string[]) => docker("--host", host.address, ...args);
    const imageOf = async (color: string) =>
      onHost(
        "inspect",
        "--format",
        "{{.Config.Image}} {{.Image}} {{.State.Running}}",
        ...(await onHost("ps", "--quiet", "--filter", `label=bluegreen.role=${color}`)).split("\n"),
      );
    /** What a component says comes at once, and again at the end. */
    const once = (output: string) => output.slice(output.indexOf("\nDiagnostics:"));
    const idOf = async (image: string) => docker("image", "inspect", "--format", "{{.Id}}", image);
    const build = async (tag: string, ...lines: string[]): Promise<string> => {
      const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-image-"));
      try {
        writeFileSync(path.join(folder, "Dockerfile"), [`FROM ${images.one}`, ...lines].join("\n"));
        await docker("build", "--quiet", "--tag", `${REPOSITORY}:${tag}`, folder);
        return `${REPOSITORY}:${tag}`;
      } finally {
        rmSync(folder, { recursive: true });
      }
    };

    before("a host that is reached over SSH", async () => {
      await host.create(["nginx:1.30.6", "node:24.21.0-slim"]);
      sshd = await Sshd.start({ env: { DOCKER_HOST: host.address } });
      await stack.create();
      const { address, hostKey } = sshd;
      await stack.set({ host: { address, hostKey, privateKeyFile: sshd.file("user"), connectTries: 2 } });
      stack.extraEnv.SSH_AUTH_SOCK = undefined;
      await stack.set({ blue: { image: images.one }, green: { image: images.one } });
    });
    after(async () => {
      try {
        await stack.remove();
      } finally {
        await sshd.stop();
        await host.remove();
        await docker("image", "rm", "--force", `${REPOSITORY}:moving`);
      }
    });

    it("a preview says what is sent, and contacts nobody", async () => {
      const before = sshd.connections;
      const { output } = await stack.preview();
      const said = `plan: image ${images.one} is sent from this machine, unless the host has it`;
      assert.equal(once(output).split(said).length, 2, output);
      assert.equal(sshd.connections, before);
    });

    it("an update sends an image of both colors once, without the layers that are there", async () => {
      const { output } = await stack.up();
      assert.equal(once(output).match(/==> sending /g)?.length, 1, output);
      assert.match(output, /==> sending \S+ from this machine: 0\.1 MB, without the 3 of its 4 layers/);
      for (const color of ["blue", "green"])
        assert.equal(await imageOf(color), `${images.one} ${await idOf(images.one)} true`);
    });

    it("a second one sends nothing, and finds no change, as does a refresh", async () => {
      const { output } = await stack.up("--expect-no-changes");
      assert.doesNotMatch(output, /==> /);
      await stack.refresh("--expect-no-changes");
    });

    it("says how far it is; cut off, it leaves nothing, and the next one sends it", async () => {
      const image = await build("moving", "RUN head -c 100000000 /dev/urandom >/big");
      await stack.set({ green: { image } });
      const update = stack.start("up", "--yes", "--skip-preview");
      await update.says("==> sending");
      host.haltDaemon();
      await sleep(3500);
      host.resumeDaemon();
      await update.says(" of 100.1 MB sent");
      sshd.cutOff();
      const { code, output } = await update.ended;
      assert.notEqual(code, 0, output);
      assert.match(output, /green\.image: \S+:moving could not be sent from this machine to ssh:/);
      assert.match(
        output,
        /Nothing was changed: what is live keeps serving\.\s+What to do next: see that Docker/,
      );
      await assert.rejects(onHost("image", "inspect", image), /No such image/);
      await stack.up();
      assert.equal(await imageOf("green"), `${image} ${await idOf(image)} true`);
    });

    it("of a tag that was built again, the host gets the new image, and the next container has it", async () => {
      const image = await build("moving", "ENV VERSION=two");
      await stack.set({ green: { env: { NEXT: "yes" } } });
      const { output } = await stack.up();
      assert.match(output, /:moving was another image on the host until now/);
      assert.equal(await imageOf("green"), `${image} ${await idOf(image)} true`);
    });

    it("an image that is nowhere is refused, with its setting and why it was not sent", async () => {
      await stack.set({ green: { image: `${REPOSITORY}:none` } });
      const { output } = await stack.upFails();
      assert.match(output, /==> green\.image: \S+:none is not on this machine: the host asks its registry/);
      assert.match(
        output,
        /error: green\.image: \S+:none is not on the host, was not sent and can't be pulled:/,
      );
      assert.match(output, /Nothing was changed: what is live keeps serving\./);
      assert.match(output, /What to do next: .*built on the machine that runs Pulumi or on the host/);
    });

    it("without a Docker on this machine, what the host has is enough, and what it lacks is refused", async () => {
      stack.extraEnv.DOCKER_HOST = "unix:///nowhere";
      await stack.set({ green: { image: images.two } });
      const { output } = await stack.upFails();
      assert.match(output, /==> no image is sent: on this machine no Docker answers \(.*unix:\/\/\/nowhere/);
      assert.match(output, /error: green\.image: \S+ is not on the host, was not sent and can't be pulled:/);
      await stack.set({ green: { image: images.one } });
      await stack.up();
      assert.equal(await imageOf("green"), `${images.one} ${await idOf(images.one)} true`);
    });
  },
);
