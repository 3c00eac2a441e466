/// <reference lib="es2023" />
// Where Pulumi runs this as a plugin, it does not read the tsconfig.json here.
export * from "./settings/args";
export { readConfig } from "./settings/config";
export { BlueGreenService } from "./blueGreenService";
export { Ingress } from "./ingress";
