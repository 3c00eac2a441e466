import { mkdirSync } from "node:fs";
import * as demo from "./lib/demo.mjs";
import { Failure, main, say } from "./lib/log.mjs";
import { readOptions } from "./lib/options.mjs";
import { backend, root } from "./lib/paths.mjs";
import { choosePorts } from "./lib/ports.mjs";
import * as stack from "./lib/stack.mjs";
import { whatIsServed } from "./lib/status.mjs";
import { setUp } from "./setup.mjs";

const usage = `npm start     installs what this checkout needs, builds the demo app and brings its stack \`dev\` up on this machine's Docker.
              It takes no options. Running it again changes only what is missing. npm run down removes it.`;

await main(async () => {
  readOptions({}, usage);
  await setUp();
  mkdirSync(backend, { recursive: true });
  await stack.refuseIfForeign();
  say(`Building the demo app: ${demo.versions.map(demo.image).join(", ")}`);
  await demo.build();
  const selected = await stack.make();
  await choosePorts();
  await bringUp();
  tellWhatNext(await stack.outputs(), selected);
});

async function bringUp() {
  say(`Bringing the stack \`${stack.name}\` up`);
  if ((await stack.pulumi("up", "--yes", "--stack", stack.name)) === 0) return;
  throw new Failure(
    `\`pulumi up\` failed, see above. ${await whatIsServed({ cwd: root, stack: stack.name })} Run \`npm start\` again when the cause is gone.`,
  );
}

function tellWhatNext({ url, previewUrl, activeColor }, selected) {
  const idle = activeColor === "blue" ? "green" : "blue";
  const which = selected ? ` --stack ${stack.name}` : "";
  const flipTo = (color) =>
    `npx pulumi config set activeColor ${color}${which} && npx pulumi up --yes${which}`;
  const note = selected
    ? `\nThe stack \`${selected}\` stays selected: what is typed without --stack ${stack.name} is about that one.\n`
    : "";
  console.log(`
Live (${activeColor}):     ${url}
Preview (${idle}): ${previewUrl}

Flip to ${idle}:   ${flipTo(idle)}
Roll back:       ${flipTo(activeColor)}
Is it in order:  npm run status${which && ` --${which}`}
${note}
Remove it all:   npm run down`);
}
