import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Failure } from "../scripts/lib/log.mjs";
import { cache, root } from "../scripts/lib/paths.mjs";
import { capture, findOnPath, isExecutable } from "../scripts/lib/run.mjs";

const version = "v3.274.1";

const tools = [
  {
    folder: "cli",
    binary: "pulumi",
    label: "CLI",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // The version is stamped in by the official build too; the engine compares it with what the SDK asks for.
    linkerFlags: `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`,
  },
  {
    folder: "language-host",
    binary: "pulumi-language-nodejs",
    label: "language host",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    linkerFlags: "-s -w",
  },
];

/** Where the built tools are: a folder for each set of sources and kind of machine, shared by all checkouts. */
export const offlineBin = path.join(
  cache,
  `offline-${version}-${os.platform()}-${os.arch()}-${sourcesHash()}/bin`,
);

function sourcesHash() {
  const hash = createHash("sha256");
  for (const { folder } of tools) {
    for (const file of ["go.mod", "go.sum"])
      hash.update(readFileSync(path.join(root, "offline", folder, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** Builds the Pulumi CLI and its Node.js language host from their Go modules, unless the cache has them. */
export async function buildToolchain(status) {
  const missing = tools.filter((tool) => !isExecutable(path.join(offlineBin, tool.binary)));
  if (missing.length === 0) return;
  await checkGo();
  mkdirSync(offlineBin, { recursive: true });
  // One after the other: each build uses all cores by itself.
  for (const tool of missing) await build(tool, status);
}

async function checkGo() {
  const { stdout } = await capture("go", ["env", "GOVERSION"]);
  if (/^go1\.(2[1-9]|[3-9]\d)/.test(stdout)) return;
  const found = findOnPath("go")
    ? `this machine has ${stdout.trim() || "an unknown one"}`
    : "there is none on PATH";
  throw new Failure(
    `Pulumi can't be downloaded here, and building it needs Go 1.21 or newer; ${found}. Install Go, or a Pulumi CLI ${version} with the docker and command plugins, and run this again.`,
  );
}

/** Into a temporary name first, so that two runs at once, or a run cut short, never leave half a binary. */
async function build(tool, status) {
  const total = await countPackages(tool, status);
  const target = path.join(offlineBin, tool.binary);
  const temporary = `${target}.${process.pid}`;
  let compiled = 0;
  status(`${tool.label}: compiling ${total} packages`);
  const { ok, stderr } = await go(
    tool,
    [
      "build",
      "-v", // names each package when it is done
      "-trimpath",
      "-gcflags=all=-dwarf=false", // no debug information: a quarter less work
      `-ldflags=${tool.linkerFlags}`,
      `-o=${temporary}`,
      tool.package,
    ],
    () => status(`${tool.label}: compiled ${++compiled} of ${total} packages`),
  );
  if (!ok)
    throw new Failure(`Building ${tool.package} failed:\n${stderr.trim().split("\n").slice(-20).join("\n")}`);
  renameSync(temporary, target);
}

/** Downloads the sources, which go does by itself, and tells how many packages there are to compile. */
async function countPackages(tool, status) {
  let downloads = 0;
  const { ok, stdout, stderr } = await go(tool, ["list", "-deps", tool.package], (line) => {
    if (line.startsWith("go: downloading")) status(`${tool.label}: ${++downloads} modules downloaded`);
  });
  if (!ok) throw new Failure(`The Go modules of ${tool.label} could not be downloaded:\n${stderr.trim()}`);
  return stdout.trim().split("\n").length;
}

function go(tool, args, onLine) {
  return capture("go", args, {
    cwd: path.join(root, "offline", tool.folder),
    // No C compiler is needed, and nothing of the user's own settings changes what is built.
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
    onLine,
  });
}
