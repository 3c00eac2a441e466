import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker } from "./docker";
import { freePorts } from "./ports";
import { Running, until } from "./running";

/**
 * A real registry on this machine that takes nobody without a password. Docker talks plain HTTP to it, as to every registry
 * on the loopback address.
 */
export class Registry {
  readonly username = "bot";
  readonly password = "planted-registry-password";
  address = "";
  private folder = "";
  private server: Running | undefined;

  async start(): Promise<void> {
    const [port] = await freePorts(1);
    this.address = `127.0.0.1:${port}`;
    this.folder = mkdtempSync(path.join(tmpdir(), "bluegreen-registry-"));
    const passwords = new Running("htpasswd", ["-niB", this.username], { input: this.password });
    this.write("passwords", (await passwords.ended).output);
    this.write(
      "config.yml",
      JSON.stringify({
        version: "0.1",
        log: { accesslog: { disabled: true }, level: "error" },
        storage: {
          filesystem: { rootdirectory: path.join(this.folder, "images") },
        },
        http: { addr: this.address },
        auth: { htpasswd: { realm: "test", path: path.join(this.folder, "passwords") } },
      }),
    );
    this.server = new Running("docker-registry", ["serve", path.join(this.folder, "config.yml")]);
    await until(
      () => `the registry answers, not only says:\n${this.server?.output}`,
      () =>
        fetch(`http://${this.address}/v2/`).then(
          ({ status }) => status === 401,
          () => false,
        ),
    );
    const auth = Buffer.from(`${this.username}:${this.password}`).toString("base64");
    this.write("docker/config.json", JSON.stringify({ auths: { [this.address]: { auth } } }));
  }

  async stop(): Promise<void> {
    await this.server?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Gives an image of this machine a name in the registry, and takes it away from the machine under that name. */
  async push(image: string, name: string): Promise<string> {
    const tag = `${this.address}/${name}`;
    await docker("tag", image, tag);
    await docker("--config", path.join(this.folder, "docker"), "push", "--quiet", tag);
    await docker("image", "rm", tag);
    return tag;
  }

  private write(name: string, text: string): void {
    const file = path.join(this.folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export function useRegistry(): Registry {
  const registry = new Registry();
  before(() => registry.start());
  after(() => registry.stop());
  return registry;
}
