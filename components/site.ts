import { fromGate, FROM_USERS, renderLocations, renderPassing, renderUserMaps } from "./passing";
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
 * <idle-color> are colors. No setting may contain < or >.
 */

/**
 * The site but for the idle color. Its first line is what the switch reads back on its next run. Its second is the
 * entrypoint's: how much the log of requests may take, in MB.
 */
export function renderSite(site: Site): string {
  const { containerPort, proxy, tls, health, logs } = site;
  return `# live: <live-color> <live>
# log: ${logs.maxSizeMb * logs.maxFiles}

${LOG_FORMATS}
access_log off;
server_tokens off;
# HTTP/2 clients send as many on one connection as they like; when nginx ends it, some count what was on its way as failed.
keepalive_requests 100000;

${renderUserMaps(site)}
${renderUpstream("<live>", containerPort, proxy)}
${hasTls(tls) ? renderSecureServers(site) : renderLiveServer(site, "live")}

# Tells an nginx that starts whether it can reach the live color, before it opens its ports.
server {
  listen unix:/run/bluegreen/warm.sock;
${renderPassing(site, { ...fromGate(site), host: `"${health.hostHeader}"` })}  location / {
    proxy_pass "http://<live>${health.path}";
  }
}

${renderGateServer(site, "<live>")}`;
}

/** The idle color, behind the preview port: the end of the site. */
export const renderPreview = (site: Site): string => `# idle: <idle-color> <idle>
${renderUpstream("<idle>", site.containerPort, site.proxy)}
server {
  include /run/bluegreen/preview.listen;
${renderPassing(site, FROM_USERS)}${renderLocations(site, "<idle>")}}

${renderGateServer(site, "<idle>")}`;

/**
 * Where the gate asks a container. Its error log is its own, so that only the gate's requests are in it: what nginx writes
 * there is the reason why a container gave no answer.
 */
const renderGateServer = (site: Site, container: string) => `server {
  listen unix:/run/bluegreen/gate-${container}.sock;
  error_log /dev/stderr warn;
  error_log /run/bluegreen/gate.log error;
${renderPassing(site, fromGate(site))}  location / {
    proxy_pass http://${container};
  }
}
`;

/** The end of the site until an idle color has passed its gate. */
export const NO_PREVIEW = `server {
  include /run/bluegreen/preview.listen;
  location / {
    default_type text/plain;
    return 503 "No color is idle yet: none has passed its health gate.\\n";
  }
}
`;

/** As the switch fills them in. */
export function fillSite(site: Site, live: { color: string; container: string }, idle?: typeof live): string {
  return `${renderSite(site)}\n${idle ? renderPreview(site) : NO_PREVIEW}`
    .replaceAll("<live-color>", live.color)
    .replaceAll("<live>", live.container)
    .replaceAll("<idle-color>", idle?.color ?? "")
    .replaceAll("<idle>", idle?.container ?? "");
}

/** The live server; `more` is what only one with TLS has. */
const renderLiveServer = (site: Site, listener: "live" | "secure", more = "") => `server {
  include /run/bluegreen/${listener}.listen;
${more}${renderLogs(site)}${renderPassing(site, FROM_USERS)}${renderLocations(site, "<live>")}}`;

/**
 * The live color with TLS, and the plain port, which redirects: 308, with which a POST stays one. As long as there is no
 * certificate, nginx has the live color on the plain port, so both answer the ACME server's challenges.
 */
function renderSecureServers(site: Site): string {
  const { tls } = site;
  const [map, header] = renderHsts(tls);
  const challenges = tls.acmeEmail === undefined ? "" : CHALLENGES;
  const port = tls.port === 443 ? "" : `:${tls.port}`;
  return `${map}${renderLiveServer(site, "secure", SECURITY + header + challenges)}

server_names_hash_bucket_size 512;
server {
  include /run/bluegreen/plain.listen;
  # What $host is for a request that names no host.
  server_name ${tls.names[0]};
${challenges}  location / {
    return 308 https://$host${port}$request_uri;
  }
}`;
}

/** An empty header is not sent: there is nothing to insist on without TLS. */
function renderHsts({ hstsSeconds }: SiteTls): [map: string, header: string] {
  if (hstsSeconds === 0) return ["", ""];
  return [
    `map $https $strict_transport_security {\n  on "max-age=${hstsSeconds}";\n}\n\n`,
    "  add_header Strict-Transport-Security $strict_transport_security always;\n",
  ];
}

/**
 * What a container that is not served yet gets until the gate is through: an upstream of the same name as in the site
 * that follows, so that its resolved address is kept, and the server that the gate asks. It is complete in itself:
 * beside it stands the former site, or at first none.
 */
export const renderStagedSite = (
  site: Site,
): string => `${renderUpstream("<candidate>", site.containerPort, site.proxy)}
${renderGateServer(site, "<candidate>")}`;

/**
 * Named after its container and with a zone: while both stay, a reload keeps the resolved addresses, so that no new worker
 * ever starts without them. With a name that stays and a server that changes, each would answer 502 until it has resolved.
 */
function renderUpstream(container: string, containerPort: number, proxy: Proxy): string {
  return `upstream ${container} {
  zone ${container} 64k;
  server ${container}:${containerPort} resolve;
  keepalive 64;
  keepalive_timeout ${proxy.upstreamKeepaliveSeconds}s;
}
`;
}

const LOG_FORMATS = `log_format bluegreen '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
  '$request_time s, $upstream_addr $upstream_status $upstream_response_time s "$http_user_agent"';
log_format bluegreen_watch $status;`;

/** Of the live server: the one for people, and the one that the watch after a switch counts. */
function renderLogs({ proxy, watch }: Site): string {
  // Not to the container's log: Docker's work on each line costs a sixth of the request itself, and when Docker hangs or is
  // killed, nginx stops answering as soon as the pipe between them is full, after a thousand requests.
  const people = proxy.accessLog ? "  access_log /bluegreen/access.log bluegreen buffer=32k flush=1s;\n" : "";
  const counted = "  access_log /run/bluegreen/watch.log bluegreen_watch if=$bluegreen_watched;\n";
  return people + (watch.seconds > 0 ? counted : "");
}

// Mozilla's "intermediate" recommendation, without the ciphers that need a file of parameters.
export const SECURITY = `  http2 on;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
  ssl_prefer_server_ciphers off;
  ssl_session_timeout 1d;
  ssl_session_cache shared:bluegreen:10m;
`;

const CHALLENGES = `  location ^~ /.well-known/acme-challenge/ {
    root /bluegreen/state/acme-challenge;
    default_type text/plain;
  }
`;
