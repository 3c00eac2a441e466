import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { IngressContext } from "../context";
import { dockerHost } from "./address";
import { sshConnection } from "./ssh";

/** For what has to be run at its deletion. Without triggers it is never replaced, which would run that, too. */
export const UNTIL_DELETED = { create: "sh -s create", delete: "sh -s delete" };

/**
 * Runs a script where the Docker engine can be reached: on this machine, or over SSH on the host itself. It comes as
 * input: an error quotes the command, and that shall be readable and tell no secret.
 */
export function runOnHost(
  { name, owner, provider, settings }: IngressContext,
  suffix: string,
  args: {
    stdin: pulumi.Input<string>;
    triggers?: pulumi.Input<string>[];
    create?: string;
    delete?: string;
    logging?: "stderr";
  },
  dependsOn: pulumi.Resource[] = [],
): command.local.Command | command.remote.Command {
  const script = { create: "sh -s", logging: "stdoutAndStderr" as const, ...args };
  // The provider is there when the host has answered (reach.ts), and before that there is nothing to be run.
  const opts = { parent: owner, dependsOn: [provider, ...dependsOn] };
  const connection = sshConnection(settings.host);
  return connection === undefined
    ? new command.local.Command(
        `${name}-${suffix}`,
        { ...script, environment: dockerHost(settings.host) },
        opts,
      )
    : // A server takes no variables unless it is told to, and each one that it refuses is a warning.
      new command.remote.Command(
        `${name}-${suffix}`,
        { ...script, connection, addPreviousOutputInEnv: false },
        opts,
      );
}
