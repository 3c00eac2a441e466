import { existsSync, readFileSync, rmSync } from "node:fs";
import type { TestStack } from "../tests/support/stack";

/** How long the parts of a `pulumi up` took, in ms, by name; in the order in which they happen. */
export type Profile = { [part in keyof typeof PARTS]: number };

export interface Update {
  seconds: number;
  profile: Profile;
}

export const PARTS = {
  cli: "The CLI starts, reads the state and derives the key of its secrets (PBKDF2, a million rounds)",
  host: "The language host starts and looks for the SDK, with two short runs of Node.js",
  sdk: "Node.js starts; the SDK and the TypeScript compiler are loaded",
  program: "The program is compiled and loaded, with the SDKs of Docker and of commands",
  plugins: "The plugins start, while resources wait for them",
  gate: "The switch runs: gate, commit, reload",
  resources: "The resources are compared with the state",
  end: "Node.js, plugins and CLI end, and the state is written",
} as const;

/** Runs `pulumi up` with OpenTelemetry traces on: they say where its time goes. */
export async function timedUpdate(stack: TestStack, trace: string): Promise<Update> {
  rmSync(trace, { force: true });
  const started = performance.now();
  await stack.up("--otel-traces", `file://${trace}`);
  const seconds = (performance.now() - started) / 1000;
  if (!existsSync(trace)) throw new Error(`pulumi up wrote no traces to ${trace}`);
  return { seconds, profile: profileOf(readFileSync(trace, "utf8")) };
}

interface Span {
  name: string;
  start: number;
  end: number;
}

function profileOf(trace: string): Profile {
  const spans = trace.split("\n").filter(Boolean).flatMap(spansOf);
  const named = (name: string) => spans.filter((span) => span.name === name);
  const one = (name: string) => {
    const [found] = named(name);
    if (found === undefined)
      throw new Error(`the traces of pulumi up have no ${name}: another version of the CLI?`);
    return found;
  };
  const whole = one("pulumi");
  const plan = one("pulumi-plan");
  const node = one("execNodejs");
  // The first registers the stack before the program is loaded, all others come from the program.
  const [stack, ...resources] = named("pulumirpc.ResourceMonitor/RegisterResource").sort(
    (a, b) => a.start - b.start,
  );
  const [firstResource] = resources;
  const lastResource = Math.max(...resources.map(({ end }) => end));
  // The first plugin that is started twice is the language host itself.
  const plugins = covered(named("newPlugin").filter(({ start }) => start > firstResource.start));
  const gate = covered(named("pulumirpc.ResourceProvider/Create"));
  return {
    cli: plan.start - whole.start,
    host: node.start - plan.start,
    sdk: stack.start - node.start,
    program: firstResource.start - stack.start,
    plugins,
    gate,
    resources: lastResource - firstResource.start - plugins - gate,
    end: whole.end - lastResource,
  };
}

/** How much time at least one of the spans takes. */
function covered(spans: Span[]): number {
  let [total, until] = [0, 0];
  for (const { start, end } of spans.sort((a, b) => a.start - b.start)) {
    total += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return total;
}

interface TraceLine {
  resourceSpans: {
    scopeSpans: { spans: { name: string; startTimeUnixNano: string; endTimeUnixNano: string }[] }[];
  }[];
}

function spansOf(line: string): Span[] {
  const ms = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1000n) / 1000;
  return (JSON.parse(line) as TraceLine).resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ name, startTimeUnixNano, endTimeUnixNano }) => ({
      name,
      start: ms(startTimeUnixNano),
      end: ms(endTimeUnixNano),
    }));
}
