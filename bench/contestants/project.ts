import type { Certificate } from "../../tests/support/certificates";
import { NGINX_IMAGE, type Color } from "../../components/settings";
import { docker } from "../../tests/support/docker";
import { freePorts } from "../../tests/support/ports";
import { Running } from "../../tests/support/running";
import { TestStack } from "../../tests/support/stack";
import { ready, type Contestant, type Front } from "../contestant";
import { PROJECT, PROJECT_SILENT } from "../figures";
import { APP_COMMAND, APP_PORT, CPUS, TLS_NAME } from "../lab";

/** What Pulumi runs for a switch, as its state has it. */
export interface SwitchCommand {
  stdin: string;
  environment: { [name: string]: string };
}

export const SETTINGS = {
  activeColor: "blue",
  blue: { image: NGINX_IMAGE },
  green: { image: NGINX_IMAGE },
  command: APP_COMMAND,
  containerPort: APP_PORT,
  redis: { enabled: false },
  health: { passes: 1 },
};

/** Two real stacks, made by real updates: with TLS, the plain port only redirects. */
export class Project {
  readonly stack = new TestStack(SETTINGS);
  private readonly secure = new TestStack(SETTINGS);

  constructor(private readonly certificate: Certificate) {}

  async create(say: (what: string) => void): Promise<void> {
    for (const stack of [this.stack, this.secure]) {
      say("pulumi stack init");
      await stack.create();
      if (stack === this.secure) await this.addTls();
      say("pulumi up: the stack is made");
      await stack.up();
      for (const role of ["blue", "green"] as const) await pin(stack, role, CPUS.others);
      for (const role of ["edge", "proxy"] as const) await pin(stack, role, CPUS.proxy);
      // Only now it can know of its cores.
      const proxy = (await stack.container("proxy")).Id;
      await docker("exec", proxy, "sh", "-c", ". /bluegreen/nginx.sh && set_listeners open && reload");
    }
  }

  async remove(): Promise<void> {
    try {
      await this.stack.remove();
    } finally {
      await this.secure.remove();
    }
  }

  private async addTls(): Promise<void> {
    const [port] = await freePorts(1);
    await this.secure.set({ tls: { names: [TLS_NAME], port, certificate: this.certificate.certificate } });
    await this.secure.setSecret("tls.privateKey", this.certificate.privateKey);
  }

  /** As a contestant, in two forms: with the defaults, and without the log of requests. */
  async contestants(say: (what: string) => void): Promise<[Contestant, Contestant]> {
    const plain = await switchesOf(this.stack, say);
    const secure = await switchesOf(this.secure, say);
    const fronts = {
      http: await frontOf(this.stack, 80),
      https: await frontOf(this.secure, 443),
      loadCpus: CPUS.others,
    };
    const asItIs = await ready({
      ...fronts,
      name: PROJECT,
      prepare: async () => {
        await run(plain.blue);
        await run(secure.blue);
      },
      flip: (to) => run(plain[to]),
    });
    const prepare = async () => {
      await run(plain.silent);
      await run(secure.silent);
    };
    return [asItIs, { ...fronts, name: PROJECT_SILENT, prepare }];
  }
}

async function pin(stack: TestStack, role: "edge" | "proxy" | Color, cpus: string): Promise<void> {
  await docker("update", "--cpuset-cpus", cpus, (await stack.container(role)).Id);
}

async function frontOf(stack: TestStack, port: number): Promise<Front> {
  const edge = (await stack.container("edge")).Id;
  return { container: edge, port, proxySide: [edge, (await stack.container("proxy")).Id] };
}

/** What leads to each state, asked of real updates. */
async function switchesOf(stack: TestStack, say: (what: string) => void) {
  const { blue, green } = await flipsOf(stack, say);
  const silent = await switchAfter(stack, { proxy: { accessLog: false } }, say);
  await switchAfter(stack, { proxy: { accessLog: true } }, say);
  return { blue, green, silent };
}

/** The switch to each color; blue is live, and is so at the end. */
export async function flipsOf(
  stack: TestStack,
  say: (what: string) => void,
): Promise<Record<Color, SwitchCommand>> {
  const green = await switchAfter(stack, { activeColor: "green" }, say);
  return { green, blue: await switchAfter(stack, { activeColor: "blue" }, say) };
}

async function switchAfter(
  stack: TestStack,
  config: Parameters<TestStack["set"]>[0],
  say: (what: string) => void,
): Promise<SwitchCommand> {
  say(`pulumi up: ${JSON.stringify(config)}`);
  await stack.set(config);
  await stack.up();
  return switchOf(stack);
}

async function switchOf(stack: TestStack): Promise<SwitchCommand> {
  const { deployment } = JSON.parse(await stack.export()) as {
    deployment: { resources: { urn: string; inputs: SwitchCommand }[] };
  };
  const found = deployment.resources.find(({ urn }) => urn.endsWith("::service-switch"));
  if (found === undefined) throw new Error("the stack's state has no switch");
  return found.inputs;
}

/** The same shell with the same input that `pulumi up` starts. */
export async function run({ stdin, environment }: SwitchCommand): Promise<void> {
  const env = { ...process.env, ...environment };
  const { code, output } = await new Running("sh", ["-s"], { input: stdin, env }).ended;
  if (code !== 0) throw new Error(`the switch ended with ${code}:\n${output}`);
}
