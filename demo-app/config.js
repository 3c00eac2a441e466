// What the container is told by its environment, checked before anything starts. All that is wrong is said at once.
import { hostname } from "node:os";

const problems = [];

function text(name, fallback) {
  // An empty value counts as not set: that is how compose files and Pulumi programs switch a thing off.
  const value = process.env[name] || fallback;
  // It ends up in a response header, so it must not hold spaces or control characters.
  if (value !== undefined && !/^[\x21-\x7e]+$/.test(value)) {
    problems.push(`${name} must be printable ASCII without spaces, not ${JSON.stringify(value)}`);
  }
  return value;
}

function wholeNumber(name, fallback, min, max) {
  const value = process.env[name] || String(fallback);
  if (!/^\d+$/.test(value) || Number(value) < min || Number(value) > max) {
    problems.push(`${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
  }
  return Number(value);
}

const color = text("COLOR", "none");

export const config = {
  port: wholeNumber("PORT", 3000, 0, 65535),
  color,
  version: text("VERSION", "dev"),
  /** Without a host the service runs without Redis, and says so. */
  redisHost: text("REDIS_HOST"),
  redisPort: wholeNumber("REDIS_PORT", 6379, 1, 65535),
  redisPassword: process.env.REDIS_PASSWORD || undefined,
  streamKey: text("STREAM_KEY", "demo:events"),
  group: text("CONSUMER_GROUP", `demo-${color}`),
  consumer: hostname(),
  /** A message held this long without an acknowledgement belonged to a container that died: another one takes it over. */
  claimAfterMs: wholeNumber("CLAIM_AFTER_MS", 30_000, 1, 3_600_000),
  /** Less than the 30 s that the container is given to stop, so that the last words still reach the log. */
  stopWithinMs: wholeNumber("STOP_WITHIN_MS", 25_000, 1, 3_600_000),
};

if (problems.length > 0) {
  console.error(`The demo app can't start:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  process.exit(1);
}
