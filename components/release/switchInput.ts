import { ownListening, urls } from "../host/address";
import { schemeOf } from "../nginx/requests";
import { renderClosedSite, renderStagedSite, renderTemplates } from "../nginx/site";
import type { Color, ColorSettings, Settings } from "../settings";
import { hash, hostScript, quote, shellFiles } from "../shell";
import { asked } from "./health";

/** What the switch and the idle gate get to know: plain values only, and no secret. */
export interface CommandValues {
  /** Whose command it is: project/stack/component. */
  lockHolder: string;
  /** What the service is called on its nginx. */
  service: string;
  /** The label bluegreen.id of all that belongs to the service. */
  id: string;
  /** The label bluegreen.ingress of all that is on its ingress. */
  ingress: string;
  settings: CommandSettings;
}
export type CommandSettings = Pick<
  Settings,
  | "activeColor"
  | "ingress"
  | "hosts"
  | "redirects"
  | "path"
  | "stripPath"
  | "ports"
  | "health"
  | "watch"
  | "logs"
  | "proxy"
  | "strategy"
  | "idle"
  | "drainSeconds"
  | "stopGraceSeconds"
  | "lockWaitSeconds"
  | "keepImages"
  | "host"
  | "tlsPort"
> & {
  tls: Pick<Settings["tls"], "names" | "port" | "acmeEmail" | "hstsSeconds">;
  colors: Record<Color, Pick<ColorSettings, "containerPort" | "own" | "workers" | "replicas">>;
};

/** All that "sh -s" reads for the switch of a container. It is not told of the idle color: a change there is no reason to run it. */
export function renderSwitchInput(values: CommandValues, live: string): string {
  const { activeColor, watch, strategy } = values.settings;
  const closed = strategy === "recreate" && { CLOSED_TEMPLATE: renderClosedSite(values.settings) };
  return renderInput("switch", {
    ...commonVariables(values),
    LIVE_COLOR: activeColor,
    LIVE: live,
    ...ofColor("LIVE", values.settings.colors[activeColor]),
    HEALTH_HASH: healthHash(values.settings.health),
    WATCH_SECONDS: watch.seconds,
    WATCH_TOLERANCE: watch.tolerancePercent,
    ...closed,
  });
}

/** All that "sh -s" reads for the idle gate. It is not told which color is live: a flip is no reason to run it. */
export function renderIdleGateInput(values: CommandValues, { blue, green }: Record<Color, string>): string {
  return renderInput("idle-gate", {
    ...commonVariables(values),
    BLUE: blue,
    ...ofColor("BLUE", values.settings.colors.blue),
    GREEN: green,
    ...ofColor("GREEN", values.settings.colors.green),
  });
}

/** All that "sh -s" reads to move the workers. `containers`: those of the live color, by the workers' names. */
export function renderWorkersInput(
  { service, id, ingress, settings }: CommandValues,
  live: string,
  containers: { [worker: string]: string },
): string {
  const workers = Object.entries(settings.colors[settings.activeColor].workers).map(
    ([name, { exclusive, stayUpSeconds }]) =>
      `${name} ${containers[name]} ${exclusive ? "exclusive" : "beside"} ${stayUpSeconds}`,
  );
  const variables = {
    SERVICE: service,
    SERVICE_ID: id,
    INGRESS: ingress,
    LIVE_COLOR: settings.activeColor,
    LIVE: live,
    WORKERS: workers.join("\n"),
    ...urlsOf(settings, service),
  };
  return hostScript(variables, [
    "in-both/replicas.sh",
    "on-host/containers.sh",
    "on-host/failure.sh",
    "on-host/conclude.sh",
    "on-host/workers.sh",
  ]);
}

/** Where a color listens, which settings it has of its own, and how many containers it has, where it has several. */
const ofColor = (who: string, { containerPort, own, replicas }: CommandSettings["colors"][Color]) => ({
  [`${who}_PORT`]: containerPort,
  [`${who}_OWN`]: own.join(" "),
  ...(replicas > 1 && { [`${who}_REPLICAS`]: replicas }),
});

