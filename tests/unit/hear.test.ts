import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

/**
 * What is shown of what the part in nginx's container prints, and with what it ends. `docker` is what the Docker client does, as shell
 * code; what it is called with is its "$*".
 */
function hear(printed: string, docker = ":", settings: { [name: string]: string } = {}) {
  const script = `set -eu
${assignments({ PRINTED: printed, ...settings })}
docker() { ${docker}; }
NGINX=shop-nginx-1
${shellFile("on-host/hear.sh")}
printf '%s' "$PRINTED" | hear
`;
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
  assert.equal(stderr, "");
  return { status, shown: stdout };
}

describe("what the part in nginx's container prints", () => {
  it("is shown as it is, and its last line is the exit status", () => {
    const said = "==> staging green: a-b\n==>   two  spaces, a \\ and a ?ended 0\n";
    assert.deepEqual(hear(`${said}?ended 10\n`), { status: 10, shown: said });
    assert.equal(hear(`${said}?ended 0\n`).status, 0);
    assert.equal(hear(said).status, 137, "cut off");
  });

  it("N4 of a gate that waits, gets the last line of the container's log", () => {
    const waits = "?progress shop-green-2 gate: green after 10 of 60 s: none: refused\n?ended 0\n";
    const shown = (log: string) => hear(waits, `[ "$*" = 'logs --tail 5 shop-green-2' ] && ${log}`).shown;
    const said = "==> gate: green after 10 of 60 s: none: refused";
    assert.equal(
      shown("printf 'begins\\nmigration 7 of 9\\n\\n \\n' >&2"),
      `${said}; its log says: migration 7 of 9\n`,
    );
    assert.equal(shown("printf 'a\\033[31m\\007b\\n'"), `${said}; its log says: a [31m b\n`);
    assert.equal(shown("printf '%0999d\\n' 0"), `${said}; its log says: ${"0".repeat(200)}\n`);
    assert.equal(shown(":"), `${said}\n`, "an empty log");
    assert.equal(shown("false"), `${said}\n`, "a log that Docker does not have");
  });
});
