import {
  fromGate,
  fromUsers,
  headerKb,
  moduleOf,
  onPreview,
  renderClient,
  renderGrpc,
  renderPass,
  renderPassing,
  renderTrust,
  streamOf,
  USER_MAPS,
} from "./requests";
import { claimsOf } from "./claims";
import { renderPiece } from "./piece";
import { hash } from "../shell";
import {
  COLORS,
  hasTls,
  isRedirected,
  nearestFirst,
  type Color,
  type ColorSettings,
  type Health,
  type Proxy,
  type Settings,
  type Tls,
} from "../settings";

/** What a rendered site depends on: plain values only, so that rendering is a pure function. */
export interface Site {
  ports: Settings["ports"];
  proxy: Proxy;
  tls: SiteTls;
  health: Pick<Health, "path" | "hostHeader">;
  watch: Settings["watch"];
  logs: Settings["logs"];
  hosts: string[];
  redirects: Settings["redirects"];
  path: string;
  stripPath: boolean;
  strategy: Settings["strategy"];
  colors: Record<Color, Pick<ColorSettings, "replicas">>;
}
export type SiteTls = Pick<Tls, "names" | "port" | "acmeEmail" | "hstsSeconds">;

/*
 * The texts that follow are templates. What is live and what is idle is known when the switch runs, and it fills them in
 * (fill_site and stage in steps.sh): <live>, <idle> and <candidate> are names of containers, <live-port>, <idle-port> and
 * <candidate-port> are where they listen, <live-color> and <idle-color> are colors, <service> is the service's name, <since> is when
 * the site was closed (closed_site in recreate.sh). No setting may contain < or >.
 *
 * Where a color has several containers, <live> is the first of them, <live-replicas> is how many there are, <live-many> is that too,
 * as a part of the upstream's name ("~3"), or nothing where there is one, and what is between <live-each> and <live-end> is there for each,
 * whose name is <live-one>. Without `replicas`, a template has none of these, and stands for the first one.
 */

/**
 * The site but for the idle color: facts, of which the first is what the switch reads back on its next run, and parts of
 * nginx's configuration, of which sites.awk makes the servers.
 */
