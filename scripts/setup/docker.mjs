import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, say } from "../lib/log.mjs";
import { cache } from "../lib/paths.mjs";
import { capture, findOnPath, must } from "../lib/run.mjs";
import { aptInstall, canInstall } from "./apt.mjs";

/** Makes sure that a Docker engine answers; on Debian and Ubuntu as root it is installed and started. */
export async function ensureDocker() {
  const answer = await askDocker();
  if (answer.ok) return;
  if (process.env.DOCKER_HOST || !canInstall()) throw new Failure(howToGetDocker(answer.stderr));
  if (!findOnPath("dockerd")) await aptInstall(["docker.io", "iptables"]);
  await startDocker();
}

function askDocker() {
  return capture("docker", ["info", "--format", "{{.ServerVersion}}"], { timeout: 20_000 });
}

async function startDocker() {
  if (existsSync("/run/systemd/system")) {
    say("Starting the Docker engine (systemctl start docker)");
    await must("systemctl", ["start", "docker"]);
    return waitForDocker("journalctl -u docker");
  }
  mkdirSync(cache, { recursive: true });
  const log = path.join(cache, "dockerd.log");
  say(`Starting the Docker engine (dockerd in the background, log in ${log})`);
  const output = openSync(log, "a");
  spawn("dockerd", [], { detached: true, stdio: ["ignore", output, output] }).unref();
  return waitForDocker(log);
}

async function waitForDocker(log) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(500)) {
    if ((await askDocker()).ok) return;
  }
  throw new Failure(`The Docker engine was started but does not answer after 60 s. Its log: ${log}`);
}

function howToGetDocker(reason) {
  const where = process.env.DOCKER_HOST ? ` at DOCKER_HOST=${process.env.DOCKER_HOST}` : "";
  return `No Docker engine answers${where}; install or start Docker, then run the same command again (on Debian or Ubuntu, as root, that is done for you). Docker said: ${reason.trim().split("\n").at(-1)}`;
}
