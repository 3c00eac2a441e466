import { serve } from "../rpc/serve.ts";
import { command } from "./command.ts";
import { checkLocal, kinds as localKinds, runLocal } from "./local.ts";
import { checkRemote, kinds as remoteKinds, runRemote } from "./remote.ts";

await serve({
  name: "command",
  version: "1.2.1",
  resources: {
    "command:local:Command": command(localKinds, checkLocal, runLocal),
    "command:remote:Command": command(remoteKinds, checkRemote, runRemote),
  },
  checkConfig: (inputs) => ({ inputs, failures: [] }),
  configure: () => undefined,
});
