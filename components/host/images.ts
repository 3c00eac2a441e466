import * as pulumi from "@pulumi/pulumi";
import type { RegistryArgs, VolumeArgs } from "../settings/args";
import { runOnHost } from "./command";
import type { Context, IngressContext } from "../context";
import { DOCKER_HUB, hostOf, registryOf } from "./registry";
import { COLORS, hasTls, type IngressSettings, type Settings } from "../settings";
import { sendImages } from "./send";
import { hostScript } from "../shell";

/**
 * Has the host get what it does not have, from this machine or by a pull: an image that can't be had stops the update before it touches anything. The host's own
 * Docker client does it, and not the Docker provider, since it can also sign in by its credential helpers (as to ECR with
 * the instance's role), and shows how far it is.
 */
export function pullImages(
  context: IngressContext,
  images: Images,
  { volumes, keepImages }: Partial<Pick<Settings, "volumes" | "keepImages">> = {},
): pulumi.Resource {
  const { registries, sendImages: sends } = context.settings;
  const stdin = pulumi
    .output({
      images,
      registries,
      ingress: context.ingress,
      service: context.identity.service,
      sent: sendImages(context, pulumi.output(images)),
    })
    .apply(({ images, registries, ingress, service }) =>
      renderPull(images, registries, volumes, { ingress, service, keepImages, sends }),
    );
  const secret = registries.length > 0 ? pulumi.secret(stdin) : stdin;
  // Without triggers it is never replaced, and so is no reason to replace what depends on it.
  return runOnHost(context, "images", { stdin: secret });
}

/** By the setting that names each. */
interface Images {
  [setting: string]: pulumi.Input<string>;
}
export const imagesOfIngress = ({ proxy }: IngressSettings): Images => ({
  "proxy.image": proxy.image,
  "proxy.edgeImage": proxy.edgeImage,
});
export function imagesOf({ settings, images }: Context): Images {
  const { redis, tls } = settings;
  return {
    ...Object.fromEntries(COLORS.map((color) => [`${color}.image`, images[color]])),
    ...(redis.enabled && { "redis.image": redis.image }),
    ...(settings.ingress === undefined && imagesOfIngress(settings)),
    ...(hasTls(tls) && tls.acmeEmail !== undefined && { "tls.acmeImage": tls.acmeImage }),
  };
}

type Login = Pick<RegistryArgs, "address" | "username"> & { password: string };

/** All that "sh -s" reads. */
export function renderPull(
  images: { [setting: string]: string },
  registries: Login[],
  volumes: VolumeArgs[] = [],
  {
    ingress = "",
    service = "",
    keepImages,
    sends = false,
  }: { ingress?: string; service?: string; keepImages?: number; sends?: boolean } = {},
): string {
  const given = registries.map(({ address }) => hostOf(address));
  const lines = Object.entries(images).map(
    ([setting, image]) => `${setting} ${given.includes(registryOf(image)) ? "given" : "host"} ${image}`,
  );
  const auths = registries.map(({ address, username, password }) => [
    // What Docker calls its own registry there.
    hostOf(address) === DOCKER_HUB ? "https://index.docker.io/v1/" : hostOf(address),
    { auth: Buffer.from(`${username}:${password}`).toString("base64") },
  ]);
  const settings = {
    IMAGES: lines.join("\n"),
    VOLUMES: volumes
      .flatMap(({ volumeName, containerPath }, i) =>
        volumeName === undefined ? [] : [`volumes[${i}] ${volumeName} ${containerPath}`],
      )
      .join("\n"),
    SERVICE: service,
    INGRESS: ingress,
    KEEP_IMAGES: keepImages ?? "",
    SENDS: sends ? "yes" : "",
    LOGINS: JSON.stringify({ auths: Object.fromEntries(auths) as object }),
  };
  return hostScript(settings, ["on-host/old-images.sh", "on-host/volumes.sh", "on-host/pull.sh"]);
}
