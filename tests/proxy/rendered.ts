import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { NGINX_IMAGE, type Proxy, type Settings } from "../../components/settings";
import { printingFunction, shellFile } from "../../components/shell";
import { fill, fillSite } from "../../components/nginx/fillSite";
import { renderClosedSite, renderStagedSite, renderTemplates } from "../../components/nginx/site";
import { containers, validSettings } from "../unit/valid";

/** The greatest values that are not refused. */
export const greatest = fc.constantFrom<Partial<Proxy>>(
  {},
  { maxBodySize: "999999999g" },
  { maxBodySize: "0" },
  {
    connectTimeoutSeconds: 1e9,
    readTimeoutSeconds: 1e9,
    sendTimeoutSeconds: 1e9,
    streamTimeoutSeconds: 1e9,
    upstreamKeepaliveSeconds: 1e9,
    spoolMb: 1e9,
    maxHeaderKb: 512,
  },
);

export interface Case {
  settings: Settings;
  names: { blue: string; green: string };
}
export const CASE: fc.Arbitrary<Case> = fc
  .tuple(validSettings, greatest, containers)
  .map(([settings, proxy, names]) => ({
    settings: { ...settings, proxy: { ...settings.proxy, ...proxy } },
    names,
  }));

/** The first switch: both colors are staged. Then the site that it commits. */
function configurations({ settings, names }: Case): { staged: string; site: string; closed: string } {
  const { blue, green } = settings.colors;
  const live = { color: "blue", container: names.blue, port: blue.containerPort, replicas: blue.replicas };
  const idle = {
    color: "green",
    container: names.green,
    port: green.containerPort,
    replicas: green.replicas,
  };
  const staged = [live, idle].map((side) => fill("candidate", renderStagedSite(settings), side));
  const { proxy } = settings;
  const oneAtATime = { ...settings, strategy: "recreate" as const, proxy: { ...proxy, sharedAssets: [] } };
  return {
    staged: staged.join(""),
    site: fillSite(renderTemplates(settings), "shop", live, idle),
    closed: renderClosedSite(oneAtATime).replaceAll("<service>", "shop"),
  };
}

/** Tests them all in one container, and gives what nginx says of those that it refuses. */
export function refusals(cases: Case[]): string {
  const files = ["nginx.conf", "nginx.sh", "sites.awk"];
  const script = [
    "set -eu\nmkdir -p /bluegreen/state/services/shop /run/bluegreen/tls",
    ...files.map(
      (file, i) =>
        `${printingFunction(`file_${i}`, shellFile(`in-nginx/uploaded/${file}`))}file_${i} >/bluegreen/${file}`,
    ),
    ". /bluegreen/nginx.sh\nuse_service shop",
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout /tmp/key -out /tmp/chain 2>/dev/null",
    "cat /tmp/chain /tmp/key >$CERTIFICATE",
    "write_resolver\nset_listeners open\nset_watched yes\nwrite_config_hash test",
    `check() { write_sites; nginx -t -c $BASE/nginx.conf >/tmp/log 2>&1 || { echo "case $1:"; cat /tmp/log; }; }`,
    ...cases.map((one, i) => {
      const { staged, site, closed } = configurations(one);
      return [
        `${printingFunction("staged", staged)}staged >$STAGED`,
        `: >$SITE\ncheck '${i} staged'`,
        `${printingFunction("site", site)}site >$SITE`,
        `rm $STAGED\ncheck '${i} committed'`,
        `${printingFunction("closed", closed)}closed >$SITE\ncheck '${i} closed'`,
      ].join("\n");
    }),
    "echo tested >&2",
  ];
  const { status, stdout, stderr } = spawnSync(
    "docker",
    ["run", "--rm", "--interactive", NGINX_IMAGE, "sh", "-s"],
    {
      input: script.join("\n"),
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "tested\n");
  return stdout;
}
