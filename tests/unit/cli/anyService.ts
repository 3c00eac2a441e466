import fc from "fast-check";
import { composeSchema } from "../../../components/cli/compose/schema";

interface Schema extends Parts {
  $ref?: string;
  oneOf?: unknown[];
  anyOf?: unknown[];
  type?: string | string[];
  enum?: string[];
  properties?: Parts["members"];
}
interface Parts {
  members?: { [key: string]: unknown };
  patternProperties?: { [pattern: string]: unknown };
  items?: unknown;
  required?: string[];
}

/** Values that a schema allows, roughly: what it refuses all the same is refused in words. */
export const anyOf = (schema: unknown, depth = 0): fc.Arbitrary<unknown> => {
  const {
    $ref,
    oneOf,
    anyOf: any,
    type,
    enum: values,
    properties: members,
    patternProperties,
    items,
    required,
  } = schema as Schema;
  if ($ref !== undefined)
    return anyOf(composeSchema().definitions[$ref.replace("#/definitions/", "") as "service"], depth);
  const choices = oneOf ?? any;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => anyOf(one, depth)));
  if (values !== undefined) return fc.constantFrom(...values);
  const types = [type ?? "string"].flat();
  return fc.oneof(...types.map((one) => ofType(one, { members, patternProperties, items, required }, depth)));
};
const word = fc.constantFrom(
  ...[
    "a",
    "web",
    "redis",
    "db",
    "x:/y",
    "./d:/e:ro",
    "80:8000",
    "127.0.0.1:1:2/udp",
    "1m30s",
    "512m",
    "A=b",
    "no-new-privileges:true",
  ],
  ...[
    "on-failure:2",
    "",
    "0",
    "5",
    "1.5",
    "true",
    "/run:size=1m",
    "curl -f localhost:8000/h | grep ok",
    "$$X",
    "NET_ADMIN",
    "__proto__",
    "a b 'c",
  ],
);
const ofType = (
  type: string,
  { members, patternProperties, items, required = [] }: Parts,
  depth: number,
): fc.Arbitrary<unknown> => {
  if (type === "boolean") return fc.boolean();
  if (type === "null") return fc.constant(null);
  if (type === "integer" || type === "number") return fc.oneof(fc.nat(100_000), fc.constantFrom(-1, 0, 1.5));
  if (type === "array") return fc.uniqueArray(anyOf(items ?? {}, depth + 1), { maxLength: 3 });
  if (type !== "object") return fc.oneof(word, fc.string({ maxLength: 8 }));
  const known = Object.entries(members ?? {}).map(
    ([key, one]) => [key, depth > 3 ? word : anyOf(one, depth + 1)] as const,
  );
  if (known.length > 0) return fc.record(Object.fromEntries(known), { requiredKeys: required });
  const [inner] = Object.entries(patternProperties ?? {})
    .filter(([key]) => key !== "^x-")
    .map(([, one]) => one);
  const name = fc.constantFrom(
    "a",
    "redis",
    "db",
    "nofile",
    "A_B",
    "default",
    "PORT",
    "REDIS_URL",
    "traefik.enable",
  );
  return fc.dictionary(name, inner === undefined ? word : anyOf(inner, depth + 1), { maxKeys: 3 });
};
