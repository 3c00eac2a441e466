import type { Props } from "../rpc/values.ts";
import type { Client, Registry } from "./client.ts";
import { refusal } from "./config.ts";

const MANIFESTS = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

/** `docker.getRegistryImage`: asks the registry alone, never the Docker host. */
export const registryImage =
  (client: Client) =>
  async (args: Props): Promise<Props> => {
    const unsupported = Object.keys(args).filter((property) => property !== "name");
    if (unsupported.length > 0) {
      throw new Error(`${unsupported.join(", ")}: ${refusal("getRegistryImage", ["name"])}`);
    }
    const name = args.name as string;
    const { hostname, repository, tag } = parse(name);
    const account = client.authFor(name);
    const base = /^https?:/.test(account?.address ?? "") ? account?.address : `https://${hostname}`;
    try {
      const sha256Digest = await digest(`${base}/v2/${repository}/manifests/${tag}`, account);
      return { name, id: sha256Digest, sha256Digest, insecureSkipVerify: false };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `Got error when attempting to fetch image version ${repository}:${tag} from registry: ${reason}`,
        { cause: error },
      );
    }
  };

/** As the official plugin reads a name. */
function parse(name: string) {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = name.split("/").length > 2 || /[.:]/.test(first) || first === "localhost";
  const [, path = "", version = "latest"] = /^([^:@]*)[:@]?(.*)$/.exec(
    isHost ? name.slice(slash + 1) : name,
  )!;
  return {
    hostname: isHost ? first : "registry-1.docker.io",
    repository: isHost || path.includes("/") ? path : `library/${path}`,
    tag: version.slice(version.indexOf("@") + 1) || "latest",
  };
}

async function digest(url: string, account: Registry | undefined): Promise<string> {
  const basic = account && `Basic ${btoa(`${account.username}:${account.password}`)}`;
  let answer = await ask(url, basic);
  if (answer.status === 401) answer = await ask(url, await token(answer, basic));
  if (answer.status !== 200)
    throw new Error(`got bad response from registry: ${answer.status} ${answer.statusText}`);
  const found = answer.headers.get("docker-content-digest");
  if (found === null) throw new Error("the registry's answer has no digest");
  return found;
}

async function ask(url: string, authorization: string | undefined): Promise<Response> {
  const headers = { accept: MANIFESTS, ...(authorization && { authorization }) };
  try {
    return await fetch(url, { method: "HEAD", headers, signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    throw new Error(`Error during registry request: ${said(error)}`, { cause: error });
  }
}

/** What the registry asks for instead of a password. */
async function token(refused: Response, basic: string | undefined): Promise<string> {
  const challenge = refused.headers.get("www-authenticate") ?? "";
  if (!challenge.startsWith("Bearer")) throw new Error(`bad credentials: 401 ${refused.statusText}`);
  const { realm = "", ...params } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  ) as Record<string, string>;
  const headers = { ...(basic && { authorization: basic }) };
  const answer = await fetch(`${realm}?${new URLSearchParams(params)}`, { headers });
  if (!answer.ok) throw new Error(`got bad response from registry: ${answer.status} ${answer.statusText}`);
  const given = (await answer.json()) as { token?: string; access_token?: string };
  return `Bearer ${given.token ?? given.access_token}`;
}

/** `fetch` keeps the reason to itself. */
function said(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : String(cause);
}
