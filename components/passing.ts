import { hasTls, type Proxy } from "./settings";
import type { Site } from "./site";

// How a request is passed on to a color: the same for users, preview, gate, watch and status, whatever site is served. Each
// server has all of it, since what stands outside of a server is the former site's during a gate, and nobody's before the first.

/** Where each header that nginx sets comes from: text of nginx's configuration. */
export interface Origin {
  host: string;
  client: string;
  forwardedFor: string;
  scheme: string;
  upgrade: string;
  connection: string;
}

/** Of a request that may be a user's. The variables are those of renderUserMaps. */
export const FROM_USERS: Origin = {
  host: "$bluegreen_host",
  client: "$bluegreen_client",
  forwardedFor: "$bluegreen_forwarded_for",
  scheme: "$bluegreen_scheme",
  upgrade: "$bluegreen_upgrade",
  connection: "$bluegreen_connection",
};

/** Of a request on a private socket: only the gate asks there, and it is to look like a user's. */
export const fromGate = ({ tls }: Pick<Site, "tls">): Origin => ({
  host: "$http_host",
  client: "127.0.0.1",
  forwardedFor: "127.0.0.1",
  scheme: hasTls(tls) ? "https" : "http",
  upgrade: "''",
  connection: "''",
});

/**
 * What FROM_USERS needs to know. The ports are those inside of the edge. With TLS a request on 80 is one before the first
 * certificate; the preview and the private sockets have no TLS of their own and stand for the secure port.
 */
export const renderUserMaps = ({
  tls,
  health,
}: Pick<Site, "tls" | "health">): string => `map $http_host $bluegreen_host {
  default $http_host;
  # HTTP/1.0 may name none, and an app of today answers 400 to that.
  '' "${health.hostHeader}";
}
map $remote_addr $bluegreen_client {
  default $remote_addr;
  # The watch and status ask the live server on its private socket.
  unix: 127.0.0.1;
}
map $http_x_forwarded_for $bluegreen_forwarded_for {
  default "$http_x_forwarded_for, $bluegreen_client";
  '' $bluegreen_client;
}
map $server_port $bluegreen_scheme {
  default ${hasTls(tls) ? "https" : "http"};
  80 http;
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

/** The settings of a server that passes requests on. */
export function renderPassing({ proxy }: { proxy: Proxy }, origin: Origin): string {
  const header = proxy.maxHeaderKb + ROOM_KB;
  // nginx refuses buffers that could not hold two headers.
  const buffer = Math.max(16, Math.ceil(header / 4));
  return `  client_max_body_size ${proxy.maxBodySize};
  client_body_buffer_size 128k;
  large_client_header_buffers 4 ${header}k;
  underscores_in_headers on;
  proxy_http_version 1.1;
${renderHeaders(origin)}  proxy_connect_timeout ${proxy.connectTimeoutSeconds}s;
  proxy_read_timeout ${proxy.readTimeoutSeconds}s;
  proxy_send_timeout ${proxy.sendTimeoutSeconds}s;
  proxy_request_buffering ${onOff(proxy.requestBuffering)};
  proxy_buffering ${onOff(proxy.buffering)};
  proxy_buffer_size ${header}k;
  proxy_buffers 8 ${buffer}k;
  proxy_busy_buffers_size ${Math.max(header, buffer)}k;
  proxy_max_temp_file_size ${proxy.spoolMb}m;
`;
}

/** Of a header's buffer, for its name and the usual headers beside a great one. */
const ROOM_KB = 4;

/**
 * WSGI, CGI and Rack can't tell X_Real_IP from X-Real-IP. So of what nginx sets, no client may send a name with an
 * underscore for any of its hyphens.
 */
function renderHeaders({ host, client, forwardedFor, scheme, upgrade, connection }: Origin): string {
  const forwarded = {
    "X-Real-IP": client,
    "X-Forwarded-For": forwardedFor,
    "X-Forwarded-Proto": scheme,
    "X-Forwarded-Host": host,
  };
  const doubles = Object.keys(forwarded).flatMap(withUnderscores);
  const headers = { Upgrade: upgrade, Connection: connection, Host: host, ...forwarded };
  return [...Object.entries(headers), ...doubles.map((name) => [name, "''"])]
    .map(([name, value]) => `  proxy_set_header ${name} ${value};\n`)
    .join("");
}

/** X_Real-IP, X-Real_IP and X_Real_IP for X-Real-IP. */
export function withUnderscores(name: string): string[] {
  const [first, ...rest] = name.split("-");
  return rest
    .reduce((names, part) => names.flatMap((start) => [`${start}-${part}`, `${start}_${part}`]), [first])
    .filter((other) => other !== name);
}

/**
 * A WebSocket or an event stream may be silent for long, and passes on what comes at once. nginx's timeout is no variable, so
 * these have a location of their own. 418 is never seen: a named location is all that "return" and "error_page" can lead to
 * with method, path and body as they came.
 */
export const renderLocations = (
  { proxy }: { proxy: Proxy },
  container: string,
): string => `  error_page 418 = @stream;
  if ($bluegreen_stream) {
    return 418;
  }
  location / {
    proxy_pass http://${container};
  }
  location @stream {
    proxy_buffering off;
    proxy_read_timeout ${proxy.streamTimeoutSeconds}s;
    proxy_send_timeout ${proxy.streamTimeoutSeconds}s;
    proxy_pass http://${container};
  }
`;

const onOff = (value: boolean) => (value ? "on" : "off");
