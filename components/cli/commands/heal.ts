import type { Command } from "commander";
import { confirm, refuseWithoutTerminal } from "../confirm";
import { dockerOn } from "../docker";
import { Failure, say } from "../failure";
import { look, whatIsServed, type Found } from "../look";
import type { Report, Service } from "../report";
import { PULUMI, run, stackCommand, type WhichStack } from "../stack";
import { inWords } from "../words";

export function registerHeal(program: Command): void {
  stackCommand(
    program,
    "heal",
    "makes what is served the same again as the stack's program and configuration say; asks before it does",
  )
    .option("-y, --yes", "does it without asking")
    .action(heal);
}

interface Options extends WhichStack {
  yes?: boolean;
}
interface Start {
  service: Service;
  command: string;
  name: string;
}

async function heal({ yes = false, ...which }: Options): Promise<void> {
  const found = await look(which);
  print(found);
  if (found.every(({ report }) => report.inOrder)) return say("Nothing to heal");

  const drifted = found.filter(({ report }) => !report.inOrder);
  const starts = drifted.flatMap(({ service, report }) => toStart(service, report));
  if (!yes) await askFirst(starts);
  for (const one of starts) await start(one);
  await update(drifted, which, yes);

  const after = await look(which);
  print(after);
  if (after.some(({ report }) => !report.inOrder)) process.exitCode = 2;
}

function print(found: Found[]): void {
  console.log(found.map(({ report }) => inWords(report)).join("\n\n"));
}

/** Pulumi asks before the update. What is done before that is asked for here. */
async function askFirst(starts: Start[]): Promise<void> {
  if (starts.length === 0) return refuseWithoutTerminal("heal");
  const commands = starts.map(({ command, name }) => `  docker ${command} ${name}\n`).join("");
  await confirm(
    `First, at once:\n${commands}Then pulumi up, which shows what it would do and asks again. Go on?`,
    "heal",
  );
}

/**
 * What is only stopped is served from again in a second, and Pulumi would replace an edge or an nginx that does not run.
 * An idle color may be stopped by setting; the switch starts it where it should run.
 */
function toStart(service: Service, { live, containers }: Report): Start[] {
  const isServed = (name: string) =>
    name === live?.container || live?.peers.some(({ container }) => container === name);
  const inOrder = ["redis", "edge", "proxy", "blue", "green"].flatMap((role) =>
    containers.filter((container) => container.role === role),
  );
  return inOrder.flatMap(({ role, name, status }) => {
    const command = { created: "start", exited: "start", paused: "unpause" }[status ?? ""];
    if (command === undefined || (["blue", "green"].includes(role) && !isServed(name))) return [];
    return [{ service, command, name }];
  });
}

async function start({ service, command, name }: Start): Promise<void> {
  say(`docker ${command} ${name}`);
  const { ok, stderr } = await dockerOn(service, [command, name]);
  if (!ok) say(`It did not start, so Pulumi has to replace it: ${stderr.trim()}`);
}

/** The refresh finds what was removed, and the update makes it again; the switch runs although nothing else has changed. */
async function update(drifted: Found[], which: WhichStack, yes: boolean): Promise<void> {
  say(
    "Pulumi makes what is missing, and gates and switches anew. What was changed in the configuration comes with it",
  );
  // A killed update leaves what it had begun to make as pending, which only this removes. A container that was made all the
  // same is found by its labels.
  if (drifted.some(({ service }) => service.pending.length > 0))
    await pulumi(["refresh", "--clear-pending-creates"], which, yes);
  const switches = drifted.flatMap(({ service }) =>
    (service.switch?.urns ?? []).flatMap((urn) => ["--replace", urn]),
  );
  await pulumi(["up", "--refresh", ...switches], which, yes);
}

async function pulumi(command: string[], which: WhichStack, yes: boolean): Promise<void> {
  const args = [...command, ...(yes ? ["--yes", "--skip-preview"] : [])];
  say(`pulumi ${args.join(" ")}`);
  if (!(await run(which, args)))
    throw new Failure(
      `\`pulumi ${command[0]}\` failed or was not confirmed, see above. ${await whatIsServed(which)} If a killed update has left its lock: \`${PULUMI} cancel\`, then \`npx bluegreen heal\` again.`,
    );
}
