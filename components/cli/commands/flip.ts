import type { Command } from "commander";
import { Failure, say } from "../failure";
import { formerLive } from "../journal";
import { lookAt, whatIsServed } from "../look";
import type { Report } from "../report";
import { ask, oneService, PULUMI, run, stackCommand, type WhichStack } from "../stack";
import type { Color } from "../../settings/color";

interface Options extends WhichStack {
  service?: string;
  key?: string;
  yes?: boolean;
}

export function registerFlip(program: Command): void {
  flipCommand(program, "flip", "makes the idle color live").action((options: Options) =>
    flip(options, idleColor),
  );
  flipCommand(
    program,
    "rollback",
    "makes live again what was live before, if its container is still there",
  ).action((options: Options) => flip(options, formerColor));
}

const flipCommand = (program: Command, name: string, what: string) =>
  stackCommand(program, name, `${what}: sets the value in the stack's configuration, then pulumi up`)
    .option("--service <name>", "which service, where the stack has several")
    .option(
      "--key <path>",
      "where the stack's configuration has the live color (default: SERVICE.activeColor, or activeColor)",
    )
    .option("-y, --yes", "without asking");

async function flip(options: Options, choose: (report: Report) => Color): Promise<void> {
  const { yes } = options;
  const { report } = await lookAt(await oneService(options, options.service));
  const color = choose(report);
  const [key, before] = await liveColorIn(options, report.service);
  if (before !== color) await set(options, key, color);
  const args = ["up", ...(yes ? ["--yes", "--skip-preview"] : [])];
  say(`pulumi ${args.join(" ")}`);
  if (await run(options, args)) return;
  if (before !== color) await set(options, key, before);
  throw new Failure(
    `\`pulumi up\` failed or was not confirmed, see above. ${await whatIsServed(options)} ${key} is ${before}, as before.`,
  );
}

function idleColor({ idle, service }: Report): Color {
  if (idle) return idle.color;
  throw new Failure(
    `${service} has no idle color that passed its gate: \`npx bluegreen status\` says more. Nothing was changed.`,
  );
}

function formerColor(report: Report): Color {
  const { service, live, idle, journal } = report;
  const former = formerLive(journal);
  if (live === undefined || former === undefined)
    throw new Failure(
      `Nothing was live in ${service} before, as far as its history goes. Nothing was changed.`,
    );
  const { color, image, until } = former;
  if (idle?.color === color && idle.image === image) {
    say(`Back to ${color} ${image}, which was live until ${until}`);
    return color;
  }
  const elsewhere = idle && `, or \`npx bluegreen flip\` for the idle color: ${idle.color} ${idle.image}`;
  throw new Failure(
    `Before ${live.color} ${live.image}, ${color} ${image} was live in ${service}, and it has no container any more. Nothing was changed. To have it again: ${PULUMI} config set --path ${color}.image ${image}, then ${PULUMI} up${elsewhere ?? ""}.`,
  );
}

/** Where the configuration has the live color, and which it is. */
async function liveColorIn({ key, ...which }: Options, service: string): Promise<[string, string]> {
  const keys = key === undefined ? [`${service}.activeColor`, "activeColor"] : [key];
  for (const one of keys) {
    const { ok, stdout } = await ask(which, ["config", "get", "--path", one]);
    if (ok) return [one, stdout.trim()];
  }
  throw new Failure(
    `The stack's configuration has no ${keys.join(" and no ")}. Nothing was changed. If the program reads the live color from elsewhere in it: --key PATH. If it stands in the program itself, change it there, then \`${PULUMI} up\`.`,
  );
}

async function set(which: WhichStack, key: string, value: string): Promise<void> {
  say(`pulumi config set --path ${key} ${value}`);
  const { ok, stderr } = await ask(which, ["config", "set", "--path", key, value]);
  if (!ok) throw new Failure(`The stack's configuration can't be written: ${stderr.trim()}`);
}
