import { main } from "./lib/log.mjs";
import { readOptions } from "./lib/options.mjs";
import { inWords, look, whichStack } from "./lib/status.mjs";

const usage = `npm run status                  whether the proxy does what the stack says; exit code 2 where it does not, 1 where that can't be told
npm run status -- --json        the same for programs, with all that was found
npm run status -- --history     with every switch that the journal has
npm run status -- -s STACK      of another stack than the selected one
npm run status -- -C FOLDER     of a Pulumi program in another folder`;

await main(async () => {
  const flags = { json: { type: "boolean" }, history: { type: "boolean" } };
  const { json, history, ...which } = readOptions({ ...whichStack, ...flags }, usage);
  const reports = (await look(which)).map(({ report }) => report);
  if (json) console.log(JSON.stringify(reports, null, 2));
  else console.log(reports.map((report) => inWords(report, history ? Infinity : 3)).join("\n\n"));
  if (reports.some(({ inOrder }) => !inOrder)) process.exitCode = 2;
});
