import { isDeepStrictEqual } from "node:util";

// What images.sh tells of an engine, and what of it this machine is to send. Nothing here asks anybody.

/** By the setting that names each. */
export interface Images {
  [setting: string]: string;
}

/**
 * Those that can be sent, with their tags: without one, `docker save` takes all that there are. No archive has a digest, so an
 * image that is named by one is always a registry's.
 */
export const withTags = (images: Images): Images =>
  Object.fromEntries(
    Object.entries(images)
      .filter(([, image]) => !image.includes("@"))
      .map(([setting, image]) => [setting, /:[\w.-]+$/.test(image) ? image : `${image}:latest`]),
  );

/** What of `docker image inspect` matters here. */
interface Image {
  Os: string;
  Architecture: string;
  RootFS: { Layers?: string[] | null };
  Config: { [name: string]: unknown } | null;
}

export interface ImageFacts {
  platform: string;
  /** Whether a layer that is there need not come with an image again. */
  keepsLayers: boolean;
  /** By the settings: those that the engine has. */
  wanted: { [setting: string]: Image };
  /** Of each image, its layers from the lowest on. */
  layers: string[][];
}

export function readImageFacts(text: string): ImageFacts {
  const facts: ImageFacts = { platform: "", keepsLayers: false, wanted: {}, layers: [] };
  for (const line of text.split("\n")) {
    const [, kind, json] = /^(\w+) (.*)$/.exec(line) ?? [];
    if (kind === undefined) continue;
    const value = JSON.parse(json) as never;
    if (kind === "platform") {
      const { os, architecture }: { os: string; architecture: string } = value;
      facts.platform = `${os}/${architecture}`;
    } else if (kind === "store") {
      // containerd's image store knows layers as they were compressed, and wants each.
      facts.keepsLayers = !json.includes("io.containerd.snapshotter");
    } else if (kind === "wanted") {
      const { setting, image }: { setting: string; image: Image } = value;
      facts.wanted[setting] = image;
    } else if (kind === "layers") facts.layers.push(value ?? []);
  }
  return facts;
}

/** An image to be sent. */
export interface Sending {
  setting: string;
  image: string;
  /** What it is made of, from the lowest on. */
  layers: string[];
  /** Whether another image has that name there. */
  renames: boolean;
}

/**
 * What this machine sends: what the host lacks, and a color's image that is another one there, since whoever builds it builds it
 * here. `notes`: why something that the host lacks is not sent. `here`: undefined where there is no Docker.
 */
export function whatToSend(
  images: Images,
  here: ImageFacts | undefined,
  host: ImageFacts,
): { send: Sending[]; notes: string[] } {
  const send: Sending[] = [];
  const notes: string[] = [];
  for (const [setting, image] of Object.entries(images)) {
    const [own, there] = [here?.wanted[setting], host.wanted[setting]];
    if (there !== undefined && (own === undefined || !isColors(setting) || isSame(own, there))) continue;
    if (send.some((other) => other.image === image)) continue;
    if (own === undefined) {
      if (here !== undefined)
        notes.push(`${setting}: ${image} is not on this machine: the host asks its registry`);
      continue;
    }
    const platform = `${own.Os}/${own.Architecture}`;
    if (platform !== host.platform) {
      notes.push(
        `${setting}: ${image} of this machine is not sent: it is for ${platform}, the host is ${host.platform} (docker build --platform ${host.platform})`,
      );
      continue;
    }
    send.push({ setting, image, layers: own.RootFS.Layers ?? [], renames: there !== undefined });
  }
  return { send, notes };
}

const isColors = (setting: string) => /^(blue|green)\.image$/.test(setting);

/** How many of the lowest layers an engine has: it knows a layer by all that is below it. */
export function layersThere(layers: string[], { keepsLayers, layers: others }: ImageFacts): number {
  const inCommon = (other: string[]) => {
    const end = layers.findIndex((layer, i) => layer !== other[i]);
    return end < 0 ? layers.length : end;
  };
  return keepsLayers ? Math.max(0, ...others.map(inCommon)) : 0;
}

/**
 * Whether containers of both would be the same. Not by their ids: with containerd's image store they are of another kind. And
 * engines don't write in the same way what is not there.
 */
const isSame = (one: Image, other: Image): boolean => isDeepStrictEqual(essence(one), essence(other));

const essence = ({ Os, Architecture, RootFS, Config }: Image) => ({
  ...{ Os, Architecture, layers: RootFS.Layers ?? [] },
  config: OF_CONTAINERS.map((key) => Config?.[key]).map((value) => (isEmpty(value) ? undefined : value)),
});
const isEmpty = (value: unknown) =>
  value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
// prettier-ignore
const OF_CONTAINERS = [
  "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Healthcheck", "Shell",
];
