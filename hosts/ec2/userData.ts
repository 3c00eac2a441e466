import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "./args";

export interface HostKey {
  privateKey: string;
  publicKey: string;
}

const script = (name: string) => readFileSync(join(__dirname, name), "utf8");

/** What cloud-init does at the first boot. It reads YAML, and JSON is YAML. */
export function userData({ user, ecrRegistries }: Settings, hostKey: HostKey): string {
  const setup = "/usr/local/sbin/bluegreen-host-setup";
  const config = {
    // Before the SSH server starts, so that it never answers with another key.
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    write_files: [{ path: setup, permissions: "0755", content: script("setup.sh") }],
    runcmd: [[setup, user, ...ecrRegistries]],
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}

export const waitScript = (): string => script("wait.sh");
