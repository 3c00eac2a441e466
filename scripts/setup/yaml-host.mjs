import path from "node:path";
import { toolchain } from "../lib/paths.mjs";
import { findOnPath, isExecutable } from "../lib/run.mjs";
import { goTool } from "./go-tool.mjs";

const name = "pulumi-language-yaml";

/** A folder with what runs Pulumi programs in YAML: where the CLI has come with one that is it, else one is built from its Go module. */
export async function yamlHostFolder() {
  const own = path.join(toolchain, "bin", name);
  const found = isExecutable(own) ? own : findOnPath(name);
  return path.dirname(found ?? (await built()));
}

function built() {
  return goTool({
    folder: "yaml-host",
    version: "1.32.0",
    source: `github.com/pulumi/pulumi-yaml/cmd/${name}`,
    // As the CLI is built, whose packages it shares.
    flags: ["-gcflags=all=-dwarf=false", "-ldflags=-s -w"],
    instead: `Pulumi's CLI with its ${name}`,
  });
}
