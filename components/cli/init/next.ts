import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

// What to do after the files are there. The package is in no registry, so its archive is made from where this command is.

interface Package {
  root: string;
  archive: string;
}

/** The package that this command is part of. */
export function ownPackage(): Package {
  let root = __dirname;
  while (!existsSync(path.join(root, "package.json"))) root = path.dirname(root);
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    version: string;
  };
  return { root, archive: `bluegreen-${version}.tgz` };
}

const quote = (word: string) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** Commands, each with what is to be known of it. */
export function nextSteps(folder: string, stack: string, env: NodeJS.ProcessEnv): string {
  const { root, archive } = ownPackage();
  // What is installed is compiled already, and lacks what compiles it.
  const scripts = existsSync(path.join(root, "tsconfig.build.json")) ? "" : "--ignore-scripts ";
  const steps: Step[] = existsSync(path.join(folder, "node_modules/bluegreen"))
    ? [["npm install"]]
    : [[`npm pack ${scripts}${quote(root)}`, `makes ${archive}`], [`npm install ./${archive}`]];
  if (!isSignedIn(env))
    steps.push([
      "pulumi login 'file://~?metadata=skip'",
      "keeps the state in your home folder; other places: docs/backends.md",
    ]);
  const isAsked =
    env.PULUMI_CONFIG_PASSPHRASE === undefined && env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined;
  steps.push([
    `pulumi stack init ${stack}`,
    isAsked ? "may ask for a passphrase: choose one, and keep it" : undefined,
  ]);
  steps.push(["pulumi up", "on the Docker of this machine; another one: host.address"]);
  const width = Math.min(60, Math.max(...steps.map(([command]) => command.length)));
  const lines = steps.map(
    ([command, about]) => `  ${about === undefined ? command : `${command.padEnd(width)}  # ${about}`}`,
  );
  return ["What to do next:", ...(hasPulumi(env) ? [] : [NO_PULUMI]), ...lines].join("\n");
}

type Step = [command: string, about?: string];

const NO_PULUMI = "  Pulumi's CLI is not on PATH: install it first, https://www.pulumi.com/docs/install/";

function hasPulumi(env: NodeJS.ProcessEnv): boolean {
  const folders = (env.PATH ?? "").split(path.delimiter).filter(Boolean);
  return folders.some((folder) =>
    ["pulumi", "pulumi.exe"].some((name) => existsSync(path.join(folder, name))),
  );
}

function isSignedIn(env: NodeJS.ProcessEnv): boolean {
  if (env.PULUMI_BACKEND_URL || env.PULUMI_ACCESS_TOKEN) return true;
  const home = env.PULUMI_HOME ?? path.join(env.HOME ?? homedir(), ".pulumi");
  try {
    const { current } = JSON.parse(readFileSync(path.join(home, "credentials.json"), "utf8")) as {
      current?: string;
    };
    return Boolean(current);
  } catch {
    return false;
  }
}