/** The settings, the part for nginx's container, and the part for the host, which calls it. */
function renderInput(command: "switch" | "idle-gate", variables: { [name: string]: string | number }) {
  const recreates = command === "switch" && "STRATEGY" in variables;
  const inContainer = shellFiles(
    "in-both/replicas.sh",
    "in-nginx/piped/common.sh",
    "in-nginx/piped/probe.sh",
    "in-nginx/piped/reason.sh",
    "in-nginx/piped/gate.sh",
    "in-nginx/piped/drain.sh",
    "in-nginx/piped/steps.sh",
    ...(recreates ? ["in-nginx/piped/recreate.sh"] : []),
    `in-nginx/piped/${command}.sh`,
  );
  return hostScript(
    variables,
    [
      "in-both/replicas.sh",
      "on-host/containers.sh",
      "on-host/hear.sh",
      "on-host/explain.sh",
      "on-host/failure.sh",
      "on-host/old-images.sh",
      "on-host/conclude.sh",
      ...(recreates ? ["on-host/recreate.sh"] : []),
      `on-host/${command}.sh`,
    ],
    { in_container_script: inContainer },
  );
}

function commonVariables({ lockHolder, service, id, ingress, settings }: CommandValues) {
  const { health } = settings;
  const { site, preview, noPreview } = renderTemplates(settings);
  return {
    LOCK_HOLDER: lockHolder,
    SERVICE: service,
    SERVICE_ID: id,
    INGRESS: ingress,
    HEALTH_ASKED: asked(settings),
    HEALTH_KIND: health.kind,
    // Words, as a shell takes them.
    HEALTH_COMMAND: (health.command ?? []).map(quote).join(" "),
    HEALTH_PATH: health.path,
    HEALTH_PORT: health.port ?? "",
    HEALTH_HEADERS: Object.keys(health.headers ?? {}).join(" "),
    HEALTH_SCHEME: schemeOf(settings),
    HEALTH_HOST: health.hostHeader,
    HEALTH_INTERVAL: health.intervalSeconds,
    HEALTH_TIMEOUT: health.timeoutSeconds,
    HEALTH_PASSES: health.passes,
    HEALTH_STATUS: health.status ?? "",
    HEALTH_BODY: health.bodyText ?? "",
    HEALTH_JSON_FIELD: health.jsonField ?? "",
    HEALTH_JSON_VALUE: health.jsonValue ?? "",
    GATE_TIMEOUT: health.gateTimeoutSeconds,
    ...urlsOf(settings, service),
    ...(settings.strategy === "recreate" && { STRATEGY: settings.strategy }),
    IDLE: settings.idle,
    DRAIN_SECONDS: settings.drainSeconds,
    STOP_GRACE_SECONDS: settings.stopGraceSeconds,
    LOCK_WAIT_SECONDS: settings.lockWaitSeconds,
    KEEP_IMAGES: settings.keepImages ?? "",
    SITE_TEMPLATE: site,
    PREVIEW_TEMPLATE: preview,
    NO_PREVIEW: noPreview,
    STAGED_TEMPLATE: renderStagedSite(settings),
  };
}

/** Those of an ingress that others have made are not known here. */
function urlsOf(settings: CommandSettings, service: string) {
  const { url, previewUrl } =
    settings.ingress === undefined
      ? urls(settings, service, ownListening(settings))
      : { url: "", previewUrl: "" };
  return { URL: url, PREVIEW_URL: previewUrl };
}

/** By which a switch tells that another health is asked for than before: not by how often, but by all that makes an answer a good one. */
function healthHash({ headers = {}, ...health }: Settings["health"]): string {
  const { intervalSeconds: _interval, gateTimeoutSeconds: _timeout, passes: _passes, ...judged } = health;
  return hash(JSON.stringify([judged, Object.keys(headers)]));
}

/**
 * What makes the switch run anew besides another live container: everything that is rendered or gated. A change of other
 * values, such as the drain's, only updates its input; that run finds nothing to gate and the site as it is.
 */
export function switchHash(settings: CommandSettings): string {
  const templates = renderTemplates(settings);
  // The idle color's port is none of its business: what is idle stays as it is until the idle gate.
  const port = String(settings.colors[settings.activeColor].containerPort);
  const [site, preview] = [templates.site, templates.preview].map((text) =>
    text.replaceAll(/<(live|idle)-port>/g, port),
  );
  // The headers may be secrets. They are delivered by a command of their own, whose id is a trigger of the switch (service/switch.ts).
  const { headers: _headers, kind, ...health } = settings.health;
  // A stack of before there were kinds has the same hash.
  return hash(JSON.stringify([site, preview, kind === "http" ? health : { ...health, kind }]));
}
