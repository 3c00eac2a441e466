import { fromGate, FROM_USERS, headerKb, onPreview, renderPassing, USER_MAPS } from "./passing";
import { hasTls, type Health, type Proxy, type Settings, type Tls } from "./settings";

/** What a rendered site depends on: plain values only, so that rendering is a pure function. */
export interface Site {
  containerPort: number;
  proxy: Proxy;
  tls: SiteTls;
  health: Pick<Health, "path" | "hostHeader">;
  watch: Settings["watch"];
  logs: Settings["logs"];
}
export type SiteTls = Pick<Tls, "names" | "port" | "acmeEmail" | "hstsSeconds">;

/*
 * The texts that follow are templates. What is live and what is idle is known when the switch runs, and it fills them in
 * (fill_site and stage in steps.sh): <live>, <idle> and <candidate> are names of containers, <live-color> and
 * <idle-color> are colors, <service> is the service's name. No setting may contain < or >.
 */

/**
 * The site but for the idle color: facts, of which the first is what the switch reads back on its next run, and parts of
 * nginx's configuration, of which sites.awk makes the servers.
 */
function renderSite(site: Site): string {
  const { proxy, tls, logs } = site;
  return `# live: <live-color> <live>
# claim: * /
# header: ${headerKb(proxy)}
# log: ${logs.maxSizeMb * logs.maxFiles}
${renderTlsFacts(tls)}#: ingress
${renderIngress(site)}#: http
${renderHsts(tls)}${renderUpstream("<live>", site)}
# Tells an nginx that starts whether it can reach the live color, before it opens its ports.
server {
  listen unix:/run/bluegreen/warm-<service>.sock;
  access_log off;
${renderPassing(site, { ...fromGate(site), host: `"${site.health.hostHeader}"` })}  location / {
    proxy_pass "http://<live>${site.health.path}";
  }
}
${renderGateServer(site, "<live>")}#: live
${renderLocations(site, "<live>", "users")}`;
}

/** The idle color, behind the preview port: the end of the site. */
const renderPreview = (site: Site): string => `#: facts
# idle: <idle-color> <idle>
#: http
${renderUpstream("<idle>", site)}${renderGateServer(site, "<idle>")}#: idle
${renderLocations(site, "<idle>", "preview")}`;

/** What a switch makes the site of. */
export const renderTemplates = (site: Site) => ({
  site: renderSite(site),
  preview: renderPreview(site),
  noPreview: NO_PREVIEW,
});

/** The end of the site until an idle color has passed its gate. */
const NO_PREVIEW = `#: idle
  location / {
    default_type text/plain;
    return 503 "No color is idle yet: none has passed its health gate.\\n";
  }
`;

/** What is the same for all services of an nginx. */
const renderIngress = ({ proxy }: Site) => `${LOG_FORMATS}
${peoplesLog(proxy, "access_log off;")}
server_tokens off;
underscores_in_headers on;
server_names_hash_bucket_size 512;
# HTTP/2 clients send as many on one connection as they like; when nginx ends it, some count what was on its way as failed.
keepalive_requests 100000;
${SECURITY}${USER_MAPS}`;

function renderTlsFacts(tls: SiteTls): string {
  if (!hasTls(tls)) return "";
  const acme = tls.acmeEmail === undefined ? "" : "# acme: yes\n";
  return `# tls: ${tls.port} ${tls.names.join(" ")}\n${acme}`;
}

/** An empty header is not sent: there is nothing to insist on without TLS. */
const renderHsts = ({ hstsSeconds, ...tls }: SiteTls): string =>
  hasTls(tls) && hstsSeconds > 0
    ? `map $https $bluegreen_hsts_${hstsSeconds} {\n  on "max-age=${hstsSeconds}";\n}\n`
    : "";

/**
 * Where the gate asks a container. Its error log is its own, so that only the gate's requests are in it: what nginx writes
 * there is the reason why a container gave no answer.
 */
const renderGateServer = (site: Site, container: string) => `server {
  listen unix:/run/bluegreen/gate-${container}.sock;
  access_log off;
  error_log /dev/stderr warn;
  error_log /run/bluegreen/gate.log error;
${renderPassing(site, fromGate(site))}  location / {
    proxy_pass http://${container};
  }
}
`;

/**
 * A WebSocket or an event stream may be silent for long, and passes on what comes at once. nginx's timeout is no variable, so
 * these have a location of their own. 418 is never seen: a named location is all that "return" and "error_page" can lead to
 * with method, path and body as they came.
 */
function renderLocations(site: Site, container: string, whose: "users" | "preview"): string {
  const { proxy } = site;
  const timeout = proxy.streamTimeoutSeconds;
  const streams = { ...proxy, buffering: false, readTimeoutSeconds: timeout, sendTimeoutSeconds: timeout };
  const origin = whose === "users" ? FROM_USERS : onPreview(site);
  const more = whose === "users" ? renderHstsHeader(site) + renderLogs(site) : "";
  return `  location / {
${renderPassing({ proxy }, origin, "    ")}${more}    set $bluegreen_nameless "${site.health.hostHeader}";
    error_page 418 = @${container};
    if ($bluegreen_stream) {
      return 418;
    }
    proxy_pass http://${container};
  }
  location @${container} {
${renderPassing({ proxy: streams }, origin, "    ")}${more}    proxy_pass http://${container};
  }
`;
}

const renderHstsHeader = ({ tls }: Site) =>
  hasTls(tls) && tls.hstsSeconds > 0
    ? `    add_header Strict-Transport-Security $bluegreen_hsts_${tls.hstsSeconds} always;\n`
    : "";

/**
 * What a container that is not served yet gets until the gate is through: an upstream of the same name as in the site
 * that follows, so that its resolved address is kept, and the server that the gate asks. It is complete in itself:
 * beside it stands the former site, or at first none.
 */
export const renderStagedSite = (site: Site): string =>
  `${renderUpstream("<candidate>", site)}${renderGateServer(site, "<candidate>")}`;

/**
 * Named after its container and with a zone: while both stay, a reload keeps the resolved addresses, so that no new worker
 * ever starts without them. With a name that stays and a server that changes, each would answer 502 until it has resolved.
 */
const renderUpstream = (container: string, { containerPort, proxy }: Site) =>
  `upstream ${container} {
  zone ${container} 64k;
  server ${container}:${containerPort} resolve;
  keepalive 64;
  keepalive_timeout ${proxy.upstreamKeepaliveSeconds}s;
}
`;

const LOG_FORMATS = `log_format bluegreen '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
  '$request_time s, $upstream_addr $upstream_status $upstream_response_time s "$http_user_agent"';
log_format bluegreen_watch $status;`;

/**
 * The log for people. Not the container's: Docker's work on each line costs a sixth of the request itself, and when Docker
 * hangs or is killed, nginx stops answering as soon as the pipe between them is full, after a thousand requests.
 */
const peoplesLog = (proxy: Proxy, none: string) =>
  proxy.accessLog ? "access_log /bluegreen/access.log bluegreen buffer=32k flush=1s;" : none;

/** For a site that has the watch: what it counts, while it does (set_watched in nginx.sh). A location's logs replace those of all. */
const renderLogs = ({ proxy, watch }: Site) =>
  watch.seconds === 0
    ? ""
    : `    ${peoplesLog(proxy, "")}
    include /run/bluegreen/watched-<service>*.conf;
`;

// Mozilla's "intermediate" recommendation, without the ciphers that need a file of parameters.
export const SECURITY = `http2 on;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_session_timeout 1d;
ssl_session_cache shared:bluegreen:10m;
`;
