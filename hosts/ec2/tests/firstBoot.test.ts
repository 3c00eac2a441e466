import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { withDefaults } from "../args";
import { userData } from "../userData";
import { LEAST } from "./valid";

const run = promisify(execFile);

// The image that is at hand wherever this project runs, and is a Debian.
const IMAGE = "nginx:1.30.6";
const ECR = [
  "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
  "210987654321.dkr.ecr.us-east-1.amazonaws.com",
];

// The real cloud-init with the real packages, in a container that plays the instance; it has no systemd, so what is asked of that is noted.
const BOOT = `set -eu
exec >/var/log/boot.log 2>&1
rm -f /var/lib/dpkg/statoverride # the offline image's: of a user that it no longer has
apt-get update --error-on=any
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends cloud-init openssh-server
printf '#!/bin/sh\\necho "$*" >>/var/log/systemctl.log\\n' >/usr/local/bin/systemctl
chmod +x /usr/local/bin/systemctl
echo 'datasource_list: [NoCloud]' >/etc/cloud/cloud.cfg.d/99-test.cfg
mkdir -p /var/lib/cloud/seed/nocloud
echo 'instance-id: i-test' >/var/lib/cloud/seed/nocloud/meta-data
cp /test/user-data /var/lib/cloud/seed/nocloud/user-data
# Each says with 2 that it misses a real network.
for stage in 'init --local' init 'modules --mode=config' 'modules --mode=final'; do
  cloud-init $stage || [ "$?" = 2 ]
done
`;

describe("the first boot, with the real cloud-init in a Debian container", function () {
  this.timeout(900_000);
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-boot-"));
  const container = path.basename(folder);
  let hostKey: string;
  const inside = async (script: string) =>
    (await run("docker", ["exec", container, "sh", "-c", script])).stdout.trim();

  before(async () => {
    const key = path.join(folder, "host_key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
    const [privateKey, publicKey] = [key, `${key}.pub`].map((file) =>
      execFileSync("cat", [file], { encoding: "utf8" }),
    );
    hostKey = publicKey.trim();
    // cloud-init knows the system's own user by name: Debian's here.
    const settings = withDefaults({ ...LEAST, user: "debian", ecrRegistries: ECR });
    writeFileSync(path.join(folder, "user-data"), userData(settings, { privateKey, publicKey }));
    writeFileSync(path.join(folder, "boot.sh"), BOOT);
    writeFileSync(path.join(folder, "apt.conf"), await aptSettings());
    const mounts = ["-v", `${folder}:/test:ro`, "-v", `${folder}/apt.conf:/etc/apt/apt.conf.d/99test:ro`];
    await run("docker", [
      "run",
      "--detach",
      "--name",
      container,
      ...mounts,
      "--entrypoint",
      "sleep",
      IMAGE,
      "infinity",
    ]);
    await inside("sh /test/boot.sh").catch(async (error) => {
      throw new Error(await inside("tail -n 40 /var/log/boot.log"), { cause: error });
    });
  });

  after(async () => {
    await run("docker", ["rm", "--force", "--volumes", container]);
    rmSync(folder, { recursive: true });
  });

  it("cloud-init takes the user data as it is", async () => {
    assert.match(await inside("cloud-init schema --config-file /test/user-data"), /^Valid schema/m);
    assert.match(await inside("cloud-init status --long || true"), /^errors: \[\]$/m);
  });

  it("the host has the key that it was given, and no other", async () => {
    const keys = await inside("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_*_key.pub");
    assert.equal(keys, hostKey.split(" ", 2).join(" "));
    assert.equal(await inside("stat -c %a /etc/ssh/ssh_host_ed25519_key"), "600");
  });

  it("Docker is installed, takes its settings, and is started now and at every boot", async () => {
    assert.match(await inside("docker --version"), /^Docker version/);
    assert.equal(
      await inside("dockerd --validate --config-file /etc/docker/daemon.json 2>&1"),
      "configuration OK",
    );
    assert.match(await inside("cat /var/log/systemctl.log"), /^enable --now docker$/m);
  });

  it("logs are rotated: the containers' and the journal", async () => {
    const settings = JSON.parse(await inside("cat /etc/docker/daemon.json")) as { [key: string]: unknown };
    assert.deepEqual(settings["log-opts"], { "max-size": "10m", "max-file": "3" });
    assert.match(await inside("cat /etc/systemd/journald.conf.d/bluegreen.conf"), /^SystemMaxUse=/m);
    assert.match(await inside("cat /var/log/systemctl.log"), /^restart systemd-journald$/m);
  });

  it("the login user may use Docker", async () => {
    assert.ok((await inside("id -nG debian")).split(" ").includes("docker"));
  });

  it("docker pull asks the instance's role for the password of each ECR registry", async () => {
    const config = JSON.parse(await inside("cat /home/debian/.docker/config.json")) as {
      credHelpers: object;
    };
    assert.deepEqual(config.credHelpers, Object.fromEntries(ECR.map((registry) => [registry, "ecr-login"])));
    assert.equal(await inside("stat -c %U /home/debian/.docker/config.json"), "debian");
    assert.match(await inside("docker-credential-ecr-login -v"), /\d/);
  });
});

/** Packages come from where this machine's apt gets them: a company's mirror or proxy. */
async function aptSettings(): Promise<string> {
  const { stdout } = await run("apt-config", ["dump"]).catch(() => ({ stdout: "" }));
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("Acquire::"))
    .join("\n");
}
