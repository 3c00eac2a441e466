import * as pulumi from "@pulumi/pulumi";
import { Ec2Host } from "./ec2Host";

const config = new pulumi.Config();
const dnsName = config.get("dnsName");

// An empty text is a setting that is left out.
const host = new Ec2Host(pulumi.getStack(), {
  publicKey: config.require("publicKey").trim(),
  privateKeyFile: config.get("privateKeyFile") || undefined,
  sshFrom: config.requireObject<string[]>("sshFrom"),
  architecture: config.get("architecture"),
  instanceType: config.get("instanceType") || undefined,
  amiParameter: config.get("amiParameter") || undefined,
  user: config.get("user"),
  volumeGb: config.getNumber("volumeGb"),
  subnetId: config.get("subnetId") || undefined,
  ecrRegistries: config.getObject<string[]>("ecrRegistries"),
  sessionManager: config.getBoolean("sessionManager"),
  dns: dnsName ? { name: dnsName, zoneId: config.require("dnsZoneId") } : undefined,
  allowReplacement: config.getBoolean("allowReplacement"),
});

export const address = host.address;
export const hostKey = host.hostKey;
export const ip = host.ip;
export const instanceId = host.instanceId;
