import { readFileSync } from "node:fs";
import path from "node:path";
import { Failure, say } from "./log.mjs";
import { launcher, root } from "./paths.mjs";
import { capture, must, show } from "./run.mjs";

/** The stack of `npm start` and `npm run down`, in the CLI that `npx pulumi` runs. */
export const name = "dev";
export const settings = `Pulumi.${name}.yaml`;

export function pulumi(...args) {
  return show(launcher, [...args, "--non-interactive"], { cwd: root });
}

const ask = (...args) => must(launcher, args, { cwd: root });

export async function exists() {
  return (await capture(launcher, ["stack", "--stack", name, "--non-interactive"], { cwd: root })).ok;
}

export async function outputs() {
  return JSON.parse(await ask("stack", "output", "--json", "--stack", name));
}

/**
 * Makes the stack where there is none, and selects it where no other one is: that one is somebody's choice, and is returned.
 * @returns {Promise<string | undefined>}
 */
export async function make() {
  const stacks = JSON.parse(await ask("stack", "ls", "--json"));
  const other = stacks.find((stack) => stack.current && stack.name !== name)?.name;
  if (!stacks.some((stack) => stack.name === name)) {
    await must(launcher, ["stack", "init", "--no-select", name, "--non-interactive"], {
      cwd: root,
      env: demoEnv(),
    });
    say(
      `Made the stack \`${name}\`. Its settings are in ${settings}, where Pulumi adds the line \`encryptionsalt\`.`,
    );
  }
  if (other === undefined) await ask("stack", "select", name, "--non-interactive");
  return other;
}

/** For the one command of which the launcher can't know that it is about the demo: its passphrase is empty. */
function demoEnv() {
  if (process.env.PULUMI_BACKEND_URL) return process.env;
  return { ...process.env, PULUMI_CONFIG_PASSPHRASE: "", PULUMI_CONFIG_PASSPHRASE_FILE: undefined };
}

/** A key of the stack's configuration. */
export async function setting(key) {
  const { ok, stdout } = await capture(launcher, ["config", "get", "--path", key, "--stack", name], {
    cwd: root,
  });
  return ok ? stdout.trim() : undefined;
}

export async function set(key, value) {
  await ask("config", "set", "--path", key, value, "--stack", name);
}

/** The other stacks of the backend that still have something, of whatever project. */
export async function others() {
  const stacks = JSON.parse(await ask("stack", "ls", "--all", "--json"));
  return stacks.filter((stack) => stack.name !== name && stack.resourceCount > 0);
}

/** The label that the component puts on all it makes: project and stack, which are the same in every checkout. */
const label = () => `bluegreen.stack=${project()}/${name}`;

const project = () => nameIn("Pulumi.yaml", /^name: *(\S+)/m);

function nameIn(file, pattern) {
  const found = pattern.exec(readFileSync(path.join(root, file), "utf8"))?.[1];
  if (!found) throw new Failure(`${file} does not match ${pattern}. Nothing was changed.`);
  return found;
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
    `This Docker engine already has containers of the stack \`${name}\` that this checkout did not make: ${containers.join(", ")}. Nothing was changed. Run \`npm run down\` in the checkout that made them. If it was made here and then renamed: a renamed stack keeps the names that it had, so destroy that one first.`,
  );
}

async function hasContainers() {
  return (await resources()).some(({ type }) => type === "docker:index/container:Container");
}

/** As `pulumi stack export` has them. */
export async function resources() {
  if (!(await exists())) return [];
  const { deployment } = JSON.parse(await ask("stack", "export", "--stack", name));
  return deployment.resources ?? [];
}

/**
 * The Redis volumes, which outlive the stack. By name as well as by label: one that was there before, or that Docker has made,
 * has no label. `known`: names from before the stack was destroyed.
 */
export async function dataVolumes(known = []) {
  const kept = (await resources()).filter(({ urn }) => urn.endsWith("-redis-data")).map(({ id }) => id);
  const service = nameIn("index.ts", /new BlueGreenService\("([^"]+)"/);
  const names = [...known, ...kept, `${project()}-${name}-${service}-redis-data`];
  const labelled = await volumes(
    ...["bluegreen.role=redis-data", label()].flatMap((wanted) => ["--filter", `label=${wanted}`]),
  );
  return (await volumes()).filter((volume) => [...names, ...labelled].includes(volume));
}

async function volumes(...filters) {
  return (await must("docker", ["volume", "ls", "--quiet", ...filters])).trim().split("\n").filter(Boolean);
}
