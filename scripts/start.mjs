import { mkdirSync } from "node:fs";
import * as demo from "./lib/demo.mjs";
import { Failure, main, say } from "./lib/log.mjs";
import { readOptions } from "./lib/options.mjs";
import { backend, bluegreen, root } from "./lib/paths.mjs";
import { choosePorts } from "./lib/ports.mjs";
import { show } from "./lib/run.mjs";
import * as stack from "./lib/stack.mjs";
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
  await show(bluegreen, ["status", "--stack", stack.name], { cwd: root });
  throw new Failure(
    "`pulumi up` failed; what that means for users stands above. Run `npm start` again when the cause is gone.",
  );
}

function tellWhatNext({ url, previewUrl, activeColor }, selected) {
  const idle = activeColor === "blue" ? "green" : "blue";
  const which = selected ? ` --stack ${stack.name}` : "";
  const note = selected
    ? `\nThe stack \`${selected}\` stays selected: what is typed without --stack ${stack.name} is about that one.\n`
    : "";
  console.log(`
Live (${activeColor}):     ${url}
Preview (${idle}): ${previewUrl}

Flip to ${idle}:   npx bluegreen flip${which}
Roll back:       npx bluegreen rollback${which}
Is it in order:  npx bluegreen status${which}
${note}
Remove it all:   npm run down`);
}