function renderSite(site: Site): string {
  const { proxy, tls } = site;
  return `# live: <live-color> <live>
${renderReplicas("live", site)}${renderHead(site)}#: http
${renderTrust(proxy)}${renderGrpc([proxy, ...portsOf(site).map(({ own }) => own.proxy)])}${renderHsts(tls)}${renderRedirects(site)}${renderRateLimit(proxy)}${renderSharedAssets(site)}${renderStripping(site)}${renderUpstreams("live", site)}
# Tells an nginx that starts whether it can reach the live color, before it opens its ports.
server {
  listen unix:/run/bluegreen/warm-<service>.sock;
  access_log off;
${renderPassing(site, { ...fromGate(site), host: `"${site.health.hostHeader}"` })}  location / {
    ${proxy.protocol === "grpc" ? renderPass(proxy, peersOf("live", site)) : `proxy_pass "http://${peersOf("live", site)}${site.health.path}";`}
  }
}
${renderGateServers("live", site)}${ofPorts(site, (own, port) => `#: live-${port}\n${renderLocations(own, `<live>-${port}`, "users")}`)}#: live
${renderLocations(site, "<live>", "users")}`;
}

/** Facts, and what is the same whoever is live. */
const renderHead = (site: Site) => `${renderClaims(site)}# header: ${headerKb(site.proxy)}
${site.proxy.accessLog ? `# log: ${site.logs.maxSizeMb * site.logs.maxFiles}\n` : ""}${renderTlsFacts(site)}#: ingress
${INGRESS}${site.proxy.accessLog ? `#: log\n${LOG}\n` : ""}`;

/** The idle color, behind the preview port: the end of the site. */
const renderPreview = (site: Site): string => `#: facts
# idle: <idle-color> <idle>
${renderReplicas("idle", site)}#: http
${renderUpstreams("idle", site)}${renderGateServers("idle", site)}${ofPorts(site, (own, port) => `#: idle-${port}\n${renderLocations(own, `<idle>-${port}`, "preview")}`)}#: idle
${renderLocations(site, "<idle>", "preview")}${renderAssets(site, true)}`;

/** What a switch makes the site of. One at a time, nothing is ever behind the preview port. */
export const renderTemplates = (site: Site) => ({
  site: renderSite(site),
  preview: isOneAtATime(site) ? renderWithoutPreview(site) : renderPreview(site),
  noPreview: renderWithoutPreview(site),
});

const isOneAtATime = ({ strategy }: Site) => strategy === "recreate";

const renderWithoutPreview = (site: Site) =>
  ofPorts(site, (own, port) => renderNoPreview(own, `idle-${port}`)) +
  renderNoPreview(site) +
  renderAssets(site, false);

/** The end of the site until an idle color has passed its gate. */
const renderNoPreview = (site: Site, part = "idle") => `#: ${part}
${placesOf(site.path)
  .map(
    (place) => `  location ${place} {
    default_type text/plain;
    return 503 "${isOneAtATime(site) ? "No color runs beside the live one: strategy is recreate." : "No color is idle yet: none has passed its health gate."}\\n";
  }
`,
  )
  .join("")}`;

/**
 * The site while one container is replaced by another, where no two may run: it names no live color, so that no nginx waits for one,
 * and has the same claims, so that no other service's answer comes in its place. The variable is one that the ingress's part reads.
 */
export const renderClosedSite = (site: Site): string => `# closed: <live-color> <live>
# since: <since>
${renderHead(site)}#: http
${renderHsts(site.tls)}${renderRedirects(site)}${ofPorts(site, (own, port) => renderClosed(own, `live-${port}`))}${renderClosed(site)}${renderWithoutPreview(site)}`;

/**
 * Some seconds: the next try may be the one that is answered. On a new connection: one that is kept would be with a worker that goes on
 * answering so for some seconds.
 */
const RETRY_AFTER_SECONDS = 5;
const renderClosed = (site: Site, part = "live") => `#: ${part}
${placesOf(site.path)
  .map(
    (place) => `  location ${place} {
    client_max_body_size ${site.proxy.maxBodySize};
    keepalive_timeout 0;
    set $bluegreen_nameless "";
${renderHstsHeader(site)}${renderLogs(site)}${renderResponseHeaders(site.proxy)}    add_header Retry-After ${RETRY_AFTER_SECONDS} always;
${renderRedirect(site)}    default_type text/plain;
    return 503 "The service is being replaced: try again in some seconds.\\n";
  }
`,
  )
  .join("")}`;

/** Whole segments only. */
const placesOf = (path: string) => (path === "/" ? ["/"] : [`= ${path}`, `${path}/`]);

/** The first name is the one that stands for the service. */
function renderTlsFacts({ tls, ...site }: Site): string {
  if (!hasTls(tls)) return "";
  const acme = tls.acmeEmail === undefined ? "" : "# acme: yes\n";
  const redirected = tls.names.filter((name) => isRedirected(name, site));
  const names = [...tls.names.filter((name) => !redirected.includes(name)), ...redirected];
  return `# tls: ${tls.port} ${names.join(" ")}\n${acme}`;
}

const renderClaims = (site: Site) =>
  claimsOf(site)
    .map(({ host, path, port }) => `# ${port === undefined ? "claim:" : `port: ${port}`} ${host} ${path}\n`)
    .join("");

/** A further port as a site of its own, and what its parts are called. */
const portsOf = (site: Site): { port: number; own: Site }[] =>
  site.ports.map(({ containerPort, hosts, path, protocol }) => ({
    port: containerPort,
    own: {
      ...site,
      ...{ hosts, path, ports: [], redirects: {}, stripPath: false },
      proxy: { ...site.proxy, protocol, sharedAssets: [] },
    },
  }));
const ofPorts = (site: Site, render: (own: Site, port: number) => string) =>
  portsOf(site)
    .map(({ own, port }) => render(own, port))
    .join("");

