import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import path from "node:path";
import { docker } from "../tests/support/docker";
import type { Contestant } from "./contestant";
import { appAlone, bareNginx, loggingNginx, sedAndReload, stopAndStart } from "./contestants/nginx";
import { caddy, haproxy, kamalProxy, traefik, type Peer } from "./contestants/peers";
import { Project } from "./contestants/project";
import {
  BUSY,
  LOADS,
  PROJECT,
  type LoadName,
  type Figures,
  type Occasion,
  type ServicesFigures,
  type Turn,
} from "./figures";
import { Lab } from "./lab";
import { flipping, throughput } from "./measure";
import { printFigures, printServices, writeDocuments, writeServices } from "./report";
import { SharedIngress } from "./services";
import { timedUpdate, type Update } from "./updates";

/** What bench.mjs passes. */
interface Options {
  quick: boolean;
  only?: "services";
  rounds: number;
  flips: number;
  binaries: { [name: string]: string | undefined };
}

const PEERS: { [name: string]: Peer } = { "kamal-proxy": kamalProxy, haproxy, caddy, traefik };

class Run {
  private readonly lab = new Lab();
  private readonly project = new Project(this.lab.tls);
  private readonly sharedIngress = new SharedIngress(this.lab);
  private readonly absent: string[] = [];
  private readonly interruption = new AbortController();
  private readonly started = performance.now();
  private readonly wrkSeconds: number;
  private readonly steadySeconds: number;

  constructor(private readonly options: Options) {
    this.wrkSeconds = options.quick ? 1 : 3;
    this.steadySeconds = options.quick ? 1 : 3;
  }

  async measure(): Promise<Figures> {
    const occasion = await this.occasion();
    await this.lab.create();
    const contestants = await this.contestants();
    const turns = new Map<string, Turn[]>(contestants.map(({ name }) => [name, []]));
    const updates: Figures["updates"] = [];
    for (let round = 1; round <= this.options.rounds; round++) {
      // Each round begins with another one, so that nobody is always measured first.
      const from = (round - 1) % contestants.length;
      for (const contestant of [...contestants.slice(from), ...contestants.slice(0, from)]) {
        const say = (what: string) =>
          this.say(`round ${round} of ${this.options.rounds}: ${contestant.name}: ${what}`);
        turns.get(contestant.name)?.push(await this.turn(contestant, say));
      }
      updates.push(await this.updates(contestants, round));
    }
    return {
      ...occasion,
      wrk: wrkVersion(),
      services: await this.services(occasion),
      toolchain: readFileSync(path.join(__dirname, "../.state/toolchain/kind"), "utf8").trim(),
      wrkSeconds: this.wrkSeconds,
      turns,
      updates,
      absent: this.absent,
    };
  }

  async services(occasion?: Occasion): Promise<ServicesFigures> {
    const say = (what: string) => this.say(`services on one ingress: ${what}`);
    const figures: ServicesFigures = { ...(occasion ?? (await this.occasion())), turns: [] };
    await this.sharedIngress.create(say);
    for (let round = 1; round <= this.options.rounds; round++)
      figures.turns.push(await this.sharedIngress.turn(this.options.flips, say));
    return figures;
  }

  private async occasion(): Promise<Occasion> {
    const [loadBefore] = loadavg();
    if (loadBefore > BUSY)
      this.say(
        `The load average is ${loadBefore.toFixed(1)}: something else is using this machine, so expect a wide spread.`,
      );
    return { date: new Date(), machine: await machine(), loadBefore };
  }

  /** Ends the run with its next step, so that nothing is made any more while what was made is removed. */
  interrupt(signal: string): void {
    this.interruption.abort(new Error(`interrupted by ${signal}`));
  }

  async remove(): Promise<void> {
    console.log("Removing what was made.");
    try {
      await this.sharedIngress.remove();
    } finally {
      try {
        await this.project.remove();
      } finally {
        await this.lab.remove();
      }
    }
  }

