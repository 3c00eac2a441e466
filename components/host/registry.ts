import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Context } from "../context";
import { refusal } from "./refusal";
import type { Color, IngressSettings } from "../settings";

/** Docker's own registry, which answers to several names. */
export const DOCKER_HUB = "docker.io";

/** The images of the colors, pinned where that is chosen. */
export function colorImages(context: Context): Record<Color, pulumi.Input<string>> {
  const { colors, pinImages } = context.settings;
  const image = (color: Color) => (pinImages ? pinned(context, color) : colors[color].image);
  return { blue: image("blue"), green: image("green") };
}

/**
 * With the digest that the registry has for its tag now, so that the plan shows it and nothing else can run. The Docker
 * provider asks the registry by itself and not the host.
 */
function pinned(context: Context, color: Color): pulumi.Output<string> {
  const { provider, owner, settings } = context;
  return pulumi.output(settings.colors[color].image).apply(async (image) => {
    if (image.includes("@")) return image;
    try {
      const { sha256Digest } = await docker.getRegistryImage({ name: image }, { provider, parent: owner });
      return `${image}@${sha256Digest}`;
    } catch (error) {
      throw refusal(
        [
          `${color}.image: ${image} can't be pinned to its digest, since its registry does not tell it:`,
          `  ${(error as Error).message.replace(/^invocation of \S+ returned an error: /, "")}`,
          "Nothing was changed: what is live keeps serving.",
          "What to do next: see that this tag is pushed, and that 'registries' has the registry's login; or give the image with its digest (NAME@sha256:...), or set pinImages to false.",
        ].join("\n"),
      );
    }
  });
}

/** The registry of an image: what is before the first slash, where that is a host. */
export const registryOf = (image: string): string => split(image).registry;

/** The name of an image with all that it may leave out: `docker.io/library/nginx:latest`. An id is none. */
export function inFull(image: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return image;
  const { registry, path } = split(image);
  const folder = registry === DOCKER_HUB && !path.includes("/") ? "library/" : "";
  return `${registry}/${folder}${path}${/[:@]/.test(path) ? "" : ":latest"}`;
}

function split(image: string): { registry: string; path: string } {
  const first = image.slice(0, Math.max(image.indexOf("/"), 0));
  const isHost = /[.:]/.test(first) || first === "localhost";
  return isHost
    ? { registry: hostOf(first), path: image.slice(first.length + 1) }
    : { registry: DOCKER_HUB, path: image };
}

/** Without the scheme, and one name for all those of Docker's own registry. */
export function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, "");
  return /^((index|registry-1|registry\.hub)\.)?docker\.(io|com)$/.test(host) ? DOCKER_HUB : host;
}

/** For the Docker provider, which needs them to ask a registry about a tag. */
export function registryAuth({
  registries,
}: Pick<IngressSettings, "registries">): docker.types.input.ProviderRegistryAuth[] | undefined {
  if (registries.length === 0) return undefined;
  return registries.map(({ address, username, password }) => ({
    address: hostOf(address) === DOCKER_HUB ? "registry-1.docker.io" : address,
    username,
    password: pulumi.secret(password),
  }));
}
