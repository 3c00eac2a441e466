import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const list = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
const PAGES = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
const read = (page: string) => readFileSync(path.join(ROOT, page), "utf8");
/** What stands in a block of code, or between backquotes, is no link and no heading. */
const prose = (page: string) =>
  read(page)
    .replace(/^ *```[\s\S]*?^ *```$/gm, "")
    .replace(/`[^`\n]*`/g, "``");

/** As GitHub makes them of headings. */
function anchors(page: string): Set<string> {
  const headings = read(page)
    .replace(/^ *```[\s\S]*?^ *```$/gm, "")
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("the docs", () => {
  it("every link to a file or a heading leads there", () => {
    const wrong = PAGES.flatMap((page) =>
      [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link)
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [file, anchor] = link.split("#");
          const target = file === "" ? page : path.join(path.dirname(page), file);
          if (!existsSync(path.join(ROOT, target))) return true;
          return anchor !== undefined && !anchors(target).has(anchor);
        })
        .map((link) => `${page}: ${link}`),
    );
    assert.deepEqual(wrong, []);
  });

  it("the README leads to every page and every example", () => {
    const linked = new Set(
      [...prose("README.md").matchAll(/\]\(([^)#\s]+)/g)].map(([, file]) => path.normalize(file)),
    );
    const pages = PAGES.filter((page) => page.startsWith("docs/"));
    const examples = PAGES.filter((page) => /^examples\/[^/]+\/README\.md$/.test(page)).map(
      (page) => `${path.dirname(page)}/`,
    );
    assert.deepEqual(
      [...pages, ...examples].filter((page) => !linked.has(page)),
      [],
    );
  });

  it("a how-to for an app shows the files that its test runs with", () => {
    const shown: { [page: string]: { [block: string]: string } } = {
      "spring-boot": {
        yaml: "spring/Pulumi.prod.yaml",
        properties: "spring/src/main/resources/application.properties",
      },
      django: { yaml: "django/Pulumi.prod.yaml" },
      "front-end": { yaml: "vite/Pulumi.prod.yaml", nginx: "vite/nginx.conf" },
    };
    for (const [page, blocks] of Object.entries(shown)) {
      for (const [language, file] of Object.entries(blocks)) {
        const [, block] =
          new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m").exec(read(`docs/how-to/${page}.md`)) ?? [];
        const text = read(`tests/services/${file}`);
        // Of a stack's file, what is below "config:".
        assert.equal(
          block,
          language === "yaml" ? text.replace("config:\n", "").replace(/^ {2}/gm, "") : text,
          file,
        );
      }
    }
  });
});
