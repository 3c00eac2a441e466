import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Certificate {
  /** As PEM text, with the key without a passphrase. */
  certificate: string;
  privateKey: string;
}

/** A CA of one's own, with the openssl of this machine. */
export class TestCa {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "bluegreen-ca-"));
  readonly certificate: string;

  constructor() {
    this.openssl(
      ...["req", "-x509", ...EC_KEY, "-nodes", "-keyout", "ca.key", "-out", "ca.pem"],
      ...["-subj", "/CN=test CA", "-days", "2"],
    );
    this.certificate = this.read("ca.pem");
  }

  /** A certificate for these names; with days below zero, one that has expired. */
  issue(names: string[], { days = 2, key = EC_KEY } = {}): Certificate {
    const alternatives = names.map((name) => `DNS:${name}`).join(",");
    this.openssl(
      ...["req", ...key, "-nodes", "-keyout", "one.key", "-out", "one.csr"],
      ...["-subj", "/CN=test", "-addext", `subjectAltName=${alternatives}`],
    );
    this.openssl(
      ...["x509", "-req", "-in", "one.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "one.pem"],
      ...["-days", String(days), "-copy_extensions", "copy"],
    );
    return { certificate: this.read("one.pem"), privateKey: this.read("one.key") };
  }

  /** The same key, which only a passphrase opens. */
  encrypted(key: string): string {
    writeFileSync(path.join(this.folder, "plain.key"), key);
    this.openssl("pkey", "-in", "plain.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key");
    return this.read("locked.key");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.folder, stdio: "pipe" });
  }
  private read(file: string): string {
    return readFileSync(path.join(this.folder, file), "utf8");
  }
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
/** What OpenSSL's usual security level takes for too weak, though it reads it. */
export const WEAK_KEY = ["-newkey", "rsa:1024"];
