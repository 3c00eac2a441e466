import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { Running, type Ended } from "./running";

const ROOT = path.resolve(__dirname, "../..");
const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  dependencies: { [name: string]: string };
};
export const PLUGINS = ["docker", "command"].map((name) => ({
  name,
  version: dependencies[`@pulumi/${name}`],
}));

/** What set-up left in `.state/toolchain`. */
export interface Choice {
  kind: string;
  cli: string;
}

/**
 * A machine with a copy of this checkout, on which nothing is set up yet: home, cache, PATH and what can be downloaded are the
 * test's. The CLI is that of this checkout, under the name of whoever is to have it.
 */
export class Machine {
  readonly folder = mkdtempSync(path.join(tmpdir(), "bluegreen-machine-"));
  readonly root = path.join(this.folder, "checkout");
  readonly home = path.join(this.folder, "pulumi-home");
  readonly ownBin = path.join(this.folder, "own/bin");
  /** Which plugins were asked for. */
  readonly asked: string[] = [];
  private readonly server: http.Server;
  private hasOwnCli = false;
  private offered = false;
  private readonly ready: Promise<void>;

  constructor() {
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    for (const file of execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0"))
      if (file !== "" && existsSync(path.join(ROOT, file)))
        cpSync(path.join(ROOT, file), path.join(this.root, file));
    this.linkModules();
    this.server = http.createServer((request, response) => {
      const name = path.basename(request.url ?? "");
      this.asked.push(name);
      const file = path.join(this.folder, "downloads", name);
      if (this.offered && existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    this.ready = new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  remove(): void {
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** All packages are this checkout's, but `npx pulumi` is the copy's own. */
  private linkModules(): void {
    const modules = path.join(this.root, "node_modules");
    mkdirSync(path.join(modules, ".bin"), { recursive: true });
    for (const name of readdirSync(path.join(ROOT, "node_modules")))
      if (name !== "bluegreen-pulumi" && !name.startsWith("."))
        symlinkSync(path.join(ROOT, "node_modules", name), path.join(modules, name));
    symlinkSync("../scripts/launcher", path.join(modules, "bluegreen-pulumi"));
    symlinkSync("../bluegreen-pulumi/pulumi", path.join(modules, ".bin/pulumi"));
    symlinkSync("../node/bin/node", path.join(modules, ".bin/node"));
  }

  // --- what the machine has

  /** A CLI with its language host in this folder. */
  private putCli(bin: string): void {
    mkdirSync(bin, { recursive: true });
    const real = realpathSync(path.join(ROOT, ".state/toolchain/bin"));
    for (const name of ["pulumi", "pulumi-language-nodejs"])
      writeFileSync(path.join(bin, name), `#!/bin/sh\nexec '${path.join(real, name)}' "$@"\n`, {
        mode: 0o755,
      });
  }

  putOwnCli(): void {
    this.putCli(this.ownBin);
    this.hasOwnCli = true;
  }

  /** As if it had been downloaded, or built, by an earlier run. */
  putCachedCli(kind: "official" | "built"): void {
    const [file, name] =
      kind === "official"
        ? ["scripts/setup/pulumi.mjs", "officialBin"]
        : ["offline/toolchain.mjs", "offlineBin"];
    const url = JSON.stringify(path.join(this.root, file));
    const print = `import(${url}).then((module) => process.stdout.write(module.${name}))`;
    this.putCli(execFileSync(process.execPath, ["-e", print], { env: this.env, encoding: "utf8" }));
  }

  /** Plugins that tell where they were started from, and then are the stand-ins: what is real in them is their place. */
  private plugin(name: string): string {
    return `#!/bin/sh\necho "$0" >>'${this.folder}/started'\nexec '${ROOT}/offline/plugins/bin/pulumi-resource-${name}' "$@"\n`;
  }

  installPlugins(): void {
    for (const { name, version } of PLUGINS) {
      const folder = path.join(this.home, `plugins/resource-${name}-v${version}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, `pulumi-resource-${name}`), this.plugin(name), { mode: 0o755 });
    }
  }

  /** From now on they can be downloaded. */
  offerPlugins(): void {
    const downloads = path.join(this.folder, "downloads");
    mkdirSync(downloads);
    const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
    for (const { name, version } of PLUGINS) {
      const file = `pulumi-resource-${name}`;
      writeFileSync(path.join(this.folder, file), this.plugin(name), { mode: 0o755 });
      const archive = path.join(downloads, `${file}-v${version}-${platform}.tar.gz`);
      execFileSync("tar", ["-czf", archive, "-C", this.folder, file]);
    }
    this.offered = true;
  }

  // --- what is run on it

  private get env(): NodeJS.ProcessEnv {
    const isFree = (folder: string) => folder !== "" && !existsSync(path.join(folder, "pulumi"));
    const others = (process.env.PATH ?? "").split(path.delimiter).filter(isFree);
    const { port } = (this.server.address() ?? { port: 1 }) as { port: number };
    return {
      PATH: [...(this.hasOwnCli ? [this.ownBin] : []), path.dirname(process.execPath), ...others].join(
        path.delimiter,
      ),
      HOME: path.join(this.folder, "home"),
      PULUMI_HOME: this.home,
      BLUEGREEN_CACHE: path.join(this.folder, "cache"),
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES: `.*=http://127.0.0.1:${port}`,
    };
  }

  /** Set-up's part for Pulumi, where get.pulumi.com is not reached. */
  async setUp(): Promise<{ output: string; choice: Choice }> {
    await this.ready;
    const alone = 'globalThis.fetch = async () => { throw new Error("not reached") };';
    const url = JSON.stringify(path.join(this.root, "scripts/setup/pulumi.mjs"));
    const script = `${alone} import(${url}).then((module) => module.ensurePulumi());`;
    const { code, output } = await new Running(process.execPath, ["-e", script], { env: this.env }).ended;
    if (code !== 0) throw new Error(`set-up failed with exit code ${code}:\n${output}`);
    const toolchain = path.join(this.root, ".state/toolchain");
    return {
      output,
      choice: {
        kind: readFileSync(path.join(toolchain, "kind"), "utf8").trim(),
        cli: readlinkSync(path.join(toolchain, "bin")),
      },
    };
  }

  /** `npx pulumi …` as its user types it. */
  npxPulumi(...args: string[]): Promise<Ended> {
    return new Running("npx", ["--no-install", "pulumi", ...args], { cwd: this.root, env: this.env }).ended;
  }

  /** Where the plugins were started from. */
  get started(): string[] {
    const file = path.join(this.folder, "started");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }
}
