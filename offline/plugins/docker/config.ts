import type { Checked, Failure } from "../rpc/plugin.ts";
import { hasUnknown, type Props, unwrapped } from "../rpc/values.ts";
import { DEFAULT_HOST, type Host, type Registry } from "./client.ts";

const supported = ["host", "sshOpts", "registryAuth"];
const auth = ["address", "username", "password"];

export function checkConfig(news: Props): Checked {
  const failures: Failure[] = [];
  for (const property of Object.keys(news)) {
    if (supported.includes(property) || property === "version" || property.startsWith("__")) continue;
    failures.push({ property, reason: refusal("the docker provider", supported) });
  }
  const registryAuth = unwrapped(news.registryAuth);
  if (!hasUnknown(registryAuth)) {
    for (const entry of decoded<Props[]>(registryAuth) ?? []) {
      for (const property of Object.keys(entry)) {
        if (auth.includes(property)) continue;
        failures.push({ property: `registryAuth.${property}`, reason: refusal("registryAuth", auth) });
      }
    }
  }
  return { inputs: news, failures };
}

export function refusal(what: string, of: string[]): string {
  return `this is the offline stand-in of the docker plugin, which supports only these settings of ${what}: ${of.join(", ")}`;
}

export function hostOf(config: Props): Host {
  return {
    url: ((config.host as string | undefined) || process.env.DOCKER_HOST) ?? DEFAULT_HOST,
    sshOpts: decoded<string[]>(config.sshOpts) ?? [],
    registries: decoded<Registry[]>(config.registryAuth) ?? [],
  };
}

/** A provider's lists arrive as JSON in a string. */
function decoded<T>(value: unknown): T | undefined {
  return (typeof value === "string" ? JSON.parse(value) : value) as T | undefined;
}
