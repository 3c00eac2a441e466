import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { importService } from "../../../components/cli/compose/map";
import { asTypeScript, asYaml, report } from "../../../components/cli/compose/print";
import { ImportError } from "../../../components/cli/compose/problem";
import { readProject } from "../../../components/cli/compose/project";
import { composeSchema } from "../../../components/cli/compose/schema";
import { readSettings } from "../../../components/settings";
import { RUNS } from "../valid";
import { anyOf } from "./anyService";
import { useFolder } from "./cli";

describe("any compose service", () => {
  const { write } = useFolder();
  const { properties } = composeSchema().definitions.service;

  it("never a crash, and each key is a setting or is named", () => {
    const keys = Object.keys(properties).filter(
      (key) => !["extends", "env_file", "label_file"].includes(key),
    );
    const service = fc
      .uniqueArray(fc.constantFrom(...keys), { maxLength: 6 })
      .chain((some) => fc.record(Object.fromEntries(some.map((key) => [key, anyOf(properties[key])]))));
    let imports = 0;
    fc.assert(
      fc.property(service, service, (web, jobs) => {
        const text = stringify(
          {
            services: {
              web: { ...web, image: "shop:1.0.0" },
              // A worker of it, perhaps.
              jobs: { command: "celery worker", ...jobs, image: "shop:1.0.0" },
              redis: { image: "redis:8.0.6" },
              db: { image: "postgres:16" },
            },
          },
          { aliasDuplicateObjects: false },
        );
        try {
          const project = readProject(write("any/compose.yml", text), { env: {} });
          const imported = importService(project, "web", {});
          readSettings("web", imported.findings.args());
          for (const key of Object.keys(web)) assert.ok(imported.findings.keys.has(key), `${key} is lost`);
          for (const { reason } of imported.findings.leftOut) assert.notEqual(reason, "is not read");
          const names = { service: "web", pulumiProject: "shop" };
          asYaml(project, names, imported);
          asTypeScript(project, names, imported);
          report(project, names, imported, "yaml");
          imports++;
        } catch (error) {
          if (!(error instanceof ImportError)) throw error;
        }
      }),
      { numRuns: RUNS * 2 },
    );
    assert.ok(imports > RUNS / 2, `only ${imports} were no errors`);
  });

  it("each key of the schema by itself is a setting or is named", () => {
    for (const [key, one] of Object.entries(properties)) {
      if (["extends", "env_file", "label_file"].includes(key)) continue;
      const [value] = fc.sample(
        anyOf(one).filter((value) => value !== null),
        { numRuns: 1, seed: 5 },
      );
      const text = stringify(
        { services: { web: { [key]: value, image: "shop:1.0.0" } } },
        { aliasDuplicateObjects: false },
      );
      let imported;
      try {
        imported = importService(readProject(write("one/compose.yml", text), { env: {} }), "web", {});
      } catch (error) {
        if (error instanceof ImportError) continue;
        throw error;
      }
      assert.ok(imported.findings.keys.has(key), key);
      assert.ok(
        !imported.findings.leftOut.some(({ reason }) => reason === "is not read"),
        `${key} has no row`,
      );
    }
  });
});
