interface Side {
  color: string;
  container: string;
  port: string | number;
}

/** A service's site: the templates of site.ts with its names, as fill_site in steps.sh puts them in. */
export function fillSite(
  templates: { site: string; preview: string; noPreview: string },
  service: string,
  live: Side,
  idle?: Side,
): string {
  const { site, preview, noPreview } = templates;
  return `${site}\n${idle ? preview : noPreview}`
    .replaceAll("<service>", service)
    .replaceAll("<live-color>", live.color)
    .replaceAll("<live>", live.container)
    .replaceAll("<live-port>", String(live.port))
    .replaceAll("<idle-color>", idle?.color ?? "")
    .replaceAll("<idle>", idle?.container ?? "")
    .replaceAll("<idle-port>", String(idle?.port))
    .replace(/\n*$/, "\n");
}
