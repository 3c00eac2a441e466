import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

const ANY = { HEALTH_STATUS: "", HEALTH_BODY: "", HEALTH_JSON_FIELD: "", HEALTH_JSON_VALUE: "" };

describe("an answer to the health request", () => {
  const field = (name: string, value: string) => ({ HEALTH_JSON_FIELD: name, HEALTH_JSON_VALUE: value });
  const cases: [settings: object, code: string, body: string, healthy: boolean][] = [
    [{}, "200", "", true],
    [{}, "204", "", true],
    [{}, "301", "", false],
    [{ HEALTH_STATUS: "429" }, "429", "", true],
    [{ HEALTH_STATUS: "429" }, "200", "", false],
    [{ HEALTH_BODY: "fine" }, "200", "all is fine", true],
    [{ HEALTH_BODY: "fine" }, "200", "all is well", false],
    [field("status", "UP"), "200", '{"status":"UP"}', true],
    [field("status", "UP"), "200", '{"status":"DOWN","x":{"status":"UP"}}', false],
    [field("checks.0.ok", "true"), "200", '{"checks":[{"ok":true}]}', true],
    [field("load", "1"), "200", '{"load":1}', true],
    [field("x", "null"), "200", '{"x":null}', true],
    [field("x", "undefined"), "200", "{}", false],
    [field("x.length", "2"), "200", '{"x":"up"}', false],
    [field("status", "UP"), "200", "status UP", false],
  ];
  for (const [settings, code, body, healthy] of cases) {
    it(`${JSON.stringify(settings)}: ${code} ${body} is ${healthy ? "healthy" : "ill"}`, () => {
      assert.deepEqual(probe({ ...ANY, ...settings }, `printf '%s' '${body}' >"$answer"; echo ${code}`), {
        healthy,
        code,
        answer: `HTTP ${code} ${body}`,
      });
    });
  }

  it("none is ill, and tells why", () => {
    const found = probe(ANY, `echo 'curl: (52) Empty reply' >"$answer.error"; echo 000; return 52`);
    assert.deepEqual(found, {
      healthy: false,
      code: "none",
      answer: "no complete answer: curl: (52) Empty reply ",
    });
  });

  it("N4 does not tell a header of health.headers, even where the app answers with it", () => {
    const settings = { ...ANY, HEALTH_HEADERS: "Authorization X-Short" };
    const headers = "Authorization: Bearer t0ken.[a]*\nX-Short: abc";
    const found = probe(
      settings,
      `printf 'abc: Bearer t0ken.[a]*, and Bearer t0ken.[a]*' >"$answer"; echo 200`,
      headers,
    );
    assert.equal(found.answer, "HTTP 200 abc: [health.headers], and [health.headers]");
    // Also where only a part of it would have been told.
    const long = probe(settings, `printf '%0295dBearer t0ken.[a]*' 0 >"$answer"; echo 200`, headers);
    assert.doesNotMatch(long.answer, /Be/);
  });

  it("N4 without the headers is none, and asks nobody", () => {
    assert.deepEqual(probe({ ...ANY, HEALTH_HEADERS: "Authorization" }, "exit 1"), {
      healthy: false,
      code: "none",
      answer: "none: nginx does not have the headers of health.headers",
    });
  });

  it("is told without nginx's HTML", () => {
    const page =
      "<html><head><title>502 Bad Gateway</title></head><body><hr><center>nginx</center></body></html>";
    assert.equal(
      probe(ANY, `printf '${page}' >"$answer"; echo 502`).answer,
      "HTTP 502 with a page of nginx's",
    );
  });

  it("is told in one line, and leaves no file behind", () => {
    const { answer } = probe(ANY, String.raw`printf 'a\n\007b' >"$answer"; echo 200`);
    assert.equal(answer, "HTTP 200 a  b");
  });
});

/** What probe() makes of what this shell code answers in place of curl. */
function probe(settings: { [name: string]: string }, curl: string, headers?: string) {
  const script = `set -eu
${assignments({ ...settings, HEADERS: headers ?? "" })}
${shellFile("in-nginx/piped/probe.sh")}
RUN=$(mktemp -d) PLACE=$(mktemp -d)
${headers === undefined ? "" : `printf '%s\\n' "$HEADERS" >"$PLACE/health-headers"`}
ask_as_user() { ${curl}; }
if probe shop-blue-1; then healthy=true; else healthy=false; fi
rmdir "$RUN"
rm -r "$PLACE"
printf '{"healthy":%s,"code":"%s","answer":"%s"}' "$healthy" "$probe_code" "$(printf '%s' "$last_answer" | sed 's/"/\\\\"/g')"
`;
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { healthy: boolean; code: string; answer: string };
}