/**
 * Where users of a name are sent. The names are patterns: others are limited in length, and some mean something to nginx. The
 * service's own stand among them, since one may be nearer than a redirected one.
 */
const renderRedirects = ({ hosts, redirects }: Site) =>
  Object.keys(redirects).length === 0
    ? ""
    : `map $host $${redirectOf({ redirects })} {
  default "";
${nearestFirst([...hosts, ...Object.keys(redirects)])
  .map((name) => `  "~^${escaped(name).replace("*", ".+")}$" "${redirects[name] ?? ""}";\n`)
  .join("")}}
`;
const redirectOf = ({ redirects }: Pick<Site, "redirects">) =>
  `bluegreen_redirect_${hash(JSON.stringify(redirects))}`;
/** Of a name or a path, as a pattern. */
const escaped = (text: string) => text.replaceAll(".", "\\.");

/** It comes first: users of such a name get nothing else. */
const renderRedirect = (site: Site) =>
  Object.keys(site.redirects).length === 0
    ? ""
    : `    if ($${redirectOf(site)}) {
      return 308 $${redirectOf(site)}$request_uri;
    }
`;

/** An empty header is not sent: there is nothing to insist on without TLS. */
const renderHsts = ({ hstsSeconds, ...tls }: SiteTls): string =>
  hasTls(tls) && hstsSeconds > 0
    ? `map $https $bluegreen_hsts_${hstsSeconds} {\n  on "max-age=${hstsSeconds}";\n}\n`
    : "";

/**
 * Where the gate asks a container. Its error log is its own, so that only the gate's requests are in it: what nginx writes
 * there is the reason why a container gave no answer.
 */
const renderGateServer = (site: Site, container: string, pass: string) => `server {
  listen unix:/run/bluegreen/gate-${container}.sock;
  access_log off;
  error_log /dev/stderr warn;
  error_log /run/bluegreen/gate.log error;
${renderPassing(site, fromGate(site))}  location / {
    ${pass}
  }
}
`;

/**
 * Of several containers, each is asked by its own name, past the upstream that they share. Another server tells whether nginx has
 * resolved that one.
 */
const renderGateServers = (whose: Whose, site: Site) =>
  hasReplicas(site)
    ? `${ofEach(whose, renderGateServer(site, `<${whose}-one>`, `set $bluegreen_peer <${whose}-one>;\n    ${renderPass(site.proxy, `$bluegreen_peer:<${whose}-port>`)}`))}server {
  listen unix:/run/bluegreen/peers-${peersOf(whose, site)}.sock;
  access_log off;
  location / {
    ${renderPass(site.proxy, peersOf(whose, site))}
  }
}
`
    : renderGateServer(site, `<${whose}>`, renderPass(site.proxy, `<${whose}>`));

/**
 * A WebSocket or an event stream may be silent for long, and passes on what comes at once. nginx's timeout is no variable, so
 * these have a location of their own. 418 is never seen: a named location is all that "return" and "error_page" can lead to
 * with method, path and body as they came.
 */
function renderLocations(site: Site, container: string, whose: "users" | "preview"): string {
  const { proxy, path } = site;
  const timeout = proxy.streamTimeoutSeconds;
  const streams = { ...proxy, buffering: false, readTimeoutSeconds: timeout, sendTimeoutSeconds: timeout };
  const ofUsers = whose === "users";
  const first = `${ofUsers ? renderRedirect(site) : ""}    set $bluegreen_nameless "${site.health.hostHeader}";
    error_page 418${hasSecondTry(site) ? " 502 504" : ""} = @${container};
    if (${streamOf(proxy)}) {
      return 418;
    }
${ofUsers ? renderToAssets(site) : ""}`;
  const locations = placesOf(path).map((place) => renderLocation(site, place, container, whose, { first }));
  const second = hasSecondTry(site) ? SECOND_TRY : "";
  return `${locations.join("")}${renderLocation(site, `@${container}`, container, whose, { first: second, proxy: streams })}`;
}

