import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import assert from "node:assert/strict";
import path from "node:path";

const COMPONENTS = path.resolve("components");

describe("the schema, which other languages see", () => {
  const own = { name: "bluegreen", version: "0.2.0", main: "index.ts" };
  const found = new Analyzer(COMPONENTS, own.name, own, new Set(["BlueGreenService"])).analyze();
  const schema = generateSchema(
    own.name,
    own.version,
    "",
    found.components,
    found.typeDefinitions,
    found.dependencies,
  );

  it("says of every setting and every output what it is", () => {
    const resource = schema.resources["bluegreen:index:BlueGreenService"];
    const described = {
      input: resource.inputProperties,
      output: resource.properties,
      ...Object.fromEntries(Object.entries(schema.types).map(([name, { properties }]) => [name, properties])),
    };
    const silent = Object.entries(described).flatMap(([of, properties = {}]) =>
      Object.entries(properties).flatMap(([name, { description }]) => (description ? [] : [`${of} ${name}`])),
    );
    assert.deepEqual(silent, []);
    assert.ok(Object.keys(resource.inputProperties ?? {}).length > 20);
  });
});
