import { SET_BY_NGINX } from "./headers";

// A piece of nginx configuration of a user's own, for the locations of one service. Other services have locations in the same
// server, so it is read before nginx reads it: it must end where it began, and have nothing in it that reaches further.

interface Statement {
  line: number;
  words: string[];
  /** "" of the end of a block. */
  end: ";" | "{" | "";
}
interface Token {
  line: number;
  text: string;
}

/** As nginx reads them, but less: what is not sure to mean the same to both is refused. A quoted text has no line break. */
const TOKEN =
  /(\s+|#[^\n]*)|([;{}])|("(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')(?=[\s;{)])|((?:[^\s;{}"'\\#]|\\[^\s;{}])(?:[^\s;{}"'\\]|\\[^\s;{}])*)/y;

const BLOCKS = ["if", "limit_except"];
/** What only says how this request is answered. */
export const ALLOWED = new Set([
  ...BLOCKS,
  ..."absolute_redirect add_header add_trailer allow break charset charset_types chunked_transfer_encoding".split(
    " ",
  ),
  ..."client_body_timeout default_type deny etag expires gunzip gzip gzip_comp_level gzip_disable".split(" "),
  ..."gzip_http_version gzip_min_length gzip_proxied gzip_types gzip_vary if_modified_since".split(" "),
  ..."keepalive_disable keepalive_timeout limit_rate limit_rate_after max_ranges override_charset".split(" "),
  ..."proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_force_ranges proxy_hide_header".split(
    " ",
  ),
  ..."proxy_ignore_client_abort proxy_ignore_headers proxy_limit_rate proxy_next_upstream".split(" "),
  ..."proxy_next_upstream_timeout proxy_next_upstream_tries proxy_pass_header proxy_pass_trailers".split(" "),
  ..."proxy_redirect proxy_set_header proxy_socket_keepalive return rewrite satisfy send_timeout".split(" "),
  ..."server_tokens set source_charset sub_filter sub_filter_last_modified sub_filter_once".split(" "),
  ..."sub_filter_types tcp_nodelay valid_referers".split(" "),
]);

const FILES = /^(include|load_module|root|alias|.*_log|.*_(file|path|store|certificate|key))$/;
const ELSEWHERE =
  /(_pass|_pass_request|^mirror|^auth_request|^try_files|^error_page|^resolver|^addition|^ssi)$/;

function whyNot(directive: string): string {
  if (FILES.test(directive)) return "it is about files of nginx's container, where all services are";
  if (ELSEWHERE.test(directive)) return "it can lead to another service";
  return "it is not among those that are about this service's requests alone, which docs/how-to/nginx-config.md lists";
}

/** What is wrong with it, if anything is. */
export function problemOfPiece(text: string): string | undefined {
  const { statements, problem } = read(text);
  return problem ?? statements.flatMap((one) => problemOf(one) ?? [])[0];
}

export const namesDirective = (text: string, pattern: RegExp): boolean =>
  read(text).statements.some(({ words: [directive = ""] }) => pattern.test(directive));

/** A line for each statement, which says where it is from: that is what nginx names when it refuses one. */
export const renderPiece = (text: string): string =>
  read(text)
    .statements.map(
      ({ words, end, line }) =>
        `    ${words.join(" ")}${end === "{" ? " {" : end || "}"} # ${SETTING}, line ${line}\n`,
    )
    .join("");
const SETTING = "proxy.nginxConfig";

function problemOf({ line, words: [directive, ...args], end }: Statement): string | undefined {
  if (directive === undefined)
    return end === "" ? undefined : `line ${line}: there is no directive before ${end}`;
  const at = `line ${line}: ${directive}`;
  if (!ALLOWED.has(directive)) return `${at} can't be there: ${whyNot(directive)}`;
  if (BLOCKS.includes(directive) !== (end === "{"))
    return end === "{" ? `${at} has no block` : `${at} needs a block, in { and }`;
  // Names of variables are those of all services: one that is set for one of them is another one for all.
  if (directive === "set" && !/^\$own_\w+$/.test(args[0] ?? ""))
    return `${at} needs a variable whose name begins with $own_: others may be used by all services`;
  if (args.some((word) => word.includes("(?'"))) return `${at}: a pattern can't give names to its parts`;
  if (directive === "rewrite" && !["break", "redirect", "permanent"].includes(args.at(-1) ?? ""))
    return `${at} needs break, redirect or permanent at its end: else it can lead to another service`;
  const [name] = args;
  if (
    directive === "proxy_set_header" &&
    SET_BY_NGINX.some((own) => own.toLowerCase() === normal(name ?? ""))
  )
    return `${at} can't set ${name}, which the component sets itself`;
  return undefined;
}
const normal = (header: string) =>
  header
    .replace(/^(["'])(.*)\1$/, "$2")
    .replaceAll("_", "-")
    .toLowerCase();

function read(text: string): { statements: Statement[]; problem?: string } {
  const { tokens, problem } = tokensOf(text);
  if (problem !== undefined) return { statements: [], problem };
  const statements: Statement[] = [];
  const open: number[] = [];
  let words: Token[] = [];
  for (const token of tokens) {
    if (!/^[;{}]$/.test(token.text)) {
      words.push(token);
      continue;
    }
    const line = (words[0] ?? token).line;
    if (token.text === "}") {
      if (words.length > 0) return { statements: [], problem: unended(line) };
      if (open.pop() === undefined) return { statements: [], problem: `line ${line}: } closes nothing` };
      statements.push({ line, words: [], end: "" });
    } else {
      if (token.text === "{") open.push(line);
      statements.push({ line, words: words.map(({ text }) => text), end: token.text as ";" | "{" });
    }
    words = [];
  }
  if (words.length > 0) return { statements: [], problem: unended(words[0].line) };
  const [unclosed] = open.slice(-1);
  return unclosed === undefined
    ? { statements }
    : { statements: [], problem: `line ${unclosed}: { is not closed` };
}
const unended = (line: number) => `line ${line}: there is no ; at the end of the directive`;

function tokensOf(text: string): { tokens: Token[]; problem?: string } {
  const tokens: Token[] = [];
  const lineAt = (at: number) => text.slice(0, at).split("\n").length;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null)
      return {
        tokens,
        problem: `line ${lineAt(at)}: ${JSON.stringify(text.slice(at, at + 20).split("\n")[0])} can't be read: a quote that is not closed on its line, or a \\ or a quote within a word`,
      };
    if (found[1] === undefined) tokens.push({ line: lineAt(at), text: found[0] });
  }
  return { tokens };
}
