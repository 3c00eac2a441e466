import { hasTls, type Proxy } from "../settings";
import { hash } from "../shell";
import { type FORWARDED, OF_PROXIES } from "./headers";
import type { Site } from "./site";

// How a request is passed on to a color: the same for users, preview, gate, watch and status, whatever site is served. Each
// server has all of it, since what stands outside of a server is the former site's during a gate, and nobody's before the first.

/** Where each header that nginx sets comes from: text of nginx's configuration. */
export interface Origin {
  host: string;
  client: string;
  /** The host that users name, where it is another one. */
  forwardedHost?: string;
  scheme: string;
  upgrade: string;
  connection: string;
  /** The path that was taken off. */
  prefix: string;
  /** What else a proxy in front may say of the client, by the header's name. */
  told: (header: string) => string;
}

/** Of a request that may be a user's. The variables are those of USER_MAPS. */
export const fromUsers = (site: Served): Origin => ({
  host: "$bluegreen_host",
  client: "$remote_addr",
  scheme: "$scheme",
  upgrade: "$bluegreen_upgrade",
  connection: "$bluegreen_connection",
  prefix: prefixOf(site),
  told: () => "''",
  ...fromTrusted(site.proxy),
  // HTTP/2 has no upgrade.
  ...(site.proxy.protocol === "http1" ? {} : { upgrade: "''", connection: "''" }),
});

/** Of a request on a private socket: only the gate asks there, and it is to look like a user's. */
export const fromGate = (site: Served): Origin => ({
  host: "$http_host",
  client: "127.0.0.1",
  scheme: schemeOf(site),
  upgrade: "''",
  connection: "''",
  prefix: prefixOf(site),
  told: () => "''",
});

/** Of one on the preview port, which has no TLS of its own and stands for the one that has. */
export const onPreview = (site: Served): Origin => ({ ...fromUsers(site), scheme: schemeOf(site) });

type Served = Pick<Site, "tls" | "path" | "stripPath" | "proxy">;
/** What users use: who puts a proxy in front lets that end TLS. */
export const schemeOf = ({ tls, proxy }: Served) => (hasTls(tls) || isBehind(proxy) ? "https" : "http");
const prefixOf = ({ path, stripPath }: Served) => (stripPath ? path : "''");

/** What fromUsers needs to know; $bluegreen_nameless is set beside it. */
export const USER_MAPS = `map $http_host $bluegreen_host {
  default $http_host;
  # HTTP/1.0 may name none, and an app of today answers 400 to that.
  '' $bluegreen_nameless;
}
# Nothing else is upgraded: h2c would be a tunnel past the log, the watch and the flip.
map $http_upgrade $bluegreen_upgrade {
  default '';
  websocket websocket;
}
map $bluegreen_upgrade $bluegreen_connection {
  websocket upgrade;
  # Empty for all but WebSockets: connections to a color are kept and used again.
  default '';
}
map "$bluegreen_upgrade $http_accept" $bluegreen_stream {
  default '';
  ~^websocket 1;
  ~*text/event-stream 1;
}
`;

const isBehind = ({ trustedProxies }: Proxy) => trustedProxies.length > 0;
/** The variables of renderTrust: of services that trust the same proxies they are the same. */
const of = ({ trustedProxies }: Proxy, name: string) =>
  `$bluegreen_${name}_${hash(trustedProxies.join(" "))}`;
const variableOf = (header: string) => `$http_${header.toLowerCase().replaceAll("-", "_")}`;
const nameOf = (header: string) => `told${OF_PROXIES.indexOf(header)}`;

const fromTrusted = (proxy: Proxy): Partial<Origin> =>
  isBehind(proxy)
    ? {
        forwardedHost: of(proxy, "host"),
        scheme: of(proxy, "scheme"),
        told: (header) => of(proxy, nameOf(header)),
      }
    : {};

/** Who sent a request, and what it may say of the client. */
export function renderTrust(proxy: Proxy): string {
  if (!isBehind(proxy)) return "";
  const trusted = of(proxy, "trusted");
  const sender = of(proxy, "sender");
  return `map "$remote_addr $proxy_protocol_addr" ${sender} {
  # Of who may speak PROXY protocol (sites.awk), nginx has taken this for the client: it sent the request, and all its headers.
  "~^(\\S+) \\1$" $proxy_protocol_addr;
  default $realip_remote_addr;
}
geo ${sender} ${trusted} {
  default 0;
${proxy.trustedProxies.map((address) => `  "${address}" 1;\n`).join("")}}
map "${trusted} $http_x_forwarded_proto" ${of(proxy, "scheme")} {
  default $scheme;
  "1 http" http;
  "1 https" https;
}
map "${trusted}$http_x_forwarded_host" ${of(proxy, "host")} {
  default $bluegreen_host;
  "~^1." $http_x_forwarded_host;
}
${OF_PROXIES.map((header) => `map ${trusted} ${of(proxy, nameOf(header))} {\n  default '';\n  1 ${variableOf(header)};\n}\n`).join("")}`;
}
/** Of a location: the client is the last one of whom a trusted proxy says that it is none. */
export const renderClient = (proxy: Proxy): string =>
  isBehind(proxy)
    ? `${proxy.trustedProxies.map((address) => `    set_real_ip_from ${address};\n`).join("")}    real_ip_header X-Forwarded-For;
    real_ip_recursive on;
`
    : "";

