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

/** What the host's part tells of a container's health, given what the Docker client does. */
function checked(kind: "command" | "image", docker: string, settings: { [name: string]: string } = {}) {
  const answers = `case "$1 $2" in
    "exec -i") shift 6; echo "$2"; cat ;;
    *) ${docker} ;;
  esac`;
  const given = { HEALTH_COMMAND: "'pg_isready' 'it'\\''s' '$(id)' ''", HEALTH_TIMEOUT: "1", ...settings };
  const { shown } = hear(`?${kind} shop-green-2 77\n?ended 0\n`, answers, given);
  const [file, verdict, said, ...rest] = shown.split("\n");
  assert.deepEqual([file, rest], ["/run/bluegreen/told.77", [""]]);
  return `${verdict} | ${said}`;
}

describe("N4 the health that only Docker can tell", () => {
  const OCI = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "pg_isready":';
  const COMMANDS: { [what: string]: [docker: string, told: string] } = {
    "every word of it, as it is": [
      `[ "$2 $3 $4 $5 $6 $#" = "shop-green-2 pg_isready it's \\$(id)  6" ]`,
      "passed | exit code 0",
    ],
    "one that fails, with what it says": [
      "echo 'no\nresponse'; return 2",
      "command-failed | exit code 2: no response",
    ],
    "one that takes too long": ["sleep 3", "command-slow | it did not end within 1 s"],
    "one that the image does not have": [
      `echo '${OCI} executable file not found in $PATH: unknown'; return 126`,
      "command-missing for-ever | no such command in the image: pg_isready",
    ],
    "a path that the image does not have": [
      `echo '${OCI} stat /nosuch: no such file or directory: unknown'; return 127`,
      "command-missing for-ever | no such command in the image: pg_isready",
    ],
    "one that its user may not run": [
      `echo '${OCI} permission denied: unknown'; return 126`,
      "command-denied for-ever | the command can't be run: pg_isready",
    ],
    "what a script of its own does not find": [
      "echo 'sh: 1: nosuch: not found'; return 127",
      "command-failed | exit code 127: sh: 1: nosuch: not found",
    ],
    "a container that does not run": [
      "echo 'Error response from daemon: Container 1a is not running' >&2; return 1",
      "not-running | Error response from daemon: Container 1a is not running",
    ],
  };
  for (const [what, [docker, told]] of Object.entries(COMMANDS))
    it(`by a command: ${what}`, () => assert.equal(checked("command", docker), told));

  const IMAGES: { [what: string]: [docker: string, told: string] } = {
    healthy: [
      `printf 'running healthy\nits last check ended with 0: "ok"\n'`,
      `passed | healthy, its last check ended with 0: "ok"`,
    ],
    starting: ["echo running starting", "image-starting | starting"],
    unhealthy: [
      `printf 'running unhealthy\nthe first\nits last check ended with 3: "no"\n'`,
      `image-unhealthy | unhealthy, its last check ended with 3: "no"`,
    ],
    "without one": ["echo running none", "image-none for-ever | the image has no HEALTHCHECK"],
    "that does not run": ["echo exited none", "not-running | the container is exited"],
  };
  for (const [what, [docker, told]] of Object.entries(IMAGES))
    it(`by the image's own check: ${what}`, () => assert.equal(checked("image", docker), told));
});
