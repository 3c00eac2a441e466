import { NGINX_IMAGE, type Color } from "../../components/settings";
import { docker } from "../../tests/support/docker";
import { Running } from "../../tests/support/running";
import { TestStack } from "../../tests/support/stack";
import { ready, type Contestant } from "../contestant";
import { PROJECT, PROJECT_SILENT } from "../figures";
import { APP_COMMAND, APP_PORT, CPUS } from "../lab";

/** What Pulumi runs for a switch, as its state has it. */
interface SwitchCommand {
  stdin: string;
  environment: { [name: string]: string };
}

/** The real stack, made by real updates. */
export class Project {
  readonly stack = new TestStack({
    activeColor: "blue",
    blueImage: NGINX_IMAGE,
    greenImage: NGINX_IMAGE,
    command: APP_COMMAND,
    containerPort: APP_PORT,
    redis: { enabled: false },
    health: { passes: 1 },
  });

  async create(say: (what: string) => void): Promise<void> {
    say("pulumi stack init");
    await this.stack.create();
    say("pulumi up: the stack is made");
    await this.stack.up();
    for (const role of ["edge", "proxy"] as const) await this.pin(role, CPUS.proxy);
    for (const role of ["blue", "green"] as const) await this.pin(role, CPUS.others);
  }

  private async pin(role: "edge" | "proxy" | Color, cpus: string): Promise<void> {
    await docker("update", "--cpuset-cpus", cpus, (await this.stack.container(role)).Id);
  }

  /** As a contestant, in two forms: with the defaults, and without the log of requests. */
  async contestants(say: (what: string) => void): Promise<[Contestant, Contestant]> {
    const switches = {
      blue: await this.switchCommand(),
      green: await this.afterUp(say, { activeColor: "green" }),
    };
    const silent = await this.afterUp(say, { activeColor: "blue", proxy: { accessLog: false } });
    await this.afterUp(say, { proxy: { accessLog: true } });
    const edge = (await this.stack.container("edge")).Id;
    const proxy = (await this.stack.container("proxy")).Id;
    const common = { front: edge, port: 80, proxySide: [edge, proxy], loadCpus: CPUS.others };
    const asItIs = await ready({
      ...common,
      name: PROJECT,
      prepare: () => run(switches.blue),
      flip: (to) => run(switches[to]),
    });
    return [asItIs, { ...common, name: PROJECT_SILENT, prepare: () => run(silent) }];
  }

  private async afterUp(say: (what: string) => void, config: Parameters<TestStack["set"]>[0]) {
    say(`pulumi up: ${JSON.stringify(config)}`);
    await this.stack.set(config);
    await this.stack.up();
    return this.switchCommand();
  }

  private async switchCommand(): Promise<SwitchCommand> {
    const { deployment } = JSON.parse(await this.stack.export()) as {
      deployment: { resources: { urn: string; inputs: SwitchCommand }[] };
    };
    const found = deployment.resources.find(({ urn }) => urn.endsWith("::service-switch"));
    if (found === undefined) throw new Error("the stack's state has no switch");
    return found.inputs;
  }
}

/** The same shell with the same input that `pulumi up` starts. */
async function run({ stdin, environment }: SwitchCommand): Promise<void> {
  const env = { ...process.env, ...environment };
  const { code, output } = await new Running("sh", ["-s"], { input: stdin, env }).ended;
  if (code !== 0) throw new Error(`the switch ended with ${code}:\n${output}`);
}
