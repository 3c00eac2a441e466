import { mkdirSync } from "node:fs";
import * as demo from "./lib/demo.mjs";
import { Failure, main, say } from "./lib/log.mjs";
import { backend } from "./lib/paths.mjs";
import * as stack from "./lib/stack.mjs";
import { setUp } from "./setup.mjs";

await main(async () => {
  await setUp();
  mkdirSync(backend, { recursive: true });
  await stack.refuseIfForeign();
  say(`Building the demo app: ${demo.versions.map(demo.image).join(", ")}`);
  await demo.build();
  await bringUp();
  tellWhatNext(await stack.outputs());
});

async function bringUp() {
  say(`Bringing the stack \`${stack.name}\` up`);
  const failed =
    (await stack.pulumi("stack", "select", "--create", stack.name)) ||
    (await stack.pulumi("up", "--yes", "--stack", stack.name));
  if (failed)
    throw new Failure(
      "`pulumi up` failed, see above. A color that was live before is still serving. Run `npm start` again when the cause is gone.",
    );
}

function tellWhatNext({ url, previewUrl, activeColor }) {
  const idle = activeColor === "blue" ? "green" : "blue";
  const flipTo = (color) => `npx pulumi config set activeColor ${color} && npx pulumi up --yes`;
  console.log(`
Live (${activeColor}):     ${url}
Preview (${idle}): ${previewUrl}

Flip to ${idle}:   ${flipTo(idle)}
Roll back:       ${flipTo(activeColor)}

Remove it all:   npm run down`);
}
