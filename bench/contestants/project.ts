import { NGINX_IMAGE, type Color } from "../../components/settings";
import type { Certificate } from "../../tests/support/certificates";
import { docker } from "../../tests/support/docker";
import { Running } from "../../tests/support/running";
import { freePorts } from "../../tests/support/ports";
import { TestStack, type Config } from "../../tests/support/stack";
import { ready, type Contestant } from "../contestant";
import { PROJECT, PROJECT_SILENT } from "../figures";
import { APP_COMMAND, APP_PORT, CPUS, HOST } from "../lab";

/** What Pulumi runs for a switch, as its state has it. */
interface SwitchCommand {
  stdin: string;
  environment: { [name: string]: string };
}

const SETTINGS = {
  activeColor: "blue",
  blueImage: NGINX_IMAGE,
  greenImage: NGINX_IMAGE,
  command: APP_COMMAND,
  containerPort: APP_PORT,
  redis: { enabled: false },
  health: { passes: 1 },
} satisfies Config;

/** The real stack, made by real updates. A second one has TLS: with it, the plain port redirects. */
export class Project {
  readonly stack = new TestStack(SETTINGS);
  private readonly secure = new TestStack(SETTINGS);

  async create({ certificate, privateKey }: Certificate, say: (what: string) => void): Promise<void> {
    for (const stack of [this.stack, this.secure]) {
      say("pulumi stack init");
      await stack.create();
      if (stack === this.secure) {
        const [port] = await freePorts(1);
        await stack.set({ tls: { names: [HOST], port }, tlsCertificate: certificate });
        await stack.setSecret("tlsPrivateKey", privateKey);
      }
      say("pulumi up: the stack is made");
      await stack.up();
      for (const role of ["edge", "proxy"] as const) await pin(stack, role, CPUS.proxy);
      // It counts the cores when it starts.
      await docker("restart", (await stack.container("proxy")).Id);
      for (const role of ["blue", "green"] as const) await pin(stack, role, CPUS.others);
    }
  }

  async remove(): Promise<void> {
    for (const stack of [this.stack, this.secure]) await stack.remove();
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
    const secureEdge = (await this.secure.container("edge")).Id;
    const secureProxy = (await this.secure.container("proxy")).Id;
    const asItIs = await ready({
      ...common,
      secure: { front: secureEdge, proxySide: [secureEdge, secureProxy] },
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

async function pin(stack: TestStack, role: "edge" | "proxy" | Color, cpus: string): Promise<void> {
  await docker("update", "--cpuset-cpus", cpus, (await stack.container(role)).Id);
}

/** The same shell with the same input that `pulumi up` starts. */
async function run({ stdin, environment }: SwitchCommand): Promise<void> {
  const env = { ...process.env, ...environment };
  const { code, output } = await new Running("sh", ["-s"], { input: stdin, env }).ended;
  if (code !== 0) throw new Error(`the switch ended with ${code}:\n${output}`);
}