  private async contestants(): Promise<Contestant[]> {
    const { lab } = this;
    this.say("containers of the others");
    const apps = await lab.apps("app");
    await docker("start", apps.blue, apps.green);
    const found = [await appAlone(apps), await bareNginx(lab, apps), await loggingNginx(lab, apps)];
    await this.project.create((what) => this.say(what));
    found.push(...(await this.project.contestants((what) => this.say(what))));
    found.push(await sedAndReload(lab, apps), await stopAndStart(lab));
    for (const [name, peer] of Object.entries(PEERS)) {
      const binary = this.options.binaries[name];
      if (binary === undefined) this.absent.push(`${name}: not installed (\`--${name}=BINARY\` names it)`);
      else found.push(await peer(lab, apps, binary));
    }
    return found;
  }

  private async turn(contestant: Contestant, say: (what: string) => void): Promise<Turn> {
    const { lab, wrkSeconds } = this;
    await contestant.prepare?.();
    const loads: Turn["loads"] = {};
    for (const name of Object.keys(LOADS) as LoadName[]) {
      const measured = await throughput(lab, contestant, LOADS[name], wrkSeconds);
      if (measured === undefined) continue;
      const { protocol, connections } = LOADS[name];
      const { perSecond, failed } = measured;
      const failures = failed > 0 ? `, and ${failed} failed` : "";
      say(`${protocol}, ${connections} connections: ${Math.round(perSecond)} requests/s${failures}`);
      loads[name] = measured;
    }
    const { proxySide } = contestant.http;
    const residentMb = proxySide.length > 0 ? await lab.residentMb(proxySide) : undefined;
    const { flip } = contestant;
    const flips =
      flip && (await flipping({ ...contestant, flip }, this.options.flips, this.steadySeconds, say));
    return { loads, flips, residentMb };
  }

  private async updates(contestants: Contestant[], round: number): Promise<{ same: Update; flip: Update }> {
    const { stack } = this.project;
    // What Pulumi's state says is live.
    for (const { name, prepare } of contestants) if (name === PROJECT) await prepare?.();
    const update = (what: string) => {
      this.say(`round ${round} of ${this.options.rounds}: pulumi up: ${what}`);
      return timedUpdate(stack, path.join(this.lab.folder, "trace.json"));
    };
    const same = await update("nothing to do");
    await stack.set({ activeColor: "green" });
    const flip = await update("a flip");
    await stack.set({ activeColor: "blue" });
    this.say(`round ${round} of ${this.options.rounds}: pulumi up: back`);
    await stack.up();
    return { same, flip };
  }

  private say(what: string): void {
    this.interruption.signal.throwIfAborted();
    const seconds = Math.round((performance.now() - this.started) / 1000);
    console.log(`${String(seconds).padStart(5)} s  ${what}`);
  }
}

async function machine(): Promise<string> {
  const [{ model }, ...others] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const engine = await docker("version", "--format", "{{.Server.Version}}");
  return `${others.length + 1} cores of ${model}, ${memory} GB, Linux ${release()}, Docker ${engine}`;
}

const wrkVersion = () =>
  execFileSync("sh", ["-c", "wrk -v 2>&1 | head -n 1 | cut -d ' ' -f 1,2"], { encoding: "utf8" }).trim();

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2]) as Options;
  const run = new Run(options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => run.interrupt(signal));
  const tell = async <F>(figures: F, print: (figures: F) => unknown, write: (figures: F) => unknown) => {
    await print(figures);
    if (options.quick) console.log("A short run: docs/benchmarks.md is left as it is.");
    else await write(figures);
  };
  try {
    if (options.only === "services") await tell(await run.services(), printServices, writeServices);
    else await tell(await run.measure(), printFigures, writeDocuments);
  } catch (error) {
    // Now, since the removal of what a failed run has left may fail too.
    tellError(error);
  } finally {
    await run.remove();
  }
}

function tellError(error: unknown): void {
  console.error(error instanceof Error ? `\n${error.stack ?? error.message}` : error);
  process.exitCode = 1;
}

main().catch(tellError);
