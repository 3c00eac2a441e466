import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure } from "./log.mjs";
import { launcher, root } from "./paths.mjs";
import { capture, must, show } from "./run.mjs";

/** The stack of `npm start` and `npm run down`, in the CLI that `npx pulumi` runs. */
export const name = "dev";

export function pulumi(...args) {
  return show(launcher, [...args, "--non-interactive"], { cwd: root });
}

export async function exists() {
  return (await capture(launcher, ["stack", "--stack", name, "--non-interactive"], { cwd: root })).ok;
}

export async function outputs() {
  return JSON.parse(await must(launcher, ["stack", "output", "--json", "--stack", name], { cwd: root }));
}

/** The label that the component puts on all it makes: project and stack, which are the same in every checkout. */
export function label() {
  const project = /^name: *(\S+)/m.exec(readFileSync(path.join(root, "Pulumi.yaml"), "utf8"))?.[1];
  if (!project) throw new Failure("Pulumi.yaml names no project. Nothing was changed.");
  return `bluegreen.stack=${project}/${name}`;
}

/**
 * Two checkouts on one engine would share names, ports and the Redis volume. Refuses to go on when the engine runs
 * this stack for somebody else: its containers are there, but this checkout's state has made none.
 */
export async function refuseIfForeign() {
  const filter = ["ps", "--all", "--filter", `label=${label()}`, "--format", "{{.Names}}"];
  const containers = (await must("docker", filter)).trim().split("\n").filter(Boolean);
  if (containers.length === 0 || (await hasContainers())) return;
  throw new Failure(
    `This Docker engine already has containers of the stack \`${name}\` that this checkout did not make: ${containers.join(", ")}. Nothing was changed. Run \`npm run down\` in the checkout that made them.`,
  );
}

async function hasContainers() {
  if (!(await exists())) return false;
  const { deployment } = JSON.parse(
    await must(launcher, ["stack", "export", "--stack", name], { cwd: root }),
  );
  return (deployment.resources ?? []).some(({ type }) => type === "docker:index/container:Container");
}

/** The Redis volumes, which outlive the stack. */
export async function dataVolumes() {
  const filters = ["bluegreen.role=redis-data", label()].flatMap((wanted) => ["--filter", `label=${wanted}`]);
  return (await must("docker", ["volume", "ls", "--quiet", ...filters])).trim().split("\n").filter(Boolean);
}
