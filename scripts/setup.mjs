import { ensureDocker } from "./setup/docker.mjs";
import { ensureImages } from "./setup/images.mjs";
import { installPackages } from "./setup/npm.mjs";
import { ensurePulumi } from "./setup/pulumi.mjs";
import { say } from "./lib/log.mjs";

/**
 * Everything a checkout needs on this machine: npm packages, a Docker engine, Pulumi and the images. What is there
 * already is left as it is, so a second run takes a second. The slow parts run side by side.
 */
export async function setUp() {
  const started = Date.now();
  say("Set-up: npm packages, Docker engine, Pulumi, images");
  await ensureDocker();
  const packages = installPackages();
  await Promise.all([packages, ensurePulumi(), ensureImages(packages)]);
  say(`Set-up done in ${Math.round((Date.now() - started) / 1000)} s`);
}
