import { texts, wordsOf } from "./values";

/** A check by HTTP of the service itself: by curl or wget, or by a line of a script. */
export interface HttpCheck {
  path: string;
  port?: number;
  hostHeader?: string;
  /** Text that grep looks for in the answer. */
  bodyText?: string;
  /** What it does beside that, and the gate does not. */
  beyond: string[];
  /** What else it does, only who wrote it knows. */
  isScript?: true;
}

/** What a check is that is none by HTTP. */
export interface OtherCheck {
  why: string;
}

/** Options of curl and wget that take a word of their own, and what they say is of no matter to the gate. */
const HARMLESS_WITH_WORD =
  /^(-[fsSLkgIi]*[omA]|-q?T|--(output|output-document|output-file|max-time|connect-timeout|timeout|tries|retry|retry-delay|retry-max-time|noproxy|user-agent|write-out|max-redirs|waitretry))$/;
/** The same, and it matters. */
const WITH_WORD =
  /^(-[HuXdbxwet]|--(header|user|request|method|data|post-data|body-data|cookie|proxy|resolve|unix-socket|cacert|ca-certificate|cert|key|http-user|http-password|password))$/;
/** That say nothing about what is asked. */
const HARMLESS =
  /^(-[fsSLIkqvgO46Ti]+|--(fail|fail-with-body|silent|show-error|location|head|quiet|spider|no-verbose|verbose|ipv4|inet4-only|insecure|no-check-certificate|compressed|no-proxy|globoff|retry-connrefused|retry-all-errors)|-nv|-q?O-|-[Ttm]\d+|-o\S+)$/;

/** `names`: what the service calls itself; `env`: what its variables are. */
export function httpCheck(
  test: unknown,
  names: string[],
  env: (name: string) => string | undefined,
): HttpCheck | OtherCheck {
  const given = texts(test);
  const isShell = !Array.isArray(test) || given[0] === "CMD-SHELL";
  const found = isShell
    ? inShell(Array.isArray(test) ? given.slice(1).join(" ") : given.join(" "))
    : given.slice(1);
  const { words, piped } = Array.isArray(found) ? { words: found, piped: "" } : found;
  const at = words.findIndex((word) => /^(.*\/)?(curl|wget)$/.test(word));
  if (at === -1) return inScript(given.join(" "), names, env) ?? { why: "is no HTTP check by curl or wget" };
  const tool = words[at].replace(/^.*\//, "");
  return readOptions(tool, words.slice(at + 1), piped, names, env);
}

/** The first command of a shell's line that is curl or wget, and what comes after it. */
function inShell(line: string): { words: string[]; piped: string } {
  let rest = line;
  while (rest !== "") {
    // What Docker Compose would drop of a command, a shell runs.
    const read = wordsOf(rest);
    if (read === undefined) break;
    if (read.words.some((word) => /^(.*\/)?(curl|wget)$/.test(word)))
      return { words: read.words, piped: read.dropped };
    rest = read.dropped.replace(/^[;&|<>]+/, "");
  }
  return { words: [], piped: "" };
}

/** Images without curl and wget ask by their own language: the one address in it, as it stands, is what is asked. */
function inScript(
  line: string,
  names: string[],
  env: (name: string) => string | undefined,
): HttpCheck | OtherCheck | undefined {
  if (!/(^|[\s/])(node|bun|deno|python[\d.]*|ruby|php|perl)\s+(eval|-[ecr]|--eval)\s/.test(line))
    return undefined;
  const urls = new Set([...line.matchAll(/(["'`])(https?:\/\/[^"'`\s\\$]+)\\?\1/g)].map(([, , url]) => url));
  const [url] = urls;
  if (urls.size !== 1) return undefined;
  const address = readUrl(url, names, env);
  return "why" in address ? address : { ...address, beyond: [], isScript: true };
}

function readOptions(
  tool: string,
  words: string[],
  piped: string,
  names: string[],
  env: (name: string) => string | undefined,
): HttpCheck | OtherCheck {
  const beyond: string[] = [];
  let url: string | undefined;
  let hostHeader: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (!word.startsWith("-")) {
      url ??= word;
      continue;
    }
    const [option, inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const isHarmless = HARMLESS_WITH_WORD.test(option) || (tool === "wget" && /^-q?O$/.test(option));
    const argument = inline ?? (isHarmless || WITH_WORD.test(option) ? words[++i] : undefined);
    const [, host] = /^(?:-H|--header)$/.test(option) ? (/^host:\s*(\S+)$/i.exec(argument ?? "") ?? []) : [];
    if (host !== undefined) hostHeader = host;
    else if (!isHarmless && !HARMLESS.test(option))
      beyond.push(argument === undefined ? option : `${option} ${argument}`);
  }
  if (url === undefined) return { why: `has no address after ${tool}` };
  const address = readUrl(url, names, env);
  if ("why" in address) return address;
  const bodyText = greppedText(piped);
  if (bodyText === undefined && piped.startsWith("|") && !piped.startsWith("||")) beyond.push(piped.trim());
  return {
    ...address,
    ...(hostHeader !== undefined && { hostHeader }),
    ...(bodyText !== undefined && { bodyText }),
    beyond,
  };
}

/** What is looked for as it stands. A pattern is not. */
function greppedText(piped: string): string | undefined {
  const [, options = "", text] =
    /^\|\s*grep\s+((?:-[a-zA-Z]+\s+)*)("[^"]*"|'[^']*'|[^\s"'|;&]+)\s*((\|\||;|>).*)?$/.exec(piped) ?? [];
  const plain = text?.replace(/^["']|["']$/g, "");
  return plain && /^[\w :,"{}/-]+$/.test(plain) && !/[iEPvwxc]/.test(options) ? plain : undefined;
}

function readUrl(
  given: string,
  names: string[],
  env: (name: string) => string | undefined,
): Pick<HttpCheck, "path" | "port"> | OtherCheck {
  let missing: string | undefined;
  const url = given.replace(/\$\{?(\w+)(?::-([^}]*))?\}?/g, (_, name: string, otherwise?: string) => {
    const value = name === "HOSTNAME" ? "localhost" : env(name) || otherwise;
    if (value === undefined) missing = name;
    return value ?? "";
  });
  if (missing !== undefined) return { why: `asks ${given}, in which the variable ${missing} is not set` };
  const [, scheme = "http", host, port, path = "/"] =
    /^(?:([a-z]+):\/\/)?(\[[^\]]*\]|[^/:?#]+)(?::(\d+))?([/?][^#]*)?(?:#.*)?$/.exec(url) ?? [];
  if (host === undefined) return { why: `asks ${given}, which is no address` };
  if (scheme !== "http")
    return { why: `asks ${scheme}://: the gate speaks plain HTTP, as nginx does with the colors` };
  if (!["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "ip6-localhost", ...names].includes(host))
    return { why: `asks ${host}, which is not the service itself` };
  return {
    path: path.startsWith("/") ? path : `/${path}`,
    port: port === undefined ? 80 : Number(port),
  };
}
