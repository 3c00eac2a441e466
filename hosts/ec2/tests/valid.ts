import type { Ec2HostArgs } from "../args";

/** The least that is valid. */
export const LEAST: Ec2HostArgs = {
  publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFB77bQAp5C5G6jASI6rg7ngsI3WQ you@example",
  sshFrom: ["198.51.100.7/32"],
};
