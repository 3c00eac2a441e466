import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { posix } from "node:path";
import { runOnHost } from "../host/command";
import type { Context } from "../context";
import type { Ingress } from "./createIngress";
import { stateVolumeOf } from "../identity";
import { acmeRights } from "../rights";
import { certificateFolder, hasTls, type Tls } from "../settings";
import { hash, hostScript, shellFile, shellFiles } from "../shell";

// A certificate gets to nginx by way of the state volume. What is given, as text or as files of the host, is delivered
// before the switch, so that a bad one keeps the update from going on. An ACME server has to see its challenge answered
// first: it is asked after the switch.

const STATE = "/bluegreen/state";
const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
/** Where nginx has the folder of `certificateFile`. */
const FOLDER = "/bluegreen/certificates";

/** Given certificates: what has to be done before the switch. */
export function deliverCertificate(context: Context, ingress?: Ingress): pulumi.Resource[] {
  const { tls } = context.settings;
  if (!hasTls(tls) || tls.acmeEmail !== undefined) return [];
  return [deliver(context, ingress, givenFrom(tls), [])];
}

/** Certificates by ACME: what has to be done after the switch. */
export function obtainCertificate(
  context: Context,
  network: pulumi.Input<string>,
  ingress: Ingress | undefined,
  switched: pulumi.Resource,
): pulumi.Resource[] {
  const { tls } = context.settings;
  if (!hasTls(tls) || tls.acmeEmail === undefined) return [];
  const folder = `${STATE}/acme/${hash(`${tls.acmeEmail} ${tls.acmeDirectory ?? LETS_ENCRYPT}`)}`;
  const volume = ingress?.state.name ?? context.ingress.apply(stateVolumeOf);
  const client = acmeClient(context, { network, volume, folder }, switched);
  const file = `${folder}/certificates/${tls.names[0]}`;
  const from = { ACME: client.name, CHAIN_FILE: `${file}.crt`, KEY_FILE: `${file}.key` };
  return [deliver(context, ingress, from, [client])];
}

/** The folder of the host that nginx needs for certificates from files. */
export function certificateMount({ tls }: { tls: Tls }) {
  const folder = certificateFolder(tls);
  return folder === undefined ? [] : [{ hostPath: folder, containerPath: FOLDER, readOnly: true }];
}

function givenFrom(tls: Tls): { [name in keyof Source]?: pulumi.Input<string> } {
  const folder = certificateFolder(tls);
  if (folder === undefined) return { CHAIN_TEXT: tls.certificate, KEY_TEXT: tls.privateKey };
  const inContainer = (file = "") => posix.join(FOLDER, posix.relative(folder, file));
  return { CHAIN_FILE: inContainer(tls.certificateFile), KEY_FILE: inContainer(tls.privateKeyFile) };
}

/** Where a certificate comes from: text, or files in the proxy's container; ACME is the container to obtain it with first. */
export interface Source {
  ACME: string;
  CHAIN_FILE: string;
  KEY_FILE: string;
  CHAIN_TEXT: string;
  KEY_TEXT: string;
}

/** All that "sh -s" reads: the settings, the parts for the ACME and the proxy container, and the part for the host, which calls them. */
export function renderDelivery(
  source: Partial<Source>,
  whose: { names: string[]; service: string; id: string; ingress: string },
): string {
  const nothing = { ACME: "", CHAIN_FILE: "", KEY_FILE: "", CHAIN_TEXT: "", KEY_TEXT: "" };
  const settings = {
    ...nothing,
    ...source,
    TLS_NAMES: whose.names.join(" "),
    SERVICE: whose.service,
    SERVICE_ID: whose.id,
    INGRESS: whose.ingress,
  };
  return hostScript(settings, ["on-host/containers.sh", "on-host/deliver.sh"], {
    acme_script: shellFile("in-lego/acme.sh"),
    in_container_script: shellFiles("in-nginx/piped/common.sh", "in-nginx/piped/deliver.sh"),
  });
}

function deliver(
  context: Context,
  ingress: Ingress | undefined,
  source: { [name in keyof Source]?: pulumi.Input<string> },
  dependsOn: pulumi.Resource[],
): pulumi.Resource {
  const { names } = context.settings.tls;
  const from = pulumi.secret(pulumi.output(source));
  const stdin = pulumi
    .all([from, context.identity.service, context.identity.id, context.ingress])
    .apply(([values, service, id, ingress]) => renderDelivery(values, { names, service, id, ingress }));
  // Enough to see that it is another one, and too little to be a secret.
  const content = pulumi.unsecret(from.apply((values) => hash(JSON.stringify(values))));
  // Where the ingress is another component's, its volume stays as long as a service is on it.
  const args = { stdin, triggers: [names.join(" "), content, ingress?.state.id ?? context.ingress] };
  const ready = ingress === undefined ? [] : [ingress.ready];
  return runOnHost(context, "certificate", args, [...ready, ...dependsOn]);
}

function acmeClient(
  context: Context,
  {
    network,
    volume,
    folder,
  }: { network: pulumi.Input<string>; volume: pulumi.Input<string>; folder: string },
  switched: pulumi.Resource,
): docker.Container {
  const { names, acmeEmail = "", acmeDirectory = LETS_ENCRYPT, acmeImage } = context.settings.tls;
  const environment = { NAMES: names.join(" "), EMAIL: acmeEmail, DIRECTORY: acmeDirectory, FOLDER: folder };
  return new docker.Container(
    `${context.name}-acme`,
    {
      image: acmeImage,
      // As an argument: an uploaded file would be in the root file system, which is read-only.
      entrypoints: ["sh", "-c", shellFile("in-lego/acme.sh"), "acme.sh"],
      envs: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      volumes: [{ volumeName: volume, containerPath: STATE }],
      networksAdvanced: [{ name: network }],
      init: true,
      destroyGraceSeconds: 10,
      ...acmeRights(),
      ...context.container("acme"),
    },
    context.onDocker({ dependsOn: switched }),
  );
}
