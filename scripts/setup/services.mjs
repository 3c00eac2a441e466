import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import path from "node:path";
import { track } from "../lib/log.mjs";
import { cache, root } from "../lib/paths.mjs";
import { must } from "../lib/run.mjs";
import { ensureRuntimeImages } from "./images.mjs";
import { ensureTestTools } from "./test-tools.mjs";

/** What builds each of the services in tests/services/, in a copy of its folder; its image is made from that. */
const builds = {
  spring: [["mvn", "--batch-mode", "--no-transfer-progress", "package"]],
  // The wheels are those for the image's Python, whatever this machine has.
  django: [
    [
      ...["pip3", "download", "--only-binary=:all:", "--python-version=3.13"],
      ...["--dest=wheels", "--requirement=requirements.txt"],
    ],
  ],
  vite: [
    ["npm", "ci", "--no-audit", "--no-fund"],
    ...["1.0.0", "1.1.0"].map((version) => [
      ...["env", `VERSION=${version}`, "npm", "run", "build", "--", `--outDir=dist/${version}`],
    ]),
  ],
};

/** With Debian's packages that they are in. */
const tools = { mvn: "maven default-jdk-headless", pip3: "python3-pip", chromium: "chromium" };

/** What the tests of real services need: tools, the images that theirs are made from, and the services themselves. */
export async function ensureServices() {
  await ensureTestTools(tools);
  await Promise.all([ensureRuntimeImages(), ...Object.keys(builds).map(buildService)]);
}

/** The folder that a service's image is made from: its sources with what was built of them. It is made once and stays in the cache. */
export async function buildService(name) {
  const sources = path.join(root, "tests/services", name);
  const files = filesIn(sources);
  const hash = createHash("sha256").update(JSON.stringify(builds[name]));
  for (const file of files) hash.update(file).update(readFileSync(path.join(sources, file)));
  const built = path.join(cache, "services", `${name}-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(built)) return built;
  mkdirSync(path.dirname(built), { recursive: true });
  // Elsewhere first, so that a run cut short leaves no half of it.
  const work = mkdtempSync(`${built}.`);
  for (const file of files) cpSync(path.join(sources, file), path.join(work, file));
  await track(`build of ${name}`, async () => {
    for (const [command, ...args] of builds[name]) await must(command, args, { cwd: work });
  });
  try {
    renameSync(work, built);
  } catch (error) {
    // Whoever made it meanwhile has made the same.
    if (!existsSync(built)) throw error;
    rmSync(work, { recursive: true });
  }
  return built;
}

/** Without what somebody who tries it there has built, and without the settings of its stack. */
function filesIn(folder) {
  const others = /^(target|wheels|node_modules|dist|Pulumi)\b/;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !others.test(file))
    .sort();
}
