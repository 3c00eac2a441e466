/** A failure whose message is meant for the user as it is, without a stack trace. */
export class Failure extends Error {}

export function say(text) {
  console.log(`==> ${text}`);
}

/** Runs a script's main function; a Failure ends it with its message and exit code 1. */
export async function main(run) {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Failure ? `\n${error.message}` : error);
    process.exit(1);
  }
}

const running = new Map();
const started = Date.now();
let ticker;

/**
 * Runs a piece of work that takes a while. Every ten seconds one line tells what all pieces now running are at;
 * the work reports where it is by calling the function it is given.
 */
export async function track(name, work) {
  running.set(name, "");
  ticker ??= setInterval(showRunning, 10_000);
  try {
    return await work((status) => running.set(name, status));
  } finally {
    running.delete(name);
    if (running.size === 0) {
      clearInterval(ticker);
      ticker = undefined;
    }
  }
}

function showRunning() {
  const seconds = Math.round((Date.now() - started) / 1000);
  const parts = [...running].map(([name, status]) => (status ? `${name}: ${status}` : name));
  console.log(`    ${seconds} s · ${parts.join(" · ")}`);
}
