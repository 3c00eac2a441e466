import { createInterface } from "node:readline/promises";
import { Failure, main, say } from "./lib/log.mjs";
import { dockerOn } from "./lib/observe.mjs";
import { readOptions } from "./lib/options.mjs";
import { launcher } from "./lib/paths.mjs";
import { show } from "./lib/run.mjs";
import { inWords, look, whatIsServed, whichStack } from "./lib/status.mjs";

const usage = `npm run heal                  makes the proxy do again what the stack's program and configuration say; asks before it does
npm run heal -- --yes         the same without asking
npm run heal -- -s STACK      of another stack than the selected one
npm run heal -- -C FOLDER     of a Pulumi program in another folder`;

await main(async () => {
  const { yes, ...which } = readOptions({ ...whichStack, yes: { type: "boolean" } }, usage);
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
});

function print(found) {
  console.log(found.map(({ report }) => inWords(report)).join("\n\n"));
}

/** Pulumi asks before the update. What is done before that is asked for here. */
async function askFirst(starts) {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new Failure(
      "Heal asks before it does anything, and there is no terminal to ask at. Nothing was changed. Without asking: npm run heal -- --yes",
    );
  if (starts.length === 0) return;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const commands = starts.map(({ command, name }) => `  docker ${command} ${name}\n`).join("");
  const answer = await terminal.question(
    `First, at once:\n${commands}Then pulumi up, which shows what it would do and asks again. Go on? [y/N] `,
  );
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("Not confirmed. Nothing was changed.");
}

/**
 * What is only stopped is served from again in a second, and Pulumi would replace an edge or an nginx that does not run.
 * An idle color may be stopped by setting; the switch starts it where it should run.
 */
function toStart(service, { live, containers }) {
  const inOrder = ["redis", "edge", "proxy", "blue", "green"].flatMap((role) =>
    containers.filter((container) => container.role === role),
  );
  return inOrder.flatMap(({ role, name, status }) => {
    const command = { created: "start", exited: "start", paused: "unpause" }[status];
    if (!command || (["blue", "green"].includes(role) && name !== live?.container)) return [];
    return [{ service, command, name }];
  });
}

async function start({ service, command, name }) {
  say(`docker ${command} ${name}`);
  const { ok, stderr } = await dockerOn(service, [command, name]);
  if (!ok) say(`It did not start, so Pulumi has to replace it: ${stderr.trim()}`);
}

/** The refresh finds what was removed, and the update makes it again; the switch runs although nothing else has changed. */
async function update(drifted, which, yes) {
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

async function pulumi(command, which, yes) {
  const args = [
    ...command,
    ...(yes ? ["--yes", "--skip-preview"] : []),
    ...(which.stack ? ["--stack", which.stack] : []),
  ];
  say(`pulumi ${args.join(" ")}`);
  if ((await show(launcher, args, { cwd: which.cwd, stdio: "inherit" })) !== 0)
    throw new Failure(
      `\`pulumi ${command[0]}\` failed or was not confirmed, see above. ${await whatIsServed(which)} If a killed update has left its lock: \`npx pulumi cancel\`, then \`npm run heal\` again.`,
    );
}
