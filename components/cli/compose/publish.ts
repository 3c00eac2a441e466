import type { Context } from "./context";
import type { Check } from "./gate";
import { portsOf, type Port } from "./ports";
import type { Place } from "./problem";
import { integer, texts } from "./values";

// The ports of a service: where it listens, and where users reach it.

type Placed = Port & { from: Place };

/** The first that is published by TCP, or the one that the health check asks. `variable`: PORT. */
export function mapPorts(context: Context, check: Check | undefined, variable: string | undefined): void {
  const { findings, service, wishes } = context;
  const all = (Array.isArray(service.ports) ? service.ports : []).flatMap((item, i): Placed[] => {
    const from = ["ports", i];
    const ports = portsOf(item);
    if (ports === undefined)
      findings.leave(from, `${JSON.stringify(item)} is no port`, "set containerPort and proxy.port.");
    return (ports ?? []).map((port) => ({ ...port, from }));
  });
  const byTcp = all.filter(({ protocol }) => protocol === "tcp");
  const wanted = byTcp.find(({ target }) => target === (wishes.containerPort ?? check?.port));
  const chosen = wanted ?? (wishes.containerPort === undefined ? byTcp[0] : undefined);
  for (const port of all.filter((one) => one !== chosen)) leavePort(context, port);
  if (chosen !== undefined) publish(context, chosen);
  else guessPort(context, check, variable);
  if ("ports" in service && !findings.keys.has("ports")) findings.holds(["ports"], "is empty");
  if ("expose" in service && !findings.keys.has("expose"))
    findings.holds(["expose"], "other containers of the network reach each port of a color anyway");
}

function leavePort({ findings }: Context, { target, protocol, from }: Placed): void {
  if (protocol === "tcp")
    findings.leave(
      from,
      `${target} is published too, and the component publishes one port of a service`,
      `if it is the service's, give --container-port ${target}; else give it a host name or a path of its own, by ports: docs/how-to/more-ports.md.`,
    );
  else
    findings.leave(
      from,
      `${target}/${protocol}: nginx passes on HTTP only`,
      "what speaks it stays in the compose project.",
    );
}

function publish({ findings }: Context, { target, published, hostIp, from }: Placed): void {
  findings.set(["containerPort"], target, from);
  if (target === 443)
    findings.remark(from, "nginx speaks plain HTTP with the colors: TLS is nginx's own, tls.names");
  if (published === undefined)
    return findings.remark(from, "Docker would take any free port; proxy.port is 80 by default");
  findings.set(["proxy", "port"], published, from);
  if (published === 8081) findings.set(["proxy", "previewPort"], 8082, from);
  if (hostIp !== undefined && hostIp !== "" && hostIp !== "0.0.0.0")
    findings.set(["proxy", "bindAddress"], hostIp, from);
}

/** A service that publishes nothing: something in front of it does. */
function guessPort(
  { findings, service, wishes }: Context,
  check: Check | undefined,
  variable: string | undefined,
): void {
  const exposed = texts(service.expose)
    .map((one) => integer(one.replace(/\/tcp$/, "")))
    .find((one) => one !== undefined);
  const guesses: [number | undefined, Place][] = [
    [wishes.containerPort, "ports" in service ? ["ports"] : []],
    [exposed, ["expose"]],
    [check?.port, ["healthcheck", "test"]],
    [integer(variable), ["environment"]],
  ];
  const found = guesses.find(([port]) => port !== undefined);
  if (found !== undefined) findings.set(["containerPort"], ...(found as [number, Place]));
  else
    findings.remark(
      [],
      "no port is named: containerPort is 3000 by default. Set it to the one that the service listens on",
    );
}
