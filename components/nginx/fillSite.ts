import { namesOf } from "../settings/color";

interface Side {
  color: string;
  container: string;
  port: string | number;
  /** How many containers it has; `container` is the first. One, where it is not given. */
  replicas?: number;
}

/** A service's site: the templates of site.ts with its names, as fill_site in steps.sh puts them in. */
export function fillSite(
  templates: { site: string; preview: string; noPreview: string },
  service: string,
  live: Side,
  idle?: Side,
): string {
  const { site, preview, noPreview } = templates;
  const text = `${site}\n${idle ? preview : noPreview}`
    .replaceAll("<service>", service)
    .replaceAll("<live-color>", live.color)
    .replaceAll("<idle-color>", idle?.color ?? "");
  return fill("idle", fill("live", text, live), idle).replace(/\n*$/, "\n");
}

/** Puts the containers of a color into a template, as fill in steps.sh does. */
export function fill(
  whose: string,
  text: string,
  { container = "", port, replicas = 1 }: Partial<Omit<Side, "color">> = {},
): string {
  return text
    .replace(new RegExp(`<${whose}-each>\\n([^]*?)<${whose}-end>\\n`, "g"), (_, each: string) =>
      namesOf(container, replicas)
        .map((name) => each.replaceAll(`<${whose}-one>`, name))
        .join(""),
    )
    .replaceAll(`<${whose}-replicas>`, String(replicas))
    .replaceAll(`<${whose}-many>`, replicas > 1 ? `~${replicas}` : "")
    .replaceAll(`<${whose}-port>`, String(port))
    .replaceAll(`<${whose}>`, container);
}
