import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./log.mjs";
import { root } from "./paths.mjs";
import { capture } from "./run.mjs";

/** The Docker client for the engine of a service. Over SSH it is the one on the host, as for the switch. */
export function dockerOn({ host, sshOptions }, args, options) {
  if (!host.startsWith("ssh://")) return capture("docker", ["--host", host, ...args], options);
  // A shell on the host reads the words: none of them may have a space or a quote.
  return capture("ssh", [...sshOptions, "-o", "BatchMode=yes", host, "docker", ...args], options);
}

/** What really is there: every container with the service's labels, and what its two nginx say of themselves. */
export async function observe(service) {
  const containers = await containersOf(service);
  const known = (name) => containers.find((container) => container.name === name);
  const edge = service.containers.find(({ role }) => role === "edge");
  const [edgeFacts, proxyFacts] = await Promise.all(
    [edge?.name, service.switch?.values.PROXY].map((name) => factsFrom(service, known(name))),
  );
  return { containers, edge: edgeFacts, proxy: proxyFacts };
}

async function containersOf(service) {
  const { path, id } = service.identity;
  const end = path.lastIndexOf("/");
  const labels = [`bluegreen.stack=${path.slice(0, end)}`, `bluegreen.service=${path.slice(end + 1)}`];
  const filter = labels.flatMap((label) => ["--filter", `label=${label}`]);
  const ids = (await must(service, ["ps", "--all", "--quiet", "--no-trunc", ...filter])).split("\n");
  if (ids[0] === "") return [];
  const found = JSON.parse(await must(service, ["container", "inspect", ...ids]));
  return found.filter(({ Config }) => isOf(id, Config.Labels)).map(toContainer);
}

/** What was made before there were ids has none. */
const isOf = (id, labels) => [undefined, id].includes(labels["bluegreen.id"]);

function toContainer(found) {
  return {
    id: found.Id,
    name: found.Name.slice(1),
    role: found.Config.Labels["bluegreen.role"],
    image: found.Config.Image,
    status: found.State.Status,
    exitCode: found.State.ExitCode,
    outOfMemory: found.State.OOMKilled,
    restarts: found.RestartCount,
    startedAt: found.State.StartedAt,
    finishedAt: found.State.FinishedAt,
    error: found.State.Error,
  };
}

async function must(service, args) {
  const { ok, stdout, stderr } = await dockerOn(service, args);
  if (!ok)
    throw new Failure(
      `No answer from Docker at ${service.host}, so nothing can be told. Nothing was changed.\n${stderr.trim()}`,
    );
  return stdout.trim();
}

const statusScript = ["probe.sh", "status.sh"]
  .map((file) => readFileSync(join(root, "components/shell/in-nginx/piped", file), "utf8"))
  .join("\n");

/** Undefined where there is nobody to ask. */
async function factsFrom(service, container) {
  if (container?.status !== "running" || !service.switch) return undefined;
  const input = `${service.switch.settingsFunction}\n${statusScript}`;
  const { ok, stdout, stderr } = await dockerOn(service, ["exec", "-i", container.name, "sh", "-s"], {
    input,
  });
  return ok ? readFacts(stdout) : { error: stderr.trim() };
}

/**
 * The lines that components/shell/in-nginx/piped/status.sh prints.
 * @param {string} text
 * @returns {import("./report.js").Facts}
 */
export function readFacts(text) {
  const facts = { journal: [] };
  for (const line of text.split("\n").filter(Boolean)) {
    const [, name, value] = /^(\w+) ?(.*)$/.exec(line);
    if (name === "journal") facts.journal.push(readEntry(value));
    else facts[name] = value;
  }
  const plain = (base64) => (base64 === undefined ? undefined : Buffer.from(base64, "base64").toString());
  return {
    ...facts,
    listens: facts.listens === "yes",
    lock_held: facts.lock_held === "yes",
    intent: facts.intent ? readEntry(facts.intent) : undefined,
    site: plain(facts.site),
    healthy: facts.healthy === "yes",
    health_answer: plain(facts.health_answer),
  };
}

function readEntry(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { outcome: `can't be read: ${line}` };
  }
}