/** A location that asks this container. `first`: what comes before that. */
function renderLocation(
  site: Site,
  place: string,
  container: string,
  whose: "users" | "preview",
  { first = "", proxy = site.proxy } = {},
): string {
  const ofUsers = whose === "users";
  const more =
    (ofUsers ? renderHstsHeader(site) + renderLogs(site) + renderLimited(proxy) : "") +
    renderClient(proxy) +
    renderGzip(proxy) +
    renderResponseHeaders(proxy) +
    renderPassingOn(site, proxy);
  // The piece is after "return": then it is run once, also of a stream.
  return `  location ${place} {
${renderPassing({ proxy }, ofUsers ? fromUsers(site) : onPreview(site), "    ")}${more}${first}${renderPathAgain(site)}    ${renderPass(proxy, withPeers(container, site), site.stripPath ? `$${restOf(site.path)}` : "")}
${renderPiece(proxy.nginxConfig)}  }
`;
}

const hasSharedAssets = ({ proxy }: Site) => proxy.sharedAssets.length > 0;
const sharedAssetsOf = ({ proxy }: Site) => `bluegreen_assets_${hash(proxy.sharedAssets.join(" "))}`;
const renderSharedAssets = (site: Site) =>
  hasSharedAssets(site)
    ? `map "$request_method $uri" $${sharedAssetsOf(site)} {
  default "";
  "~^(GET|HEAD) (${site.proxy.sharedAssets.map(escaped).join("|")})(/|$)" 1;
}
`
    : "";
/** As with streams: 419 is never seen. What is led on once more, from there, needs leave for that here. */
const renderToAssets = (site: Site) =>
  hasSharedAssets(site)
    ? `    error_page 419 = @<live>-assets;
    recursive_error_pages on;
    if ($${sharedAssetsOf(site)}) {
      return 419;
    }
`
    : "";
/** The statuses of an answer that is none. */
const NO_ASSET = "400 401 403 404 405 406 410 429 500 501 502 503 504";
/**
 * Where users ask for an asset: the live color and, when it has none, the idle one. When that has none either, the live one is
 * asked again, since its answer is what users get: nginx does not keep it. From there nothing leads on.
 */
const renderAssets = (site: Site, hasIdle: boolean) => {
  if (!hasSharedAssets(site)) return "";
  const led = (statuses: string, to: string) =>
    `    ${moduleOf(site.proxy)}_intercept_errors on;\n    error_page ${statuses} = @${to};\n`;
  if (!hasIdle) return `#: live\n${renderLocation(site, "@<live>-assets", "<live>", "users")}`;
  const recursive = "    recursive_error_pages on;\n";
  const live = { first: led("404", "<idle>-assets") + recursive };
  const idle = { first: led(NO_ASSET, "<live>") };
  return `#: live
${renderLocation(site, "@<live>-assets", "<live>", "users", live)}${renderLocation(site, "@<idle>-assets", "<idle>", "users", idle)}`;
};

/**
 * What comes after the path that is taken off, as the client wrote it: nginx's own way decodes it, and %2F would become another
 * path. Empty where the client wrote the path itself in another way, as with %61 for "a": nothing is passed on then.
 */
const renderStripping = ({ path, stripPath }: Site) =>
  stripPath
    ? `map $request_uri $${restOf(path)} {
  default "";
  "~^${escaped(path)}(?<bluegreen_rest>/.*)$" $bluegreen_rest;
  "~^${escaped(path)}(?<bluegreen_query>\\?.*)?$" /$bluegreen_query;
}
`
    : "";
const restOf = (path: string) => `bluegreen_rest_${hash(path)}`;

