import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Start } from "./command";
import { isTree } from "./file";
import type { Findings } from "./findings";
import type { Context } from "./context";
import type { Place } from "./problem";
import { parseFile, type Project } from "./project";
import { namesHost, type Redis } from "./redis";
import { isSecret } from "./secrets";
import { asText, flag, pairs } from "./values";

/** A variable of the service, and where it comes from. */
export interface Variable {
  value: string;
  from: Place;
}

export interface Environment {
  variables: Map<string, Variable>;
  /** Named without a value, which is not set where this runs either: the container does not get it. */
  unset: { name: string; from: Place }[];
}

/** `environment` over the files of `env_file`, of which a later one wins over an earlier. */
export function readEnvironment(context: Context): Environment {
  const { project, service } = context;
  const own = new Map<string, Variable>();
  const unset: Environment["unset"] = [];
  for (const { name, value, at } of pairs(service.environment)) {
    const found = value ?? project.lookup(name);
    const from = ["environment", at];
    own.delete(name);
    if (found === undefined) unset.push({ name, from });
    else own.set(name, { value: found, from });
  }
  const variables = new Map<string, Variable>();
  const known = new Map([...own].map(([name, { value }]) => [name, value]));
  for (const { file, format, from } of envFiles(context)) {
    const before = new Map(known);
    readEnvFile(project, file, format, known, (name) => project.lookup(name) ?? own.get(name)?.value);
    for (const [name, value] of known)
      if (before.get(name) !== value || !before.has(name)) variables.set(name, { value, from });
  }
  for (const { name } of unset) variables.delete(name);
  for (const [name, variable] of own) variables.set(name, variable);
  return { variables, unset };
}

function envFiles({ project, service, refuse }: Context): { file: string; format?: string; from: Place }[] {
  const given = service.env_file;
  const list = Array.isArray(given) ? given : given === undefined || given === null ? [] : [given];
  return list.flatMap((one: unknown, i) => {
    const from = Array.isArray(given) ? ["env_file", i] : ["env_file"];
    const entry = isTree(one) ? one : { path: one };
    const file = path.resolve(project.folder, asText(entry.path));
    if (existsSync(file)) return [{ file, format: entry.format as string | undefined, from }];
    if (flag(entry.required ?? true) === false) return [];
    return refuse(
      from,
      `names ${file}, which is not there`,
      "put it there: Docker Compose refuses to start without it, too.",
    );
  });
}

function readEnvFile(
  project: Project,
  file: string,
  format: string | undefined,
  known: Map<string, string>,
  lookup: (name: string) => string | undefined,
): void {
  const text = readFileSync(file, "utf8");
  if (format !== "raw") return parseFile(project.file.name, file, text, known, lookup);
  for (const line of text.split(/\r?\n/)) {
    const cut = line.indexOf("=");
    if (cut > 0 && !line.startsWith("#")) known.set(line.slice(0, cut), line.slice(cut + 1));
  }
}

// --- settings

/** Variables by which a proxy in front of all containers finds those that it sends users to. */
const OF_A_PROXY = /^(VIRTUAL_(HOST|PORT|PATH|PROTO|DEST)|LETSENCRYPT_(HOST|EMAIL)|ACME_HOST)$/;

export function mapEnvironment(
  findings: Findings,
  { variables, unset }: Environment,
  { redis, start }: { redis?: Redis; start?: Start },
): void {
  for (const { name, from } of unset)
    findings.leave(
      from,
      `${name} has no value: it is set neither in .env nor in this shell`,
      `set it, if the service needs it: pulumi config set --path env.${name} VALUE`,
    );
  const moved: string[] = [];
  for (const [name, { value, from }] of variables) {
    if (name === "PORT" || name === "TZ" || name === "COLOR") mapOwn(findings, name, value, from);
    else if (redis !== undefined && mapOfRedis(findings, redis, name, value, from, moved)) continue;
    else if (OF_A_PROXY.test(name))
      findings.leave(
        from,
        `${name}: a proxy that finds containers by it would send users to both colors, past the gate`,
        "the component's nginx serves: set proxy.port, and tls.names for HTTPS.",
      );
    else findings.set(["env", name], value, from, { secret: isSecret(name, value) });
  }
  if (moved.length > 0) findings.remark(["environment"], wrapped(moved, start));
}

/** Variables that the component sets. */
function mapOwn(findings: Findings, name: string, value: string, from: Place): void {
  const port = (findings.value("containerPort") as number | undefined) ?? 3000;
  if (name === "TZ") findings.set(["timeZone"], value, from);
  else if (name === "COLOR")
    findings.leave(
      from,
      "COLOR is set by the component to blue or green",
      "give it another name in the app.",
    );
  else if (value === String(port)) findings.holds(from, "PORT: the component sets it to containerPort");
  else
    findings.leave(
      from,
      `PORT is ${JSON.stringify(value)}, and the component sets it to containerPort, ${port}`,
      "if the service listens on another port, set containerPort (--container-port).",
    );
}

/** Whether it is about the Redis that is replaced. */
function mapOfRedis(
  findings: Findings,
  redis: Redis,
  name: string,
  value: string,
  from: Place,
  moved: string[],
): boolean {
  const isPassword = name === "REDIS_PASSWORD";
  if (isPassword && value !== "") findings.set(["redis", "password"], value, from, { secret: true });
  else if (["REDIS_HOST", "REDIS_PORT"].includes(name) || isPassword)
    findings.holds(from, `${name}: the component sets it, for its own Redis`);
  else if (namesHost(value, redis.name)) {
    const [, database] = /^redis:\/\/(?:[^@/]*@)?[^/:@]+(?::6379)?(?:\/(\d*))?$/.exec(value) ?? [
      undefined,
      undefined,
    ];
    const isUrl = /^redis:\/\//.test(value);
    if (name === "REDIS_URL" && isUrl && (database === undefined || database === "" || database === "0"))
      findings.holds(from, "REDIS_URL: the component sets it, for its own Redis");
    else {
      const other = isUrl
        ? `$REDIS_URL${database ? `/${database}` : ""}`
        : value === redis.name
          ? "$REDIS_HOST"
          : value.replace(redis.name, "$REDIS_HOST");
      moved.push(`${name}="${other}"`);
      findings.leave(
        from,
        `${name} names ${redis.name}, which is not reached under this name: the component's Redis has another`,
        `have it built when the container starts, see the remark on 'environment'; or keep that Redis: --redis keep.`,
      );
    }
  } else return false;
  return true;
}

function wrapped(moved: string[], start: Start | undefined): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  const { words, by } = start ?? { by: "command" };
  const script = `export ${moved.join(" ")}; exec ${words?.map(quoted).join(" ") ?? "WHAT IS STARTED NOW"}`;
  const setting = by === "command" ? "This command sets it" : `With this ${by}, and no command, it is set`;
  return `what names the component's Redis is known when a container starts. ${setting}: ${JSON.stringify(["sh", "-c", script])}`;
}
