import path from "node:path";
import { useService } from "../support/demo";
import { docker } from "../support/docker";
import { ExampleStack } from "../support/example";
import { losesNothing as loses } from "../support/load";
import type { Options } from "../support/load-generator";
import { use, type TestStack } from "../support/stack";

/** Two versions of a service of this folder, and a stack with its settings, whose colors both have the first one. */
export function useShop(name: Parameters<typeof useService>[0]) {
  const [first, second] = [useService(name, "1.0.0"), useService(name, "1.1.0")];
  const settings = path.join(__dirname, name, "Pulumi.prod.yaml");
  const colors = { blue: { image: first }, green: { image: first } };
  return { first, second, stack: use(new ExampleStack("single", colors, { name: "prod", settings })) };
}

/** What is quick, and what is under way during a change. */
const REQUESTS = ["/", "/", "/", "/slow"].map((path) => ({ method: "GET" as const, path }));

/** A tenth of the usual load: these apps do more for an answer, and a release of one is a JVM that starts beside it. */
export const losesNothing = (
  port: number,
  change: Parameters<typeof loses>[1],
  options: Partial<Options> = {},
) =>
  loses(port, change, { requests: REQUESTS, pauseMs: 1000, timeoutMs: 20_000, maxSeconds: 600, ...options });

/** From where a client on this machine comes to a published port, as nginx sees it: the gateway of the ingress's network. */
export async function gatewayOf(stack: TestStack): Promise<string> {
  const { Id } = await stack.container("edge");
  return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", Id);
}
