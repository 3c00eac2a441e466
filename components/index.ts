export * from "./args";
export { BlueGreenService } from "./blueGreenService";
