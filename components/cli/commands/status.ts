import type { Command } from "commander";
import { hostInWords, ingressesOf } from "../host";
import { look } from "../look";
import { stackCommand, type WhichStack } from "../stack";
import { inWords } from "../words";

export function registerStatus(program: Command): void {
  stackCommand(program, "status", "tells whether each service of the stack is served as the stack says")
    .option("--json", "the same for programs, with all that was found")
    .option(
      "--host [address]",
      "instead, every ingress of a host with its services, whatever stacks they are of",
    )
    .addHelpText("after", "\nExit code 2 where something differs, 1 where that can't be told.")
    .action(status);
}

interface Options extends WhichStack {
  json?: boolean;
  host?: string | true;
}

async function status({ json, host, ...which }: Options): Promise<void> {
  if (host !== undefined) {
    const address = host === true ? (process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock") : host;
    const ingresses = await ingressesOf({ host: address, sshOptions: [] });
    if (json) return console.log(JSON.stringify(ingresses, null, 2));
    return console.log(ingresses.map(hostInWords).join("\n\n") || `Docker at ${address} has no ingress.`);
  }
  const reports = (await look(which)).map(({ report }) => report);
  console.log(json ? JSON.stringify(reports, null, 2) : reports.map(inWords).join("\n\n"));
  if (reports.some(({ inOrder }) => !inOrder)) process.exitCode = 2;
}
