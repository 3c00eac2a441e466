/// <reference lib="es2023" />
// Where Pulumi runs this as a plugin, it does not read the tsconfig.json here.
export * from "./args";
export { BlueGreenService } from "./blueGreenService";
