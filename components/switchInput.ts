import { renderSite, renderStagedSite, type SiteTls } from "./site";
import { COLORS, other, type Color, type Settings } from "./settings";
import { assignments, hash, printingFunction, proxyFile } from "./shell";

/** What the switch gets to know: plain values only, and no secret. */
export interface SwitchValues {
  /** Whose switch it is: project/stack/component. */
  lockHolder: string;
  /** The names of the containers. */
  containers: Record<Color, string>;
  proxyContainer: string;
  /** What they run, for the journal. */
  images: Record<Color, string>;
  settings: Pick<
    Settings,
    | "activeColor"
    | "containerPort"
    | "health"
    | "watch"
    | "proxy"
    | "idle"
    | "drainSeconds"
    | "stopGraceSeconds"
    | "lockWaitSeconds"
    | "keepImages"
  > & { tls: SiteTls };
}

/** All that "sh -s" reads: the settings, the part for the proxy container, and the part for the host, which calls it. */
export function renderSwitchInput(values: SwitchValues): string {
  return [
    printingFunction("settings", assignments(switchVariables(values))),
    printingFunction("in_container_script", proxyFile("probe.sh") + proxyFile("switch.sh")),
    proxyFile("host.sh"),
  ].join("\n");
}

function switchVariables({ lockHolder, containers, images, proxyContainer, settings }: SwitchValues) {
  const { activeColor, health, watch, proxy, containerPort } = settings;
  return {
    LOCK_HOLDER: lockHolder,
    LIVE_COLOR: activeColor,
    BLUE: containers.blue,
    GREEN: containers.green,
    PROXY: proxyContainer,
    BLUE_IMAGE: images.blue,
    GREEN_IMAGE: images.green,
    HEALTH_PATH: health.path,
    HEALTH_HOST: health.hostHeader,
    HEALTH_INTERVAL: health.intervalSeconds,
    HEALTH_TIMEOUT: health.timeoutSeconds,
    HEALTH_PASSES: health.passes,
    HEALTH_STATUS: health.status ?? "",
    HEALTH_BODY: health.bodyText ?? "",
    HEALTH_JSON_FIELD: health.jsonField ?? "",
    HEALTH_JSON_VALUE: health.jsonValue ?? "",
    GATE_TIMEOUT: health.gateTimeoutSeconds,
    WATCH_SECONDS: watch.seconds,
    WATCH_TOLERANCE: watch.tolerancePercent,
    IDLE: settings.idle,
    DRAIN_SECONDS: settings.drainSeconds,
    STOP_GRACE_SECONDS: settings.stopGraceSeconds,
    LOCK_WAIT_SECONDS: settings.lockWaitSeconds,
    KEEP_IMAGES: settings.keepImages ?? "",
    SITE_TEXT: renderSwitchSite(settings, containers),
    CONFIG_HASH: configHash(settings, containers),
    ...Object.fromEntries(
      COLORS.map((color) => [
        `${color.toUpperCase()}_STAGED_SITE`,
        renderStagedSite(color, containers[color], containerPort, proxy),
      ]),
    ),
  };
}

/** Of the site as it stands on the state volume, to tell whether it is still what the switch wrote. */
export const configHash = (settings: SwitchValues["settings"], containers: Record<Color, string>): string =>
  hash(`${renderSwitchSite(settings, containers)}\n`);

/**
 * What makes the switch run anew besides other containers: everything that is rendered or gated. A change of other values,
 * such as the drain's, only updates its input; that run finds nothing to gate and the site as it is.
 */
export function switchHash(settings: SwitchValues["settings"]): string {
  const anyNames = { blue: "blue", green: "green" };
  return hash(JSON.stringify([renderSwitchSite(settings, anyNames), settings.health, settings.idle]));
}

function renderSwitchSite(
  { activeColor, containerPort, proxy, tls, health, watch }: SwitchValues["settings"],
  names: Record<Color, string>,
) {
  const idle = other(activeColor);
  return renderSite({
    live: { color: activeColor, container: names[activeColor] },
    idle: { color: idle, container: names[idle] },
    containerPort,
    proxy,
    tls,
    health,
    watch,
  });
}