/**
 * How the directives of nginx's module begin that passes requests on. HTTP/2 of the usual one loses the status of a gRPC call that has no
 * other answer, so gRPC has the module made for it.
 */
export const moduleOf = ({ protocol }: Proxy) => (protocol === "grpc" ? "grpc" : "proxy");
/** `rest`: what is asked for there instead of the request's own path; gRPC has no other. */
export const renderPass = (proxy: Proxy, container: string, rest = "") =>
  proxy.protocol === "grpc" ? `grpc_pass ${container};` : `proxy_pass http://${container}${rest};`;

/** Who calls by gRPC may wait as long as a stream does: it is not told from one. */
export const renderGrpc = (all: Proxy[]): string =>
  all.some(({ protocol }) => protocol === "grpc")
    ? `map $http_content_type $bluegreen_grpc {
  default $bluegreen_stream;
  ~^application/grpc 1;
}
`
    : "";
export const streamOf = ({ protocol }: Proxy) =>
  protocol === "grpc" ? "$bluegreen_grpc" : "$bluegreen_stream";

/** The settings of a server or a location that passes requests on. */
export function renderPassing({ proxy }: { proxy: Proxy }, origin: Origin, indent = "  "): string {
  const header = headerKb(proxy);
  // nginx refuses buffers that could not hold two headers.
  const buffer = Math.max(16, Math.ceil(header / 4));
  const module = moduleOf(proxy);
  const ofModule =
    module === "grpc"
      ? [`grpc_buffer_size ${header}k;`]
      : [
          `proxy_request_buffering ${onOff(proxy.requestBuffering)};`,
          `proxy_buffering ${onOff(proxy.buffering)};`,
          `proxy_buffer_size ${header}k;`,
          `proxy_buffers 8 ${buffer}k;`,
          `proxy_busy_buffers_size ${Math.max(header, buffer)}k;`,
          `proxy_max_temp_file_size ${proxy.spoolMb}m;`,
        ];
  return [
    `client_max_body_size ${proxy.maxBodySize};`,
    "client_body_buffer_size 128k;",
    ...(module === "grpc" ? [] : [`proxy_http_version ${proxy.protocol === "http2" ? "2" : "1.1"};`]),
    ...renderHeaders(origin, module),
    `${module}_connect_timeout ${proxy.connectTimeoutSeconds}s;`,
    `${module}_read_timeout ${proxy.readTimeoutSeconds}s;`,
    `${module}_send_timeout ${proxy.sendTimeoutSeconds}s;`,
    ...ofModule,
  ]
    .map((line) => `${indent}${line}\n`)
    .join("");
}

/** The buffer for a header, with room for its name and the usual headers beside a great one. */
export const headerKb = ({ maxHeaderKb }: Proxy): number => maxHeaderKb + 4;

/**
 * WSGI, CGI and Rack can't tell X_Real_IP from X-Real-IP. So of what nginx sets, no client may send a name with an
 * underscore for any of its hyphens.
 */
function renderHeaders(
  { host, client, forwardedHost = host, scheme, upgrade, connection, prefix, told }: Origin,
  module: string,
): string[] {
  const own: Record<(typeof FORWARDED)[number], string> = {
    "X-Real-IP": client,
    // One address: some apps take the first of several, some the last, and this one is right for both.
    "X-Forwarded-For": client,
    "X-Forwarded-Proto": scheme,
    "X-Forwarded-Host": forwardedHost,
    "X-Forwarded-Prefix": prefix,
  };
  const forwarded = {
    ...own,
    ...Object.fromEntries(OF_PROXIES.map((header) => [header, told(header)])),
  };
  const doubles = Object.keys(forwarded).flatMap(withUnderscores);
  const headers = { Upgrade: upgrade, Connection: connection, Host: host, ...forwarded };
  return [...Object.entries(headers), ...doubles.map((name) => [name, "''"])].map(
    ([name, value]) => `${module}_set_header ${name} ${value};`,
  );
}

/** X_Real-IP, X-Real_IP and X_Real_IP for X-Real-IP. */
export function withUnderscores(name: string): string[] {
  const [first, ...rest] = name.split("-");
  return rest
    .reduce((names, part) => names.flatMap((start) => [`${start}-${part}`, `${start}_${part}`]), [first])
    .filter((other) => other !== name);
}

const onOff = (value: boolean) => (value ? "on" : "off");
