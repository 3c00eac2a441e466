import { serve } from "../rpc/serve.ts";
import { Client } from "./client.ts";
import { checkConfig, hostOf } from "./config.ts";
import { container } from "./container.ts";
import { remoteImage } from "./image.ts";
import { network } from "./network.ts";
import { registryImage } from "./registry.ts";
import { volume } from "./volume.ts";

const client = new Client();

await serve({
  name: "docker",
  version: "5.2.0",
  resources: {
    "docker:index/network:Network": network(client),
    "docker:index/volume:Volume": volume(client),
    "docker:index/container:Container": container(client),
    "docker:index/remoteImage:RemoteImage": remoteImage(client),
  },
  functions: { "docker:index/getRegistryImage:getRegistryImage": registryImage(client) },
  checkConfig,
  configure: (config) => client.configure(hostOf(config)),
});
