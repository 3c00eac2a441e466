// A connection to Redis that never makes anybody wait for long, and comes back by itself.
import { createClient } from "redis";
import { setTimeout as sleep } from "node:timers/promises";
import { config } from "./config.js";

const ANSWER_WITHIN_MS = 1000;

/** Silence this long means that the connection is dead, whatever TCP thinks. */
export const GIVE_UP_MS = 5000;

class LateError extends Error {}

export function connect(log) {
  const client = createClient({
    socket: {
      host: config.redisHost,
      port: config.redisPort,
      connectTimeout: 2000,
      socketTimeout: GIVE_UP_MS,
      reconnectStrategy: (retries) => Math.min(100 * (retries + 1), 1000),
    },
    password: config.redisPassword,
    // Keeps an idle but healthy connection from running into socketTimeout.
    pingInterval: 1000,
    // While Redis is away commands fail at once, instead of piling up.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 1000,
  });

  let lastError;
  client.on("error", (error) => {
    const message = error.message || error.code || String(error);
    if (message !== lastError) log(`redis: ${message}`);
    lastError = message;
  });
  client.on("ready", () => {
    if (lastError) log("redis: connected again");
    lastError = undefined;
  });

  const open = () => client.connect().catch(() => {}); // "error" above reports it; the client keeps trying
  open();

  let silentSince;

  /** The reply to a command, or an error soon. */
  async function ask(command, ms = ANSWER_WITHIN_MS) {
    try {
      const reply = await within(ms, command(client));
      silentSince = undefined;
      return reply;
    } catch (error) {
      if (error instanceof LateError) reopenWhenSilent(ms);
      else silentSince = undefined;
      throw error;
    }
  }

  /** Writing counts as activity for socketTimeout, so a connection into the void would live as long as somebody asks. */
  function reopenWhenSilent(ms) {
    silentSince ??= Date.now() - ms;
    if (Date.now() - silentSince < GIVE_UP_MS || !client.isOpen) return;
    silentSince = undefined;
    client.destroy();
    open();
  }

  return { ask, close: () => client.isOpen && client.destroy() };
}

/** The client itself waits for a reply as long as the connection lives. */
async function within(ms, reply) {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new LateError(`Redis gave no answer within ${ms} ms`);
  });
  try {
    return await Promise.race([reply, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}
