import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { LEGO_IMAGE } from "../../components/settings";
import { TestCa } from "./certificates";
import { docker } from "./docker";

const tags = JSON.parse(readFileSync(path.resolve(__dirname, "../../offline/acme/tags.json"), "utf8")) as {
  lego: string;
  pebble: string;
};
assert.equal(tags.lego, LEGO_IMAGE, "the client that is tested is the one that is the default");

/**
 * An ACME server for tests, https://pebble:14000/dir in a network of its own, and an image of the client that trusts it. It
 * really asks for its challenges, at the given port of this machine.
 */
export class Pebble {
  private readonly prefix = `bgpebble-${randomBytes(4).toString("hex")}`;
  private readonly folder = mkdtempSync(path.join(tmpdir(), "bluegreen-pebble-"));
  private readonly ca = new TestCa();
  readonly network = this.prefix;
  readonly clientImage = `${this.prefix}:1`;
  readonly directory = "https://pebble:14000/dir";

  async create(names: string[], httpPort: number, validitySeconds: number): Promise<void> {
    await docker("network", "create", this.network);
    const { certificate, privateKey } = this.ca.issue(["pebble"]);
    this.write("cert.pem", certificate);
    this.write("key.pem", privateKey);
    this.write("ca.pem", this.ca.certificate);
    this.write(
      "config.json",
      JSON.stringify({
        pebble: {
          listenAddress: "0.0.0.0:14000",
          managementListenAddress: "0.0.0.0:15000",
          certificate: "/pebble/cert.pem",
          privateKey: "/pebble/key.pem",
          httpPort,
          profiles: { default: { description: "the only one", validityPeriod: validitySeconds } },
        },
      }),
    );
    await docker(
      ...["run", "--detach", "--name", this.prefix, "--network", this.network, "--network-alias", "pebble"],
      ...names.flatMap((name) => ["--add-host", `${name}:host-gateway`]),
      ...["--env", "PEBBLE_VA_NOSLEEP=1", "--volume", `${this.folder}:/pebble:ro`],
      ...[tags.pebble, "-config", "/pebble/config.json"],
    );
    this.write("Dockerfile", `FROM ${LEGO_IMAGE}\nCOPY ca.pem /ca.pem\nENV LEGO_CA_CERTIFICATES=/ca.pem\n`);
    await docker("build", "--quiet", "--tag", this.clientImage, this.folder);
  }

  async remove(): Promise<void> {
    await docker("rm", "--force", this.prefix);
    await docker("image", "rm", "--force", this.clientImage);
    await docker("network", "rm", this.network);
    rmSync(this.folder, { recursive: true });
    this.ca.remove();
  }

  private write(file: string, text: string): void {
    writeFileSync(path.join(this.folder, file), text);
  }
}
