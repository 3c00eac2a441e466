import * as pulumi from "@pulumi/pulumi";
import type { Ec2HostArgs } from "../args";
import { Ec2Host } from "../ec2Host";

// Inputs are compared with what is expected of them, so their type is of no use here.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Inputs = { [name: string]: any };

export interface Declared {
  type: string;
  inputs: Inputs;
  /** Names of the inputs that arrived marked as secret. */
  secrets: string[];
  /** As they are given, without what the engine adds. */
  opts: pulumi.CustomResourceOptions;
}

export interface Mocked {
  host: Ec2Host;
  /** By name without "shop-"; the instance itself is "shop". */
  resources: { [name: string]: Declared };
  /** Functions of AWS that were called, with what they were asked. */
  calls: Inputs[];
}

/** Declares a host "shop" and waits until everything is registered. Nothing here is AWS: what it would say is made up. */
export async function declare(args: Ec2HostArgs): Promise<Mocked> {
  const arrived: { [name: string]: Pick<Declared, "inputs" | "secrets"> } = {};
  const declared: { [name: string]: { type: string; opts: pulumi.CustomResourceOptions } } = {};
  const calls: Inputs[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        arrived[name] = unwrap(inputs as Inputs);
        return { id: `${name}-id`, state: { ...(inputs as Inputs), ...made(type, name) } };
      },
      call: ({ token, inputs: asked }) => {
        calls.push({ token, ...(asked as Inputs) });
        return token.includes("getSubnet") ? { vpcId: "vpc-1" } : { value: "ami-1" };
      },
    },
    "bluegreen-ec2",
    "prod",
  );
  const host = new Ec2Host("shop", args, {
    transformations: [({ type, name, opts }) => void (declared[name] = { type, opts })],
  });
  await pulumi.runtime.disconnect();
  const resources = Object.entries(declared)
    .filter(([, { type }]) => !type.startsWith("bluegreen:"))
    .map(([name, one]) => [name.replace(/^shop-/, ""), { ...one, ...arrived[name] }] as const);
  return { host, resources: Object.fromEntries(resources), calls };
}

const SECRET = "4dabf18193072939515e22adb298388d";

function unwrap(inputs: Inputs): Pick<Declared, "inputs" | "secrets"> {
  const isSecret = (value: unknown): value is { value: unknown } =>
    typeof value === "object" && value !== null && SECRET in value;
  return {
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [
        name,
        isSecret(value) ? value.value : (value as unknown),
      ]),
    ),
    secrets: Object.keys(inputs).filter((name) => isSecret(inputs[name])),
  };
}

function made(type: string, name: string): Inputs {
  if (type.startsWith("tls:"))
    return { privateKeyOpenssh: "PRIVATE", publicKeyOpenssh: "ssh-ed25519 HOST\n" };
  return { name, keyName: name, publicIp: "192.0.2.10" };
}

export const valueOf = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => output.apply((value) => resolve(value)));
