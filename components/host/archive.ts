import { spawn, type ChildProcess } from "node:child_process";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { Pack, Parser, type ReadEntry } from "tar";
import type { HostCommand } from "./reach";

// An archive of `docker save`, on its way to `docker load`.

/** The files of an archive that hold these layers, and how large all the others are. `layers`: from the lowest on. */
export interface Contents {
  left: Set<string>;
  bytes: number;
}

/** Reads an archive once, since the list of its layers is at its end. `there`: how many of the layers are not wanted. */
export async function lookInto(image: string, layers: string[], there: number): Promise<Contents> {
  const sizes: { [file: string]: number } = {};
  const manifest: Buffer[] = [];
  await readSaved(image, (entry) => {
    sizes[entry.path] = entry.size;
    if (entry.path === "manifest.json") entry.on("data", (chunk: Buffer) => manifest.push(chunk));
    else entry.resume();
  });
  const images = JSON.parse(Buffer.concat(manifest).toString()) as { Layers: string[] }[];
  const files = images.length === 1 ? images[0].Layers : [];
  // Of the same layer at two places of an image, the second may be a link to the first.
  const wanted = new Set(layers.slice(there));
  const isLeft = (i: number) => files.length === layers.length && i < there && !wanted.has(layers[i]);
  const left = new Set(files.filter((_, i) => isLeft(i)));
  const rest = Object.entries(sizes).filter(([file]) => !left.has(file));
  return { left, bytes: rest.reduce((sum, [, bytes]) => sum + bytes, 0) };
}

/** Sends an image without some of its files; gives how many bytes that were, compressed. */
export async function send(
  image: string,
  { left }: Pick<Contents, "left">,
  { file, args, env }: HostCommand,
  progress: (bytes: number) => void,
): Promise<number> {
  const pack = new Pack({ filter: (path) => !left.has(path) });
  const archive = new PassThrough();
  pack.pipe(archive);
  const stop = new AbortController();
  const load = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "pipe"] });
  const ended = endOf(load);
  ended.catch(() => stop.abort());
  const saved = readSaved(image, (entry) => pack.add(entry), stop.signal);
  saved.then(
    () => pack.end(),
    (error: Error) => archive.destroy(error),
  );
  let [read, sent] = [0, 0];
  const counting = (count: (bytes: number) => void) =>
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        count(chunk.length);
        yield chunk;
      }
    };
  // Quick rather than small, for networks of today. Docker 20.10 reads nothing that is better at both.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const streamed = pipeline(
    archive,
    counting((bytes) => progress((read += bytes))),
    gzip,
    counting((bytes) => (sent += bytes)),
    load.stdin,
  );
  const ways = [saved, ended, streamed];
  for (const way of await Promise.allSettled(ways)) {
    // Who failed first says why: the others only lost it.
    if (way.status === "rejected" && (way.reason as Error).name !== "AbortError") throw way.reason;
  }
  return sent;
}

async function readSaved(
  image: string,
  onReadEntry: (entry: ReadEntry) => unknown,
  signal?: AbortSignal,
): Promise<void> {
  const save = spawn("docker", ["save", image], {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    // Told politely, Docker's client waits until somebody reads what it has said so far.
    killSignal: "SIGKILL",
  });
  // A `docker` that is a script leaves a program of its own, which only a closed pipe ends. Its standard error stays
  // open: it says what went wrong.
  const letGo = () => {
    save.kill("SIGKILL");
    save.stdout.destroy();
  };
  const ended = endOf(save);
  ended.catch(letGo);
  const read = parse(save.stdout, onReadEntry).catch((error: Error) => {
    letGo();
    // An archive that breaks off is the lesser half of it.
    return ended.then(() => Promise.reject(error));
  });
  await Promise.all([ended, read]);
}

function parse(archive: Readable, onReadEntry: (entry: ReadEntry) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const parser = new Parser({ strict: true, onReadEntry: (entry) => void onReadEntry(entry) });
    parser.on("end", resolve);
    parser.on("error", reject);
    archive.pipe(parser);
  });
}

/** A program that failed, with its own words. */
export class Failed extends Error {
  constructor(
    readonly status: number | null,
    said: string,
  ) {
    super(said);
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", (error) =>
      reject(error.name === "AbortError" ? error : new Failed(null, error.message)),
    );
    child.on("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new Failed(status, said.trim() || `ended with ${signal ?? status}`));
    });
  });
}
