import assert from "node:assert/strict";
import { parse } from "yaml";
import type { BlueGreenServiceArgs } from "../../../components/index";
import { readSettings } from "../../../components/settings";
import { argumentsOf } from "../../../components/settings/config";
import type { Ran } from "./cli";

interface StackFile {
  config: { [key: string]: unknown };
}

/** The arguments that the component gets of what was printed, by its own way of reading a stack's configuration. */
export function argsOf({ code, out, err }: Ran): BlueGreenServiceArgs {
  assert.equal(code, 0, err);
  const { config } = parse(out) as StackFile;
  const raw = Object.entries(config).map(([key, value]): [string, string] => {
    assert.match(key, /^shop:/);
    return [key.slice("shop:".length), typeof value === "string" ? value : JSON.stringify(value)];
  });
  const args = argumentsOf(Object.fromEntries(raw));
  readSettings("shop", args);
  return args;
}
