import type { Command } from "commander";
import { Failure } from "./failure";
import { capture, show } from "./run";
import { readServices } from "./services";
import type { Service } from "./report";

/** What people type for the Pulumi command line. A checkout of this project has one of its own. */
export const PULUMI = process.env.BLUEGREEN_PULUMI ?? "pulumi";

/** Which stack a command is about. */
export interface WhichStack {
  stack?: string;
  /** The folder of its program. */
  cwd: string;
}

export function stackCommand(program: Command, usage: string, what: string): Command {
  return program
    .command(usage)
    .description(what)
    .option("-s, --stack <name>", "another stack than the selected one")
    .option("-C, --cwd <folder>", "the folder of the Pulumi program", ".");
}

const named = ({ stack }: WhichStack) => (stack === undefined ? [] : ["--stack", stack]);

/** Every BlueGreenService of the stack. */
export async function servicesOf(which: WhichStack): Promise<Service[]> {
  const exported = await ask(which, ["stack", "export", "--non-interactive"]);
  if (!exported.ok)
    throw new Failure(
      `The stack's state can't be read. Nothing was changed.\n${exported.stderr.trim()}\nName a stack with \`-s STACK\`, or select one: \`${PULUMI} stack select\`.`,
    );
  const services = readServices(JSON.parse(exported.stdout));
  if (services.length === 0)
    throw new Failure(
      `The stack has no BlueGreenService: \`${PULUMI} up\` makes it. What a host has of others: \`npx bluegreen status --host\`. Nothing was changed.`,
    );
  return services;
}

/** The one service of the stack, or the one of that name. */
export async function oneService(which: WhichStack, name: string | undefined): Promise<Service> {
  const services = await servicesOf(which);
  const names = services.map((service) => service.name).join(", ");
  const found = name === undefined ? services : services.filter((service) => service.name === name);
  if (found.length === 1) return found[0];
  throw new Failure(
    name === undefined
      ? `The stack has several services. Name one with \`--service NAME\`: ${names}. Nothing was changed.`
      : `The stack has no service ${name}. It has: ${names}. Nothing was changed.`,
  );
}

/** Asks the Pulumi command line, quietly. */
export const ask = (which: WhichStack, args: string[]) =>
  capture("pulumi", [...args, ...named(which)], { cwd: which.cwd });

/** Runs it at this terminal: it shows its plan there, and asks. */
export const run = (which: WhichStack, args: string[]) =>
  show("pulumi", [...args, ...named(which)], { cwd: which.cwd });
