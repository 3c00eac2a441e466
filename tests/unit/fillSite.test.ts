import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fillSite } from "../../components/nginx/fillSite";
import { renderTemplates } from "../../components/nginx/site";
import { assignments, shellFile } from "../../components/shell";
import { LEAST, settingsOf } from "./valid";

describe("a site is filled in by the switch as status does it", () => {
  // A shell's "echo" makes something else of these.
  const nginxConfig = String.raw`if ($http_own ~ \bno\b|\n|\\\\) { return 403; }`;
  const templates = renderTemplates(settingsOf({ ...LEAST, proxy: { nginxConfig } }));
  const live = { color: "blue", container: "shop-blue-1", port: 3000 };
  const idle = { color: "green", container: "shop-green-2", port: 4000 };

  for (const [what, side] of [["", undefined] as const, [" beside an idle color", idle] as const]) {
    it(`whatever is in the settings${what}`, () => {
      const { site, preview, noPreview } = templates;
      const given = {
        SERVICE: "shop",
        SITE_TEMPLATE: site,
        PREVIEW_TEMPLATE: preview,
        NO_PREVIEW: noPreview,
      };
      const script = `set -eu
${assignments(given)}
${shellFile("in-nginx/piped/steps.sh")}
fill_site blue shop-blue-1 3000 '${side?.container ?? ""}' '${side?.port ?? ""}'
printf '%s\\n' "$next_site"
`;
      const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
      assert.equal(stderr, "");
      assert.equal(stdout, fillSite(templates, "shop", live, side));
    });
  }
});
