import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import * as demo from "./lib/demo.mjs";
import { Failure, main, say } from "./lib/log.mjs";
import { readOptions } from "./lib/options.mjs";
import { backend, cache, launcher, root, toolchain } from "./lib/paths.mjs";
import { capture, isExecutable, must } from "./lib/run.mjs";
import * as stack from "./lib/stack.mjs";
import { tags } from "./setup/images.mjs";

const usage = `npm run down              removes what npm start made, the stack \`dev\`, except the data in Redis. Other stacks are left alone
npm run down -- --data    removes the data in Redis and the stack's history as well
npm run down -- --cache   removes the downloaded or built toolchain and the images made for it as well`;

await main(async () => {
  const flags = { data: { type: "boolean" }, cache: { type: "boolean" } };
  const { data = false, cache: everything = false } = readOptions(flags, usage);
  if (!isExecutable(launcher) || !isExecutable(path.join(toolchain, "bin/pulumi")))
    throw new Failure(
      "Pulumi is not set up in this checkout, so `npm start` has made nothing here. Nothing was changed.",
    );

  await stack.refuseIfForeign();
  if (await stack.exists()) {
    const volumes = await stack.dataVolumes();
    await destroy();
    await removeDemoImages();
    await removeData(data, volumes);
    if (data) await forget();
  } else {
    say(
      `This checkout has no stack \`${stack.name}\`: nothing to destroy, images and volumes are left alone`,
    );
  }
  await tellWhatIsLeft();
  if (everything) await removeCache();
});

async function tellWhatIsLeft() {
  if (!existsSync(backend) && !process.env.PULUMI_BACKEND_URL) return;
  for (const { name, resourceCount } of await stack.others()) {
    const [, project] = name.split("/").slice(-3);
    const where = project ? `, in the folder of the project ${project}` : "";
    say(
      `Left alone: the stack \`${name}\` (${resourceCount} resources). To remove it: npx pulumi destroy --stack ${name}${where}`,
    );
  }
}

async function destroy() {
  say(`Destroying the stack \`${stack.name}\``);
  if ((await stack.pulumi("destroy", "--yes", "--stack", stack.name)) !== 0)
    throw new Failure(
      "`pulumi destroy` failed, see above. What it did not delete is still known to the stack: run this again.",
    );
}

async function forget() {
  await stack.pulumi("stack", "rm", "--yes", "--preserve-config", stack.name);
  if (JSON.parse(await must(launcher, ["stack", "ls", "--all", "--json"], { cwd: root })).length === 0)
    rmSync(backend, { recursive: true, force: true });
}

async function removeDemoImages() {
  for (const tag of demo.versions.map(demo.image)) {
    const { ok, stderr } = await capture("docker", ["image", "rm", tag]);
    if (ok) say(`Removed the image ${tag}`);
    else if (!/No such image/i.test(stderr)) say(`Left the image ${tag}: ${stderr.trim()}`);
  }
}

/** The component keeps the volume when the stack is destroyed. Only the checkout that knows the stack may remove it. */
async function removeData(wanted, known) {
  for (const volume of await stack.dataVolumes(known)) {
    if (wanted) {
      await must("docker", ["volume", "rm", volume]);
      say(`Removed the Redis data (volume ${volume})`);
    } else {
      say(`Kept the Redis data (volume ${volume}). To remove it too: npm run down -- --data`);
    }
  }
}

async function removeCache() {
  const bases = await must("docker", [
    "image",
    "ls",
    "--format",
    "{{.Repository}}:{{.Tag}}",
    "bluegreen-offline-base",
  ]);
  for (const tag of [...(await standIns()), ...bases.trim().split("\n").filter(Boolean)]) {
    const { ok, stderr } = await capture("docker", ["image", "rm", tag]);
    say(ok ? `Removed the image ${tag}` : `Left the image ${tag}: ${stderr.trim()}`);
  }
  rmSync(cache, { recursive: true, force: true });
  rmSync(toolchain, { recursive: true, force: true });
  say(`Removed the toolchain (${cache}, ${path.relative(root, toolchain)})`);
}

/** By tag, not by label alone: images that users build on a stand-in inherit its label. */
async function standIns() {
  const found = [];
  for (const tag of tags) {
    const format = '{{index .Config.Labels "bluegreen.offline"}}';
    const { ok, stdout } = await capture("docker", ["image", "inspect", "--format", format, tag]);
    if (ok && stdout.trim() === "true") found.push(tag);
  }
  return found;
}
