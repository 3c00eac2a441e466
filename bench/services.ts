import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Color } from "../components/settings";
import { dockerLines } from "../tests/support/docker";
import { until } from "../tests/support/running";
import { TestStack } from "../tests/support/stack";
import { flipsOf, run, SETTINGS, type SwitchCommand } from "./contestants/project";
import type { Lab } from "./lab";
import { timedUpdate } from "./updates";

/** How many share an ingress in the end. */
export const SERVICES = 20;

/** What a round gave for the one service: while it is alone on its ingress, and while it is one of many. */
export type ServicesTurn = Record<"alone" | "among", Cost>;

interface Cost {
  /** The script that `pulumi up` runs. */
  switchMs: number[];
  /** The whole `pulumi up`. */
  updateSeconds: number[];
  /** Edge and nginx. */
  residentMb: number;
}

/** The further services: one stack, so that the one that is flipped has as many resources as if it were alone. */
class Others extends TestStack {
  protected override async putProgram(): Promise<string> {
    const folder = await super.putProgram();
    writeFileSync(path.join(folder, "index.ts"), PROGRAM);
    return folder;
  }
  /** The ports are the ingress's. */
  protected override basics() {
    return { stopGraceSeconds: 2 };
  }
}

const PROGRAM = `import { BlueGreenService, readConfig } from "./components";
for (let i = 2; i <= ${SERVICES}; i++)
  new BlueGreenService(\`service\${i}\`, { ...readConfig(), hosts: [\`service\${i}.localhost\`] });
`;

/** Two real stacks of one service each. The ingress of one of them gets further services. */
export class SharedIngress {
  private readonly stacks = { alone: new TestStack(SETTINGS), among: new TestStack(SETTINGS) };
  private readonly others = new Others({
    ...SETTINGS,
    ingress: `${this.stacks.among.project}-${this.stacks.among.name}-service`,
  });
  private switches?: Record<keyof ServicesTurn, Record<Color, SwitchCommand>>;

  constructor(private readonly lab: Lab) {}

  async create(say: (what: string) => void): Promise<void> {
    const { alone, among } = this.stacks;
    for (const stack of [alone, among]) {
      await stack.create();
      say("pulumi up: a stack of one service");
      await stack.up();
    }
    await this.others.create();
    say(`pulumi up: ${SERVICES - 1} further services`);
    await this.others.up();
    this.switches = { alone: await flipsOf(alone, say), among: await flipsOf(among, say) };
  }

  async remove(): Promise<void> {
    try {
      await this.others.remove();
    } finally {
      try {
        await this.stacks.among.remove();
      } finally {
        await this.stacks.alone.remove();
      }
    }
  }

  /** Each flip of the one comes beside one of the other. Blue is live at the end. */
  async turn(flips: number, say: (what: string) => void): Promise<ServicesTurn> {
    const { switches } = this;
    if (switches === undefined) throw new Error("create() comes first");
    const turn: ServicesTurn = {
      alone: { switchMs: [], updateSeconds: [], residentMb: 0 },
      among: { switchMs: [], updateSeconds: [], residentMb: 0 },
    };
    let count = 0;
    const ofEach = async (what: (name: keyof ServicesTurn, to: Color) => Promise<unknown>) => {
      for (const to of ["green", "blue"] as const) {
        const names = ["alone", "among"] as const;
        for (const name of count++ % 2 === 0 ? names : names.toReversed()) await what(name, to);
      }
    };
    say(`${flips} flips of a service that is alone, and of one among ${SERVICES}`);
    for (let i = 0; i < flips; i += 2)
      await ofEach(async (name, to) => {
        const started = performance.now();
        await run(switches[name][to]);
        turn[name].switchMs.push(performance.now() - started);
      });
    await ofEach(async (name, to) => {
      say(`pulumi up: a flip of the one that is ${name}`);
      await this.stacks[name].set({ activeColor: to });
      const trace = path.join(this.lab.folder, "trace.json");
      turn[name].updateSeconds.push((await timedUpdate(this.stacks[name], trace)).seconds);
    });
    for (const name of ["alone", "among"] as const)
      turn[name].residentMb = await this.residentMb(this.stacks[name]);
    return turn;
  }

  private async residentMb(stack: TestStack): Promise<number> {
    const containers = [(await stack.container("edge")).Id, (await stack.container("proxy")).Id];
    await until(
      () => "no old worker is left",
      async () => {
        const processes = containers.map((id) => dockerLines("top", id, "-o", "pid,args"));
        return !(await Promise.all(processes)).flat().some((line) => line.includes("is shutting down"));
      },
    );
    return this.lab.residentMb(containers);
  }
}
