import { createServer } from "node:net";
import { say } from "./log.mjs";
import { capture } from "./run.mjs";
import * as stack from "./stack.mjs";

const LIVE = { key: "proxy.port", what: "the live color", fallback: 80, address: "0.0.0.0" };
const PREVIEW = { key: "proxy.previewPort", what: "the idle color", fallback: 8081, address: "127.0.0.1" };

/**
 * The demo is to start on any machine. Before anything of it is live, a port that somebody else has is replaced by the next
 * free one, in the stack's configuration. Later its ports are what its users know, and stay.
 */
export async function choosePorts() {
  if ((await hasPorts()) || (await stack.setting("host.address"))) return;
  const wanted = [LIVE, PREVIEW];
  const ports = [];
  for (const port of wanted) ports.push(Number((await stack.setting(port.key)) ?? port.fallback));
  for (const [i, { key, what, address }] of wanted.entries()) {
    const holder = await holderOf(ports[i], address);
    if (holder === undefined) continue;
    const taken = ports[i];
    ports[i] = await nextFree(taken, address, ports);
    await stack.set(key, String(ports[i]));
    say(
      `Port ${taken} is taken by ${holder}, so ${what} gets port ${ports[i]}: ${key} in ${stack.settings}, which git shows as changed.`,
    );
  }
}

/** A switch has passed, or the stack's own edge holds them. */
async function hasPorts() {
  const resources = await stack.resources();
  const made = (suffix) => resources.find(({ urn, delete: replaced }) => urn.endsWith(suffix) && !replaced);
  if (made("-switch")) return true;
  const edge = made("-edge");
  if (!edge) return false;
  const { stdout } = await capture("docker", ["inspect", "--format", "{{.State.Running}}", edge.id]);
  return stdout.trim() === "true";
}

async function nextFree(taken, address, others) {
  let port = taken + 1;
  while (others.includes(port) || (await holderOf(port, address)) !== undefined) port++;
  return port;
}

/** Who has a port of this machine, in words. Docker may forward one without a process that listens on it. */
async function holderOf(port, address) {
  const { stdout } = await capture("docker", ["ps", "--filter", `publish=${port}`, "--format", "{{.Names}}"]);
  const [container] = stdout.trim().split("\n");
  if (container) return `the container ${container}`;
  return (await isTaken(port, address)) ? "another program" : undefined;
}

/** Where this user may not open a port, Docker still may. */
function isTaken(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", ({ code }) => resolve(code === "EADDRINUSE"));
    server.listen({ port, host }, () => server.close(() => resolve(false)));
  });
}
