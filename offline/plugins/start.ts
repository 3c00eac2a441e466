/** Starts the plugin that is named by the first argument. Every `pulumi` command pays for this, so compiled code is kept. */
import module from "node:module";
import path from "node:path";

const checkout = path.join(import.meta.dirname, "../..");
// Not by its environment variable: a local command would inherit it.
module.enableCompileCache(path.join(checkout, "node_modules/.cache/stand-ins"));

const [name] = process.argv.splice(2, 1);
await import(`./${name}/main.ts`);

// The engine kills its plugins, so the end of the process is too late.
setImmediate(module.flushCompileCache);
