// What a new user does, with the commands a new user types: npm start, a look at the URL, the flip, the roll back, npm run down.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, main, say } from "./lib/log.mjs";
import { root, toolchain } from "./lib/paths.mjs";
import { capture, isExecutable, show } from "./lib/run.mjs";
import * as stack from "./lib/stack.mjs";
import { setUp } from "./setup.mjs";

await main(async () => {
  await refuseToEndanger();
  const configFile = path.join(root, "Pulumi.dev.yaml");
  const config = readFileSync(configFile);
  try {
    await typed("npm", "start");
    const { url, activeColor } = await stack.outputs();
    const idle = activeColor === "blue" ? "green" : "blue";
    await expectLive(url, activeColor);
    await flip(idle);
    await expectLive(url, idle);
    await flip(activeColor);
    await expectLive(url, activeColor);
  } finally {
    await typed("npm", "run", "down", "--", "--data");
    writeFileSync(configFile, config);
  }
});

/** It ends with `npm run down -- --data`: anything that was there before would go with it. */
async function refuseToEndanger() {
  if (!isExecutable(`${toolchain}/bin/pulumi`)) await setUp();
  await stack.refuseIfForeign();
  const volumes = await stack.dataVolumes();
  if (volumes.length > 0 || (await stack.exists()))
    throw new Failure(
      `The smoke test would remove your dev stack or its data${volumes.map((volume) => ` (volume ${volume})`).join("")}. Nothing was changed; \`npm run down -- --data\` first.`,
    );
}

async function typed(...words) {
  say(words.join(" "));
  if ((await show(words[0], words.slice(1), { cwd: root })) !== 0)
    throw new Failure(`\`${words.join(" ")}\` failed.`);
}

async function flip(color) {
  // Named, since another stack may be selected.
  const which = ["--stack", stack.name];
  await typed("npx", "pulumi", "config", "set", "activeColor", color, ...which);
  await typed("npx", "pulumi", "up", "--yes", ...which);
}

async function expectLive(url, color) {
  const answer = await capture("curl", ["-fsS", "--max-time", "10", url]);
  if (!answer.ok || JSON.parse(answer.stdout).color !== color)
    throw new Failure(`${url} should answer from ${color}. It said: ${answer.stdout}${answer.stderr}`);
  say(`${url} answers from ${color}`);
}
