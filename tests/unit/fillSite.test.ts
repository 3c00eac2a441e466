import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { fill, fillSite } from "../../components/nginx/fillSite";
import { renderStagedSite, renderTemplates } from "../../components/nginx/site";
import { assignments, shellFiles } from "../../components/shell";
import { LEAST, RUNS, settingsOf } from "./valid";

describe("a site is filled in by the switch as status does it", () => {
  // A shell's "echo" makes something else of these.
  const nginxConfig = String.raw`if ($http_own ~ \bno\b|\n|\\\\) { return 403; }`;
  const side = fc.record({
    container: fc.constantFrom("shop-blue-1a2", "a.b"),
    port: fc.integer({ min: 1, max: 65_535 }),
    replicas: fc.integer({ min: 1, max: 16 }),
  });
  type Side = typeof side extends fc.Arbitrary<infer T> ? T : never;

  for (const replicas of [1, 3])
    it(`whatever is in the settings, beside an idle color or not, with replicas ${replicas}`, () => {
      const settings = settingsOf({ ...LEAST, replicas, proxy: { nginxConfig } });
      const templates = renderTemplates(settings);
      const staged = renderStagedSite(settings);
      const given = {
        SERVICE: "shop",
        SITE_TEMPLATE: templates.site,
        PREVIEW_TEMPLATE: templates.preview,
        NO_PREVIEW: templates.noPreview,
        STAGED_TEMPLATE: staged,
      };
      const args = (one: Side | null) =>
        one === null ? "'' '' ''" : `${one.container} ${one.port} ${one.replicas}`;
      fc.assert(
        fc.property(side, fc.option(side), (live, idle) => {
          const script = `set -eu
${assignments(given)}
${shellFiles("in-both/replicas.sh", "in-nginx/piped/steps.sh")}
fill_site blue ${args(live)} ${args(idle)}
printf '%s\\n' "$next_site" ===
printf '%s' "$STAGED_TEMPLATE" | fill candidate ${args(live)}
`;
          const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
          assert.equal(stderr, "");
          const wanted = fillSite(
            templates,
            "shop",
            { color: "blue", ...live },
            idle ? { color: "green", ...idle } : undefined,
          );
          assert.deepEqual(stdout.split("===\n"), [wanted, fill("candidate", staged, live)]);
        }),
        { numRuns: Math.min(RUNS, 10) },
      );
    });
});