/** What the service says of its paths gets the one again that was taken off, if the service has not done that itself: it is told the path. */
const renderPathAgain = ({ path, stripPath }: Site) =>
  stripPath
    ? `    if ($${restOf(path)} = "") {
      return 400;
    }
    proxy_redirect "~^((?:https?://[^/]+)?${escaped(path)}(?:[/?#].*)?)$" $1;
    proxy_redirect ~^/(?!/)(.*)$ ${path}/$1;
    proxy_redirect http://$http_host/ http://$http_host${path}/;
    proxy_redirect https://$http_host/ https://$http_host${path}/;
    proxy_cookie_path "~^(${escaped(path)}(?:/.*)?)$" $1;
    # Without a slash, or browsers would not send it to ${path} itself.
    proxy_cookie_path ~^/$ ${path};
    proxy_cookie_path / ${path}/;
`
    : "";

const renderHstsHeader = ({ tls }: Site) =>
  hasTls(tls) && tls.hstsSeconds > 0
    ? `    add_header Strict-Transport-Security $bluegreen_hsts_${tls.hstsSeconds} always;\n`
    : "";

/** Ten MB are 80,000 addresses. */
const renderRateLimit = ({ rateLimit }: Proxy) =>
  rateLimit.requestsPerSecond > 0
    ? `limit_req_zone $binary_remote_addr zone=bluegreen_rate_<service>:10m rate=${rateLimit.requestsPerSecond}r/s;
map $limit_req_status $bluegreen_retry_after {
  default "";
  REJECTED 1;
}
`
    : "";
/** The log that people read has each 429. In that of errors, which Docker reads, a flood of them would hold nginx up. */
const renderLimited = ({ rateLimit }: Proxy) =>
  rateLimit.requestsPerSecond > 0
    ? `    limit_req zone=bluegreen_rate_<service>${rateLimit.burst > 0 ? ` burst=${rateLimit.burst} nodelay` : ""};
    limit_req_status 429;
    limit_req_log_level info;
    add_header Retry-After $bluegreen_retry_after always;
`
    : "";

const renderResponseHeaders = (proxy: Proxy) =>
  Object.entries(proxy.responseHeaders)
    .map(
      ([name, value]) =>
        `    ${moduleOf(proxy)}_hide_header ${name};\n    add_header ${name} "${value}" always;\n`,
    )
    .join("");

/** Not event streams, which would come late. Also what a proxy in front asks for. */
const renderGzip = ({ gzip }: Proxy) => (gzip ? GZIP : "");
const GZIP = `    gzip on;
    gzip_min_length 1k;
    gzip_proxied any;
    gzip_vary on;
    gzip_types text/plain text/css text/xml text/javascript application/javascript application/json
      application/ld+json application/manifest+json application/problem+json application/xml application/rss+xml
      application/atom+xml application/xhtml+xml application/wasm image/svg+xml;
`;

/**
 * What a container that is not served yet gets until the gate is through: an upstream of the same name as in the site
 * that follows, so that its resolved address is kept, and the server that the gate asks. It is complete in itself:
 * beside it stands the former site, or at first none.
 */
export const renderStagedSite = (site: Site): string =>
  `${renderUpstreams("candidate", site)}${renderGateServers("candidate", site)}`;

/**
 * Named after its container and with a zone: while both stay, a reload keeps the resolved addresses, so that no new worker
 * ever starts without them. With a name that stays and a server that changes, each would answer 502 until it has resolved. So
 * the name tells how many servers there are.
 */
const renderUpstream = (whose: Whose, site: Site, port?: number) => {
  const name = peersOf(whose, site, port);
  return `upstream ${name} {
  zone ${name} 64k;
${renderServers(whose, site, String(port ?? `<${whose}-port>`))}  keepalive 64;
  keepalive_timeout ${site.proxy.upstreamKeepaliveSeconds}s;
}
`;
};

/**
 * What nginx counts as a failure is also an answer that is late, or an app that closes a connection: by some requests that no
 * container answers well, all of them would be out, for all users. So none is ever out; one that has ended, the name server forgets.
 */
const renderServers = (whose: Whose, site: Site, port: string) =>
  hasReplicas(site)
    ? ofEach(whose, `  server <${whose}-one>:${port} resolve max_fails=0;\n`)
    : `  server <${whose}>:${port} resolve;\n`;

/**
 * A request that one of them did not take, another one gets. Not one that was taken and is late: with each try, the same work would be
 * done once more. Nor does each get one that ends a container.
 */
