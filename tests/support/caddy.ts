import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePorts } from "./ports";
import { Running, until } from "./running";

/** A real Caddy in front, with a Caddyfile of an example as it stands: only ports and the CA are its own. */
export class Caddy {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "bluegreen-caddy-"));
  private running: Running | undefined;
  /** For HTTPS. */
  port = 0;
  /** The certificate of its CA. */
  ca = "";

  /** `to`: the port that it is to ask in place of the Caddyfile's. */
  async start(caddyfile: string, to: number): Promise<void> {
    const [https, http] = await freePorts(2);
    this.port = https;
    const options = `{\nadmin off\nlocal_certs\nskip_install_trust\nhttps_port ${https}\nhttp_port ${http}\n}\n`;
    const text = readFileSync(caddyfile, "utf8").replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${to}`);
    const config = path.join(this.folder, "Caddyfile");
    writeFileSync(config, options + text);
    this.running = new Running("caddy", ["run", "--adapter", "caddyfile", "--config", config], {
      env: { ...process.env, HOME: this.folder, XDG_DATA_HOME: this.folder, XDG_CONFIG_HOME: this.folder },
    });
    await this.running.says("certificate obtained successfully");
    this.ca = readFileSync(path.join(this.folder, "caddy/pki/authorities/local/root.crt"), "utf8");
    await until(
      () => "Caddy listens",
      () => this.running?.output.includes("serving initial configuration") ?? false,
    );
  }

  async stop(): Promise<void> {
    await this.running?.kill();
    rmSync(this.folder, { recursive: true });
  }
}
