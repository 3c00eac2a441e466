import * as pulumi from "@pulumi/pulumi";
import type { IngressContext } from "../context";
import { Failed, lookInto, send } from "./archive";
import { layersThere, readImageFacts, whatToSend, withTags, type Images, type Sending } from "./imageFacts";
import { askHost, askMachine, isUpdate, onHost } from "./reach";
import { refusal } from "./refusal";
import type { Settings } from "../settings";
import { hostScript } from "../shell";

type Host = Settings["host"];
type Say = (text: string, passing?: boolean) => void;

/**
 * With sendImages, sends what the host lacks and this machine has. An update asks both each time: no state has to know what was
 * sent, and what was removed from the host comes again.
 */
export function sendImages(context: IngressContext, images: pulumi.Input<Images>): pulumi.Output<void> {
  const { settings, owner, identity, provider } = context;
  if (!settings.sendImages || !isUpdate()) return pulumi.output(undefined);
  const say: Say = (text, passing) => void pulumi.log.info(`==> ${text}`, owner, undefined, passing);
  // The provider is there when the host has been looked at.
  return pulumi
    .all([images, identity.fullName, provider.urn])
    .apply(([images, name]) => oneAfterAnother(() => sendMissing(settings.host, name, images, say)));
}

/** Services of a program may have an image in common, or layers. */
function oneAfterAnother(work: () => Promise<void>): Promise<void> {
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
}
let last = Promise.resolve();

async function sendMissing(host: Host, name: string, all: Images, say: Say): Promise<void> {
  const images = withTags(all);
  const lines = Object.entries(images).map(([setting, image]) => `${setting} ${image}`);
  const script = hostScript({ IMAGES: lines.join("\n") }, ["on-host/images.sh"]);
  const there = readImageFacts(await askHost(host, name, script));
  const answer = await askMachine(script);
  const here = typeof answer === "string" ? readImageFacts(answer) : undefined;
  if (typeof answer !== "string" && Object.keys(images).some((setting) => !(setting in there.wanted)))
    say(`no image is sent: on this machine no Docker answers (${answer.said.trim().split("\n").at(-1)})`);
  const { send, notes } = whatToSend(images, here, there);
  for (const note of notes) say(note);
  for (const one of send) {
    await sendOne(host, name, one, layersThere(one.layers, there), say);
    there.layers.push(one.layers);
    if (one.renames)
      say(
        `${one.image} was another image on the host until now: what runs of that stays. A new tag makes a release`,
      );
  }
}

/** `there`: how many of its layers the host has. */
async function sendOne(host: Host, name: string, one: Sending, there: number, say: Say): Promise<void> {
  try {
    await sendWithout(there, host, name, one, say);
  } catch (error) {
    // Not every engine that speaks as Docker does looks for a layer elsewhere than in the archive.
    if (there > 0 && !isLost(error)) {
      say(
        `${one.image} was not taken without those layers, so all of it is sent: ${(error as Error).message}`,
      );
      return sendOne(host, name, one, 0, say);
    }
    throw failure(host, one, error as Error);
  }
}

async function sendWithout(
  there: number,
  host: Host,
  name: string,
  { image, layers }: Sending,
  say: Say,
): Promise<void> {
  const contents = await lookInto(image, layers, there);
  const without = there > 0 ? `, without the ${there} of its ${layers.length} layers that the host has` : "";
  say(`sending ${image} from this machine: ${inMb(contents.bytes)}${without}`);
  const began = performance.now();
  let told = began;
  const sent = await send(image, contents, onHost(host, name, ["docker", "load", "--quiet"]), (bytes) => {
    if (performance.now() - told < TOLD_EVERY_MS) return;
    told = performance.now();
    say(`${image}: ${inMb(bytes)} of ${inMb(contents.bytes)} sent`, true);
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`sent ${image}: ${inMb(sent)} compressed, in ${seconds} s`);
}

const TOLD_EVERY_MS = 3000;

const inMb = (bytes: number): string => `${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`;

/** Whether it was the connection: 255 is ssh's own status. */
const isLost = (error: unknown): boolean => error instanceof Failed && error.status === 255;

function failure(host: Host, { setting, image }: Sending, { message }: Error): pulumi.RunError {
  const hint = /o space left on device|isk quota exceeded/.test(message)
    ? "make room on the Docker host ('docker system df' tells what takes it)."
    : "see that Docker answers on this machine and on the host, and that the connection holds.";
  return refusal(
    [
      `${setting}: ${image} could not be sent from this machine to ${host.address}:`,
      ...message.split("\n").map((line) => `  ${line}`),
      "Nothing was changed: what is live keeps serving.",
      `What to do next: ${hint} Then run 'pulumi up' again.`,
    ].join("\n"),
  );
}
