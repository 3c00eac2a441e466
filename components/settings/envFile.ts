import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { parseEnv } from "node:util";

/** The variables of a file on the machine that runs Pulumi, by the rules of dotenv; or why there are none. */
export interface EnvFile {
  variables: { [name: string]: string };
  problem?: string;
}

export function readEnvFile(file: string | undefined): EnvFile {
  if (file === undefined || file === "") return { variables: {} };
  try {
    return {
      variables: {
        ...(parseEnv(readFileSync(file.replace(/^~/, homedir()), "utf8")) as EnvFile["variables"]),
      },
    };
  } catch (error) {
    return { variables: {}, problem: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}
