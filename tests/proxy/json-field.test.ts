import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { NGINX_IMAGE } from "../../components/settings";
import { shellFile, quote } from "../../components/shell";

const FUNCTION = /^json_field\(\) \{\n[^]*?\n\}\n/m.exec(shellFile("in-nginx/piped/probe.sh"))?.[0] ?? "";
const CASES = Number(process.env.BLUEGREEN_CASES ?? 200);

interface Lookup {
  text: string;
  field: string;
}

/** What json_field prints for each, undefined where it fails. One shell in the proxy's image for all of them. */
function lookUp(lookups: Lookup[]): (string | undefined)[] {
  const calls = lookups.map(
    ({ text, field }) => `printf '%s' ${quote(text)} | json_field ${quote(field)}\nprintf '\\0%s\\0' "$?"\n`,
  );
  const { status, stdout, stderr } = spawnSync(
    "docker",
    ["run", "--rm", "--interactive", NGINX_IMAGE, "sh", "-s"],
    {
      input: FUNCTION + calls.join(""),
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  const parts = stdout.split("\0");
  assert.equal(parts.length, 2 * lookups.length + 1);
  return lookups.map((_, i) => (parts[2 * i + 1] === "0" ? parts[2 * i] : undefined));
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const sign = fc.constantFrom(...`abUP 019"\\/\n\t\r\b\f{}[]:,'$\`*é€`);
const text = fc.oneof(fc.constantFrom("UP", "DOWN", "true", "1"), fc.string({ unit: sign, maxLength: 8 }));
// A dot in a key is a step of the path.
const key = fc.oneof(
  fc.constantFrom("status", "components", "db", "0", "1", "00", "10", "1e1"),
  fc.string({ unit: sign, minLength: 1, maxLength: 4 }),
);
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const json = fc.letrec<{ value: Json; container: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    tie("container"),
  ),
  container: fc.oneof(
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).container;

/** Every path in it, with the word or the text that stands there; undefined for what is no word. */
function paths(value: Json, prefix: string[] = []): [string, string | undefined][] {
  const here: [string, string | undefined] = [prefix.join("."), wordOf(value)];
  if (typeof value !== "object" || value === null) return [here];
  const inner = Object.entries(value).flatMap(([name, item]) => paths(item, [...prefix, name]));
  return prefix.length === 0 ? inner : [here, ...inner];
}
function wordOf(value: Json): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? undefined : JSON.stringify(value);
}

const batch = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: CASES, maxLength: CASES });
// A failure of a batch is told with its first case, which shrinking would take long to find.
const once = { numRuns: 1, endOnFailure: true };

describe("json_field", () => {
  it("finds what JSON.parse finds, at every path, however the text is laid out", () => {
    const one = fc.record({ value: json, indent: fc.constantFrom(0, 2, "\t") });
    fc.assert(
      fc.property(batch(one), (cases) => {
        const wanted = cases.flatMap(({ value, indent }) => {
          const written = JSON.stringify(value, null, indent);
          // Not parsed from what is written: JSON.parse of Node.js 24 takes the key "\b" for "\\" once it has met that one.
          return paths(value).map(([field, expected]) => ({
            text: written,
            field,
            expected,
          }));
        });
        assert.ok(wanted.length > CASES, "hardly a path was generated");
        lookUp(wanted).forEach((found, i) =>
          assert.equal(found, wanted[i].expected, JSON.stringify(wanted[i])),
        );
      }),
      once,
    );
  });

  it("finds nothing at a path that is not there", () => {
    fc.assert(
      fc.property(batch(fc.tuple(json, key)), (cases) => {
        const missing = cases.map(([value, last]) => ({
          text: JSON.stringify(value),
          field: `no.such.${last}`,
        }));
        lookUp(missing).forEach((found, i) => assert.equal(found, undefined, JSON.stringify(missing[i])));
      }),
      once,
    );
  });

  it("finds nothing in a text that was cut off", () => {
    const one = fc.record({ value: json, at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) });
    fc.assert(
      fc.property(batch(one), (cases) => {
        const cut = cases.flatMap(({ value, at }) => {
          const written = JSON.stringify(value);
          const part = written.slice(0, Math.floor(written.length * at));
          return paths(value).map(([field]) => ({ text: part, field }));
        });
        lookUp(cut).forEach((found, i) => assert.equal(found, undefined, JSON.stringify(cut[i])));
      }),
      once,
    );
  });

  it("takes a nested field for what it is", () => {
    const text = '{"status":"DOWN","components":[{"status":"UP"}],"a.b":1,"status2":"UP"}';
    const found = lookUp(
      ["status", "components.0.status", "components.1.status", "components"].map((field) => ({
        text,
        field,
      })),
    );
    assert.deepEqual(found, ["DOWN", "UP", undefined, undefined]);
  });
});
