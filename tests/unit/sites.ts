import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const PROGRAM = path.resolve("components/shell/in-nginx/uploaded/sites.awk");

/** What nginx is given to run, from the sites of its services by their names; `certified` are those with a certificate. */
export function assemble(
  sites: { [service: string]: string },
  {
    mode = "open",
    certified = [],
    tlsPort = 443,
  }: { mode?: "open" | "closed" | "test"; certified?: string[]; tlsPort?: number } = {},
): string {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-sites-"));
  try {
    const files = Object.entries(sites).map(([service, text]) => {
      mkdirSync(path.join(folder, service));
      const file = path.join(folder, service, "site.conf");
      writeFileSync(file, text);
      return file;
    });
    const given = { run: "/run/bluegreen", mode, certified: ` ${certified.join(" ")} `, tls_port: tlsPort };
    const variables = Object.entries(given).flatMap(([name, value]) => ["-v", `${name}=${value}`]);
    return execFileSync("awk", [...variables, "-f", PROGRAM, "/dev/null", ...files], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The server that listens there, as the text of its block. */
export function server(config: string, listen: string): string {
  const found = [...config.matchAll(/^server \{\n[^]*?\n\}$/gm)]
    .map(([text]) => text)
    .filter((text) => text.includes(`  listen ${listen};`) || text.includes(`  listen ${listen} `));
  if (found.length !== 1) throw new Error(`${found.length} servers listen at ${listen}:\n${config}`);
  return found[0];
}
