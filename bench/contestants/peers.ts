import { once } from "node:events";
import { createConnection } from "node:net";
import path from "node:path";
import { mkdirSync } from "node:fs";
import type { Color } from "../../components/settings";
import { docker } from "../../tests/support/docker";
import { proxyIn, type Contestant } from "../contestant";
import { KAMAL } from "../figures";
import { APP_PORT, CERTIFICATE, HOST, PRIVATE_KEY, type Lab } from "../lab";

// Proxies of others. Each runs as a binary of this machine, in a container as the rest, with the cores and the connections to
// the app that the rest have, and is flipped by the quickest way that it offers.

type Apps = Record<Color, string>;
export type Peer = (lab: Lab, apps: Apps, binary: string) => Promise<Contestant>;

/** The program, with the programs and libraries of this machine, since a binary of it may need them. */
const program = (binary: string) => ["/usr:/usr:ro", `${binary}:${binary}:ro`];

export const kamalProxy: Peer = async (lab, apps, binary) => {
  const container = await lab.start("kamal-proxy", {
    command: ["kamal-proxy", "run"],
    volumes: [`${binary}:/usr/local/bin/kamal-proxy:ro`],
    env: ["HOME=/tmp"],
    files: lab.certificate,
  });
  const deploy = (service: string, to: Color, ...flags: string[]) =>
    docker(
      ...["exec", container, "kamal-proxy", "deploy", service],
      ...["--target", `${apps[to]}:${APP_PORT}`, "--health-check-path", "/health", ...flags],
    );
  const flip = (to: Color) => deploy("bench", to);
  await flip("blue");
  const certificate = ["--tls-certificate-path", CERTIFICATE, "--tls-private-key-path", PRIVATE_KEY];
  await deploy("bench-https", "blue", "--host", HOST, "--tls", ...certificate);
  return proxyIn(container, { name: KAMAL, https: true, flip, prepare: () => flip("blue") });
};

/** The map of the live backend is changed by HAProxy's own socket: nothing is reloaded. */
export const haproxy: Peer = async (lab, apps, binary) => {
  const sockets = path.join(lab.folder, "haproxy");
  mkdirSync(sockets);
  const backend = (color: Color) => `backend ${color}
  http-reuse always
  server app ${apps[color]}:${APP_PORT}
`;
  const container = await lab.start("haproxy", {
    command: [binary, "-f", "/etc/bench.cfg"],
    volumes: [...program(binary), `${sockets}:/sockets`],
    files: {
      "/etc/bench.pem": lab.issued.certificate + lab.issued.privateKey,
      "/etc/live.map": "live blue\n",
      "/etc/bench.cfg": `global
  maxconn 4096
  stats socket /sockets/admin level admin
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend web
  bind :80
  bind :443 ssl crt /etc/bench.pem alpn h2,http/1.1
  use_backend %[str(live),map(/etc/live.map)]
${backend("blue")}${backend("green")}`,
    },
  });
  const flip = async (to: Color) => {
    const socket = createConnection(path.join(sockets, "admin"));
    socket.end(`set map /etc/live.map live ${to}\n`).resume();
    await once(socket, "close");
  };
  return proxyIn(container, { name: "HAProxy", https: true, flip, prepare: () => flip("blue") });
};

export const caddy: Peer = async (lab, apps, binary) => {
  const config = (color: Color) => `{
  admin localhost:2019
  auto_https off
}
(app) {
  reverse_proxy ${apps[color]}:${APP_PORT} {
    transport http {
      keepalive_idle_conns_per_host 64
    }
  }
}
:80 {
  import app
}
:443 {
  tls ${CERTIFICATE} ${PRIVATE_KEY}
  import app
}
`;
  const container = await lab.start("caddy", {
    command: [binary, "run", "--adapter", "caddyfile", "--config", "/etc/blue"],
    volumes: program(binary),
    env: ["HOME=/tmp"],
    files: { ...lab.certificate, "/etc/blue": config("blue"), "/etc/green": config("green") },
  });
  const flip = (to: Color) =>
    docker("exec", container, binary, "reload", "--adapter", "caddyfile", "--config", `/etc/${to}`);
  return proxyIn(container, { name: "Caddy", https: true, flip, prepare: () => flip("blue") });
};

/** It watches the file that names the live color's address. */
export const traefik: Peer = async (lab, apps, binary) => {
  const config = (color: Color) => `http:
  routers:
    plain: { entryPoints: [web], rule: "PathPrefix(\`/\`)", service: app }
    secure: { entryPoints: [websecure], rule: "PathPrefix(\`/\`)", service: app, tls: {} }
  services:
    app: { loadBalancer: { serversTransport: kept, servers: [{ url: "http://${apps[color]}:${APP_PORT}" }] } }
  serversTransports:
    kept: { maxIdleConnsPerHost: 64 }
tls:
  stores:
    default: { defaultCertificate: { certFile: ${CERTIFICATE}, keyFile: ${PRIVATE_KEY} } }
`;
  const container = await lab.start("traefik", {
    command: [
      ...["sh", "-c", 'mkdir /live && cp /etc/blue /live/app.yml && exec "$@"', "sh", binary],
      ...["--entryPoints.web.address=:80", "--entryPoints.websecure.address=:443"],
      ...["--providers.file.directory=/live", "--providers.file.watch=true", "--log.level=ERROR"],
    ],
    volumes: program(binary),
    files: { ...lab.certificate, "/etc/blue": config("blue"), "/etc/green": config("green") },
  });
  // In one step: half a file would be half a configuration.
  const flip = (to: Color) =>
    docker("exec", container, "sh", "-c", `cp /etc/${to} /live/next && mv /live/next /live/app.yml`);
  return proxyIn(container, { name: "Traefik", https: true, flip, prepare: () => flip("blue") });
};
