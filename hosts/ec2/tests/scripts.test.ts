import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { withDefaults } from "../args";
import { userData, waitScript } from "../userData";
import { LEAST } from "./valid";

describe("the user data", () => {
  const settings = withDefaults({
    ...LEAST,
    ecrRegistries: ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"],
  });
  const text = userData(settings, { privateKey: "a\nb\n", publicKey: "c" });

  it("is a cloud-config, and fits into the 16 KB that EC2 takes", () => {
    assert.ok(text.startsWith("#cloud-config\n"));
    assert.ok(Buffer.byteLength(text) < 8 * 1024, `${Buffer.byteLength(text)}`);
  });

  it("runs the very script that it writes, with the user and the registries", () => {
    const config = JSON.parse(text.slice(text.indexOf("{"))) as {
      write_files: { path: string; permissions: string }[];
      runcmd: string[][];
    };
    const [file] = config.write_files;
    assert.equal(file.permissions, "0755");
    assert.deepEqual(config.runcmd, [[file.path, "ubuntu", ...settings.ecrRegistries]]);
  });
});

describe("the wait for Docker, with stand-ins for the host's programs", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bluegreen-wait-"));
    program(
      "sudo",
      'while [ "$1" = -n ] || [ "$1" = -u ]; do [ "$1" = -u ] && shift; shift; done\nexec "$@"',
    );
    program("tail", "echo the last line");
    program("docker", "echo 28.2.2");
    program("cloud-init", "exit 0");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function program(name: string, script: string) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  function wait() {
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    return spawnSync("sh", ["-s"], { input: waitScript(), encoding: "utf8", env });
  }

  it("ends well when the boot is over and Docker answers", () => {
    const { status, stdout } = wait();
    assert.equal(status, 0);
    assert.match(stdout, /==> Docker 28\.2\.2 answers/);
  });

  it("takes a mere warning of cloud-init", () => {
    program("cloud-init", "exit 2");
    assert.equal(wait().status, 0);
  });

  const failures = {
    "a failed boot": ["cloud-init", "the first boot failed"],
    "no Docker": ["docker", "Docker does not answer"],
  };
  for (const [name, [which, said]] of Object.entries(failures)) {
    it(`fails on ${name}, with the end of the log`, () => {
      program(which, "exit 1");
      const { status, stderr } = wait();
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`error: ${said}`));
      assert.match(stderr, /\| the last line/);
    });
  }
});
