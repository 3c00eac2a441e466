import { Failure } from "./log.mjs";
import { launcher } from "./paths.mjs";
import { capture } from "./run.mjs";

/** Every BlueGreenService of a stack. */
export async function servicesOf({ cwd, stack }) {
  const args = ["stack", "export", "--non-interactive", ...(stack ? ["--stack", stack] : [])];
  const { ok, stdout, stderr } = await capture(launcher, args, { cwd });
  if (!ok)
    throw new Failure(
      `The stack's state can't be read. Nothing was changed.\n${stderr.trim()}\nName a stack with \`-s STACK\`, or select one: \`npx pulumi stack select\`.`,
    );
  const services = readServices(JSON.parse(stdout));
  if (services.length === 0)
    throw new Failure("The stack has no BlueGreenService: `npx pulumi up` makes it. Nothing was changed.");
  return services;
}

/**
 * The same, from the text of `pulumi stack export`. What the stack says is served is what the last switch that passed was
 * told: the outputs of the component are empty after an update that failed.
 * @param {{ deployment: { resources?: any[], pending_operations?: any[] } }} exported
 * @returns {import("./report.js").Service[]}
 */
export function readServices({ deployment }) {
  const resources = deployment.resources ?? [];
  return resources
    .filter(({ type }) => type === "bluegreen:index:BlueGreenService")
    .map(({ urn }) => readService(urn, resources, deployment.pending_operations ?? []));
}

function readService(urn, resources, pending) {
  const [, , stack, , project] = urn.split(":");
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  const children = resources.filter(({ parent }) => parent === urn);
  const child = (suffix) =>
    children.find((resource) => resource.urn.endsWith(`::${name}-${suffix}`) && !resource.delete);
  const provider = child("docker")?.inputs ?? {};
  const switched = child("switch");
  return {
    name,
    stack: `${project}/${stack}`,
    identity: readIdentity(child("identity")) ?? { path: `${project}/${stack}/${name}` },
    host: provider.host,
    sshOptions: provider.sshOpts ? JSON.parse(provider.sshOpts) : [],
    urls: urlsOf(
      child("edge"),
      provider.host,
      resources.find((resource) => resource.urn === urn),
    ),
    containers: children
      .filter(({ type }) => type === "docker:index/container:Container")
      .map((resource) => ({
        role: resource.urn.slice(resource.urn.lastIndexOf("::") + 3 + name.length),
        id: resource.id,
        name: resource.outputs.name,
        replaced: resource.delete === true,
      })),
    pending: pending
      .filter(({ resource }) => resource.parent === urn)
      .map(({ type, resource }) => `${type} ${resource.urn.slice(resource.urn.lastIndexOf("::") + 2)}`),
    switch: switched && readSwitch(switched, child("idle-gate")),
  };
}

/** From the ports of the edge: the outputs of the component are empty after an update that failed. */
function urlsOf(edge, host, { inputs }) {
  const port = (internal) => edge?.outputs.ports?.find((published) => published.internal === internal);
  const engine = host && !host.startsWith("unix:") ? new URL(host).hostname : "localhost";
  const url = ({ ip, external }) => `http://${ip === "0.0.0.0" ? engine : ip}:${external}`;
  const [plain, secure, preview] = [80, 443, 8081].map(port);
  const secureUrl = () =>
    `https://${inputs?.tls?.names?.[0] ?? engine}${secure.external === 443 ? "" : `:${secure.external}`}`;
  return { live: secure ? secureUrl() : plain && url(plain), preview: preview && url(preview) };
}

/** What the service was called when it was made, which is what Docker knows it by (components/identity.ts). */
function readIdentity(command) {
  return command && { path: command.inputs.environment.IDENTITY, id: command.outputs.stdout };
}

/** What the last switch and the last idle gate that passed were told. BLUE and GREEN are what the stack wants of each. */
function readSwitch(switched, idleGate) {
  const { settingsFunction, values } = readCommand(switched);
  const idle = idleGate && readCommand(idleGate).values;
  const { LIVE_COLOR, LIVE, LIVE_IMAGE } = values;
  const live = LIVE_COLOR.toUpperCase();
  return {
    urns: [switched, idleGate].filter(Boolean).map(({ urn }) => urn),
    settingsFunction,
    values: {
      ...values,
      ...(idle && { BLUE: idle.BLUE, GREEN: idle.GREEN }),
      ...(idle && { BLUE_IMAGE: idle.BLUE_IMAGE, GREEN_IMAGE: idle.GREEN_IMAGE }),
      [live]: LIVE,
      [`${live}_IMAGE`]: LIVE_IMAGE,
    },
  };
}

function readCommand({ inputs }) {
  const settings = /^settings\(\) \{\n {2}cat <<'(\w+)'\n([^]*?)\1\n\}\n/.exec(inputs.stdin);
  if (!settings)
    throw new Failure(
      "The stack keeps the input of the switch as a secret (an image that is a secret makes it one), so what it wrote can't be read. Nothing was changed.",
    );
  const [settingsFunction, , assigned] = settings;
  return { settingsFunction, values: readAssignments(assigned) };
}

/** The values of what components/shell.ts writes as assignments. */
function readAssignments(text) {
  const found = text.matchAll(/^(\w+)='((?:[^']|'\\'')*)'$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name, value.replaceAll(`'\\''`, "'")]));
}
