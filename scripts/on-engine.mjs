// Runs a command beside another engine than this machine's, which ends with it:
//   node --import tsx scripts/on-engine.mjs docker|podman|podman4 mocha tests/integration/gate.test.ts
// For the command, that engine is Docker, and 127.0.0.1 is where it publishes ports.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Failure, main, say } from "./lib/log.mjs";
import { must } from "./lib/run.mjs";
import { canHaveEngine, ensureEngine } from "./setup/engine.mjs";
import { tags } from "./setup/images.mjs";
import { OwnDocker } from "../tests/support/own-docker.ts";

const START_WITHIN_MS = 300_000;

await main(async () => {
  if (!canHaveEngine) throw new Failure("An engine beside this machine's needs root on Linux.");
  const [kind, ...command] = process.argv.slice(2);
  const engine = new OwnDocker(await ensureEngine(kind));
  // Whoever ends us ends the command, and after it the engine.
  const ended = new AbortController();
  process.on("SIGTERM", () => ended.abort());
  // A terminal tells the command too, and that may have things to remove.
  process.on("SIGINT", () => {});
  try {
    await start(engine);
    process.exitCode = ended.signal.aborted ? 1 : await run(engine, command, ended.signal);
  } finally {
    await engine.remove();
  }
});

async function start(engine) {
  const late = setTimeout(() => {
    console.error(`The engine did not start within ${START_WITHIN_MS / 1000} s.`);
    process.exit(1);
  }, START_WITHIN_MS);
  await engine.create(tags);
  process.env.DOCKER_HOST = engine.address;
  clearTimeout(late);
  const version = await must("docker", [
    "version",
    "--format",
    "{{(index .Server.Components 0).Name}} {{.Server.Version}}",
  ]);
  say(`${version.trim()}, beside this machine's`);
}

/** Its exit code. It has this machine's files and processes, and the engine's network. */
async function run(engine, command, ended) {
  const [file, ...args] = [...engine.within(), "setpriv", "--pdeathsig", "TERM", ...command];
  const env = { ...process.env, BLUEGREEN_TEST_ENGINE: engine.root };
  const child = spawn(file, args, { stdio: "inherit", env });
  ended.addEventListener("abort", () => child.kill());
  const [code] = await once(child, "close");
  return code ?? 1;
}
