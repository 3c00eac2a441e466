import fc from "fast-check";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { assignments, hash, printingFunction, shellFile, quote } from "../../components/shell";
import { anyText, RUNS } from "./valid";

// Each shell that is there; a host's own sh may be any of them.
const SHELLS = [["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([command]) => spawnSync(command, ["-c", ":"]).error === undefined,
);

/** What a shell prints for a script on its standard input. */
const run = ([command, ...args]: string[], script: string) =>
  execFileSync(command, [...args, "-s"], { input: script }).toString();

// One process for many texts: each ends with a zero byte, which no text contains.
const BATCH = fc.array(anyText, { minLength: 20, maxLength: 20 });
const batches = { numRuns: Math.ceil(RUNS / 10) };
const asBytes = (texts: string[]) => Buffer.from(texts.map((text) => `${text}\0`).join("")).toString();

for (const shell of SHELLS) {
  describe(`${shell.join(" ")} takes as data`, () => {
    it("any quoted text", () => {
      fc.assert(
        fc.property(BATCH, (texts) => {
          const script = texts.map((text) => `printf '%s\\0' ${quote(text)}\n`).join("");
          assert.equal(run(shell, script), asBytes(texts));
        }),
        batches,
      );
    });

    it("any assigned value, also after eval", () => {
      fc.assert(
        fc.property(BATCH, (texts) => {
          const values = Object.fromEntries(texts.map((text, i) => [`V${i}`, text]));
          const script =
            printingFunction("settings", assignments(values)) +
            `eval "$(settings)"\n` +
            texts.map((_, i) => `printf '%s\\0' "$V${i}"\n`).join("");
          assert.equal(run(shell, script), asBytes(texts));
        }),
        batches,
      );
    });

    it("any printed text; it ends with a newline", () => {
      fc.assert(
        fc.property(BATCH, (texts) => {
          const script = texts
            .map((text, i) => `${printingFunction(`f${i}`, text)}f${i}\nprintf '\\0'\n`)
            .join("");
          assert.equal(
            run(shell, script),
            asBytes(texts.map((text) => (text.endsWith("\n") ? text : `${text}\n`))),
          );
        }),
        batches,
      );
    });

    it("a printed text that contains what looks like its end", () => {
      const end = `END_${hash("a\n")}`;
      const text = `${end}\nEND\nEOF\n}\necho pwned\n`;
      assert.equal(run(shell, `${printingFunction("f", text)}f\n`), text);
    });

    it("numbers", () => {
      assert.equal(run(shell, `${assignments({ A: 1, B: 0.5 })}printf '%s %s' "$A" "$B"`), "1 0.5");
    });

    it("the product's own scripts", () => {
      for (const file of readdirSync(path.join(__dirname, "../../components/shell"), {
        recursive: true,
      }) as string[]) {
        if (!file.endsWith(".sh")) continue;
        execFileSync(shell[0], [...shell.slice(1), "-n"], { input: shellFile(file) });
      }
    });
  });
}

describe("the hash", () => {
  it("is that of the text, and short", () => {
    assert.equal(hash("a"), "ca978112ca1bbdca");
    assert.notEqual(hash("a"), hash("b"));
  });
});

describe("the downtime guard", () => {
  const guard = (wanted: string, allowed: boolean, former?: string) =>
    spawnSync("sh", ["-s"], {
      input:
        assignments({ WANTED: wanted, PERMITTED: allowed ? "yes" : "no" }) + shellFile("on-pulumi/guard.sh"),
      env: { PATH: process.env.PATH, ...(former !== undefined && { PULUMI_COMMAND_STDOUT: former }) },
      encoding: "utf8",
    });

  it("passes the first time and when nothing changes, and remembers what it was", () => {
    for (const former of [undefined, "", "proxy.port 80"]) {
      const { status, stdout, stderr } = guard("proxy.port 80", false, former);
      assert.deepEqual([status, stdout, stderr], [0, "proxy.port 80", ""]);
    }
  });

  it("refuses a change, with what is now and what is wanted", () => {
    const { status, stdout, stderr } = guard("proxy.port 81", false, "proxy.port 80");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /\n {2}proxy\.port: 80 -> 81\nNothing was changed: what is live keeps serving\./);
    assert.match(stderr, /What to do next: .*allowDowntime/);
  });

  it("names what only one of both has: a former version did not know all settings", () => {
    const [plain, spoken] = ["proxy.port 80", "proxy.port 80\nproxy.proxyProtocol on"];
    assert.match(guard(spoken, false, plain).stderr, /\n {2}proxy\.proxyProtocol: none -> on\nNothing/);
    assert.match(guard(plain, false, spoken).stderr, /\n {2}proxy\.proxyProtocol: on -> none\nNothing/);
  });

  it("lets a change pass with leave", () => {
    const { status, stdout } = guard("proxy.port 81", true, "proxy.port 80");
    assert.deepEqual([status, stdout], [0, "proxy.port 81"]);
  });
});
