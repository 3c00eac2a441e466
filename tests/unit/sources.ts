import { readFileSync } from "node:fs";
import path from "node:path";
import { parse as parseYaml } from "yaml";

/** The configuration of a stack's file in the checkout, as the engine hands it over. */
export function stackConfig(stack: string): { [key: string]: string } {
  const text = readFileSync(path.resolve(__dirname, `../../Pulumi.${stack}.yaml`), "utf8");
  const { config } = parseYaml(text) as { config: { [key: string]: unknown } };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key.replace(/^bluegreen:/, ""),
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
