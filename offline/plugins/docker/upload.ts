import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import { attempt } from "./client.ts";

export interface Upload {
  file: string;
  content?: string;
  contentBase64?: string;
  source?: string;
  executable?: boolean;
  permissions?: string;
}

/** Puts files into a container before it starts. */
export async function upload(container: Docker.Container, files: Upload[]): Promise<void> {
  if (files.length === 0) return;
  const { pack } = await import("tar-stream");
  for (const file of files) {
    const content = await contentOf(file);
    const archive = pack();
    archive.entry({ name: file.file, mode: modeOf(file), mtime: new Date() }, content);
    archive.finalize();
    await attempt("Unable to upload volume content", () =>
      container.putArchive(archive as unknown as NodeJS.ReadableStream, { path: "/" }),
    );
  }
}

async function contentOf({ file, content, contentBase64, source }: Upload): Promise<Buffer> {
  const given = [content, contentBase64, source].filter(Boolean);
  if (given.length === 0) {
    throw new Error(
      `error with upload content: one of 'content', 'content_base64', or 'source' must be set (${file})`,
    );
  }
  if (given.length > 1) {
    throw new Error(
      `error with upload content: only one of 'content', 'content_base64', or 'source' can be set (${file})`,
    );
  }
  if (source) return attempt("could not read file", () => readFile(source));
  return content ? Buffer.from(content) : Buffer.from(contentBase64 ?? "", "base64");
}

function modeOf({ executable, permissions }: Upload): number {
  if (permissions) return parseInt(permissions, 8);
  return executable ? 0o744 : 0o644;
}