const renderPassingOn = (site: Site, proxy: Proxy) =>
  hasReplicas(site)
    ? `    ${moduleOf(proxy)}_next_upstream_tries 2;
    ${moduleOf(proxy)}_next_upstream_timeout ${Math.min(proxy.readTimeoutSeconds, proxy.sendTimeoutSeconds)}s;\n`
    : "";

/**
 * One that has ended takes no connection, and after a second the name server forgets it. With that, nginx gives up what still waits for
 * it. Such a request, which nobody has got, is asked anew as one of a stream is: not where its body was passed on as it came.
 */
const hasSecondTry = (site: Site) =>
  hasReplicas(site) && site.proxy.protocol !== "grpc" && site.proxy.requestBuffering;
/** One that somebody has got ends as it has: there is a time of a connection. */
const SECOND_TRY = `    set $bluegreen_tried "$upstream_connect_time|$upstream_status";
    if ($bluegreen_tried ~ "[0-9].*[|].*504$") {
      return 504;
    }
    if ($bluegreen_tried ~ "[0-9].*[|]") {
      return 502;
    }
`;

const hasReplicas = ({ colors }: Site) => COLORS.some((color) => colors[color].replicas > 1);
const renderReplicas = (whose: Whose, site: Site) =>
  hasReplicas(site) ? `# replicas: <${whose}> <${whose}-replicas>\n` : "";
const ofEach = (whose: Whose, text: string) => `<${whose}-each>\n${text}<${whose}-end>\n`;
/** The upstream that users' requests are passed to. */
const peersOf = (whose: Whose, site: Site, port?: number) =>
  withPeers(port === undefined ? `<${whose}>` : `<${whose}>-${port}`, site);
const withPeers = (container: string, site: Site) =>
  hasReplicas(site) ? container.replace(/^<(\w+)>.*$/, "$&<$1-many>") : container;

const renderUpstreams = (whose: Whose, site: Site) =>
  renderUpstream(whose, site) + ofPorts(site, (own, port) => renderUpstream(whose, own, port));
type Whose = "live" | "idle" | "candidate";

const LOG_FORMATS = `log_format bluegreen '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
  '$request_time s, $upstream_addr $upstream_status $upstream_response_time s "$http_user_agent"';
log_format bluegreen_watch $status;
map '' $bluegreen_never {
  default 0;
}`;

/**
 * The log for people. Not the container's: Docker's work on each line costs a sixth of the request itself, and when Docker
 * hangs or is killed, nginx stops answering as soon as the pipe between them is full, after a thousand requests.
 */
const LOG = "access_log /bluegreen/access.log bluegreen buffer=32k flush=1s;";
/** In place of "off", beside which nothing is counted for the watch. */
const NO_LOG = "access_log /dev/null bluegreen_watch if=$bluegreen_never;";

/**
 * A location's logs replace those of all (sites.awk). With the watch, one is what it counts, while it does (set_watched in nginx.sh).
 */
const renderLogs = ({ proxy, watch }: Site) => {
  const own = `    ${proxy.accessLog ? LOG : NO_LOG}\n`;
  if (watch.seconds > 0) return `${own}    include /run/bluegreen/watched-<service>*.conf;\n`;
  return proxy.accessLog ? "" : own;
};

// Mozilla's "intermediate" recommendation, without the ciphers that need a file of parameters.
export const SECURITY = `http2 on;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_session_timeout 1d;
ssl_session_cache shared:bluegreen:10m;
`;

/** What is the same for all services of an nginx. */
const INGRESS = `${LOG_FORMATS}
server_tokens off;
underscores_in_headers on;
# A redirect to a path stays one. nginx would make an address of it, with http and without the port: wrong behind a proxy that ends TLS.
absolute_redirect off;
server_names_hash_bucket_size 512;
# HTTP/2 clients send as many on one connection as they like; when nginx ends it, some count what was on its way as failed.
keepalive_requests 100000;
${SECURITY}${USER_MAPS}`;
