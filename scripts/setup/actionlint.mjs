import { findOnPath } from "../lib/run.mjs";
import { goTool } from "./go-tool.mjs";

const version = "1.7.12";

/** The checker of GitHub workflows: the one on PATH, else one built from its Go module, in 10 seconds. */
export async function actionlint() {
  return (
    findOnPath("actionlint") ??
    goTool({
      folder: "actionlint",
      version,
      source: "github.com/rhysd/actionlint/cmd/actionlint",
      instead: `actionlint ${version}`,
    })
  );
}
