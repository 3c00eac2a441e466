/** A tiny image for the tests: a rootfs with nothing but a static busybox. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export const IMAGE = `standin-test-busybox:${process.pid}`;

export function makeImage(): void {
  const busybox = ["/bin/busybox", "/usr/bin/busybox"].find(existsSync);
  if (!busybox) throw new Error("these tests need a static busybox: apt-get install busybox-static");
  const root = mkdtempSync(path.join(os.tmpdir(), "standin-image-"));
  try {
    for (const folder of ["bin", "etc", "tmp"]) mkdirSync(path.join(root, folder));
    copyFileSync(busybox, path.join(root, "bin/busybox"));
    for (const applet of ["sh", "sleep", "cat", "true", "ls"])
      symlinkSync("busybox", path.join(root, "bin", applet));
    const rootfs = execFileSync("tar", ["-c", "-C", root, "."], { maxBuffer: 64 * 1024 * 1024 });
    execFileSync("docker", ["import", "-c", 'CMD ["/bin/sleep","1000"]', "-", IMAGE], {
      input: rootfs,
      stdio: ["pipe", "ignore", "inherit"],
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

export function removeImage(): void {
  execFileSync("docker", ["image", "rm", "-f", IMAGE], { stdio: "ignore" });
}

export function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}
