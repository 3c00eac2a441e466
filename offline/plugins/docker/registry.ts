import type { Props } from "../rpc/values.ts";
import { type Client, reason, type Registry, registryOf } from "./client.ts";
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
    const hostname = registryOf(name);
    const { repository, tag } = parse(name, hostname);
    const account = client.authFor(name);
    const base = /^https?:/.test(account?.address ?? "") ? account?.address : `https://${hostname}`;
    try {
      const sha256Digest = await digest(`${base}/v2/${repository}/manifests/${tag}`, account);
      return { name, id: sha256Digest, sha256Digest, insecureSkipVerify: false };
    } catch (error) {
      throw new Error(
        `Got error when attempting to fetch image version ${repository}:${tag} from registry: ${reason(error)}`,
        { cause: error },
      );
    }
  };

/** As the official plugin reads a name. */
function parse(name: string, hostname: string) {
  const isNamed = name.startsWith(`${hostname}/`);
  const [, path = "", version = ""] = /^([^:@]*)[:@]?(.*)$/.exec(
    isNamed ? name.slice(hostname.length + 1) : name,
  )!;
  return {
    repository: isNamed || path.includes("/") ? path : `library/${path}`,
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
