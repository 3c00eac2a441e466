// A counter that both colors share, and a stream that each color consumes in a group of its own.
import { setTimeout as sleep } from "node:timers/promises";
import { config } from "./config.js";
import { connect, GIVE_UP_MS } from "./connection.js";

const COUNTER_KEY = "demo:counter";
const PROCESSED_KEY = "demo:processed";
const BLOCK_MS = 1000;
const KEEP_ABOUT = 10_000;

/** Messages carry how long they take, so that a stop in the middle of one can be watched. */
export const MAX_WORK_MS = 10_000;

export function openRedis(log) {
  const { streamKey, group, consumer, claimAfterMs } = config;
  const redis = connect(log);
  // XREADGROUP blocks its connection, so the consumer has one of its own.
  const reader = connect(() => {});

  let stopping = false;
  let consumerError = "not started yet";
  const consuming = consume();

  async function consume() {
    let hasGroup = false;
    while (!stopping) {
      try {
        if (!hasGroup) await createGroup();
        hasGroup = true;
        const message = (await takeOver()) ?? (await readNext());
        consumerError = undefined;
        if (message) await handle(message);
      } catch (error) {
        hasGroup = false; // Redis may have come back empty
        consumerError = error.message;
        await sleep(stopping ? 0 : 500);
      }
    }
  }

  async function createGroup() {
    try {
      // From the very first message: one that was sent before the group existed is not lost.
      await reader.ask((it) => it.xGroupCreate(streamKey, group, "0", { MKSTREAM: true }));
    } catch (error) {
      if (!error.message.startsWith("BUSYGROUP")) throw error;
    }
  }

  /** Without this, what a killed container held would stay pending under its name for ever. */
  async function takeOver() {
    const claimed = await reader.ask((it) =>
      it.xAutoClaim(streamKey, group, consumer, claimAfterMs, "0-0", { COUNT: 1 }),
    );
    return claimed.messages.find((message) => message !== null);
  }

  /** One at a time, so that a stop has a single message to finish. */
  async function readNext() {
    const streams = await reader.ask(
      (it) => it.xReadGroup(group, consumer, { key: streamKey, id: ">" }, { COUNT: 1, BLOCK: BLOCK_MS }),
      BLOCK_MS + GIVE_UP_MS,
    );
    return streams?.[0]?.messages[0];
  }

  async function handle({ id, message }) {
    await sleep(Math.min(Number(message.ms) || 0, MAX_WORK_MS));
    // Counted and acknowledged in one step. A message whose acknowledgement fails is delivered again later.
    await redis.ask((it) => it.multi().xAck(streamKey, group, id).hIncrBy(PROCESSED_KEY, group, 1).exec());
    log(`processed message ${id}`);
  }

  return {
    increment: () => redis.ask((it) => it.incr(COUNTER_KEY)),

    counter: async () => Number(await redis.ask((it) => it.get(COUNTER_KEY))),

    /** Old messages are trimmed only far behind, where no consumer should be. */
    add: (message) =>
      redis.ask((it) =>
        it.xAdd(streamKey, "*", message, {
          TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: KEEP_ABOUT },
        }),
      ),

    async messages() {
      const [groups, processed] = await redis.ask((it) =>
        Promise.all([it.xInfoGroups(streamKey), it.hGet(PROCESSED_KEY, group)]),
      );
      const own = groups.find(({ name }) => name === group);
      if (!own) throw new Error(`the stream ${streamKey} has no group ${group} yet`);
      return {
        stream: streamKey,
        group,
        processed: Number(processed),
        pending: own.pending,
        waiting: own.lag,
      };
    },

    async health() {
      const answer = await redis
        .ask((it) => it.ping())
        .then(
          () => ({ status: "UP" }),
          (error) => ({ status: "DOWN", error: error.message }),
        );
      const consuming = consumerError ? { status: "DOWN", error: consumerError } : { status: "UP" };
      return { redis: answer, consumer: consuming };
    },

    /**
     * Finishes and acknowledges the message in hand. A read under way is waited for (BLOCK_MS) and not broken off:
     * Redis could just have handed a message to this consumer.
     */
    async stopConsumer() {
      stopping = true;
      await consuming;
    },

    close() {
      redis.close();
      reader.close();
    },
  };
}
