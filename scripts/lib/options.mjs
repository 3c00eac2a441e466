import { parseArgs } from "node:util";
import { Failure } from "./log.mjs";

/**
 * The options of a command of `npm run`. `--help` prints the usage and ends the command. A word that is no option is a
 * failure, unless the command takes `words`.
 */
export function readOptions(options, usage, { words = false } = {}) {
  let found;
  try {
    const help = { type: "boolean", short: "h" };
    found = parseArgs({ options: { ...options, help }, allowPositionals: words });
  } catch (error) {
    // What follows the first sentence is about programs that take file names.
    throw new Failure(`${error.message.split(". ")[0]}. Nothing was changed.\n\n${usage}`);
  }
  const { help, ...values } = found.values;
  if (help) {
    console.log(usage);
    process.exit(0);
  }
  return words ? { ...values, words: found.positionals } : values;
}
