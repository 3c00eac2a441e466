import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { putInstalledPackage } from "./package";
import { TestStack, type Config } from "./stack";

export const EXAMPLES = path.resolve(__dirname, "../../examples");

export interface Options {
  /** The stack, which may have a file in the example. */
  name?: string;
  overSsh?: boolean;
  /** Where in the example the project is. */
  project?: string;
  /** A file of settings for the stack, in place of the example's. */
  settings?: string;
  /** How its configuration says ports. */
  ports?: (port: number, previewPort: number) => Config;
  /** What the ingress "web" of the example is called here: no two on a host have one name. */
  ingress?: string;
  /** Gives the project its packages. */
  install?: (folder: string) => Promise<void>;
}

/** A stack of a program in examples/, copied as it stands. Only its project gets a name of its own, so that tests don't meet. */
export class ExampleStack extends TestStack {
  constructor(
    private readonly example: string,
    config: Config,
    private readonly options: Options = {},
  ) {
    super(config, { name: options.name ?? "dev", overSsh: options.overSsh ?? false });
  }

  protected override async putProgram(): Promise<string> {
    const whatIsTriedThere = (file: string) => !/node_modules|\.tgz$|package-lock\.json$/.test(file);
    cpSync(path.join(EXAMPLES, this.example), this.root, { recursive: true, filter: whatIsTriedThere });
    const folder = path.join(this.root, this.options.project ?? "");
    const project = path.join(folder, "Pulumi.yaml");
    const [, name] = /^name: (.*)$/m.exec(readFileSync(project, "utf8")) ?? [];
    rewrite(project, /^name: .*$/m, `name: ${this.project}`);
    const settings = path.join(folder, `Pulumi.${this.name}.yaml`);
    if (this.options.settings !== undefined) cpSync(this.options.settings, settings);
    if (existsSync(settings)) rewrite(settings, new RegExp(`^ {2}${name}:`, "gm"), `  ${this.project}:`);
    const { ingress } = this.options;
    const files = ["index.ts", `Pulumi.${this.name}.yaml`].map((file) => path.join(folder, file));
    if (ingress !== undefined)
      for (const file of files) writeFileSync(file, readFileSync(file, "utf8").replace(/\bweb\b/g, ingress));
    await (this.options.install ?? putInstalledPackage)(folder);
    return folder;
  }

  protected override basics(): Config {
    const { ports = (port, previewPort) => ({ proxy: { port, previewPort } }) } = this.options;
    return ports(this.port, this.previewPort);
  }
}

function rewrite(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, "utf8");
  const rewritten = text.replace(from, to);
  if (rewritten === text) throw new Error(`${file} has no ${from.source}`);
  writeFileSync(file, rewritten);
}
