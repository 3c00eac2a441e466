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
  // So does the official plugin; without it, its first run on a state would be an update of the provider.
  checkConfig: (inputs) => ({
    inputs: { ...inputs, "__pulumi-go-provider-version": "1.2.0" },
    failures: [],
  }),
  configure: () => undefined,
});
