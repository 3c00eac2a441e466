import { once } from "node:events";
import { createConnection } from "node:net";
import path from "node:path";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { Color } from "../../components/settings";
import { docker } from "../../tests/support/docker";
import { proxyIn, type Contestant } from "../contestant";
import { HAPROXY, KAMAL } from "../figures";
import { APP_PORT, pem, TLS_NAME, type Lab } from "../lab";

// Proxies of others. Each runs as a binary of this machine, in a container as the rest, with the cores and the connections to
// the app that the rest have, and is flipped by the quickest way that it offers.

type Apps = Record<Color, string>;
export type Peer = (lab: Lab, apps: Apps, binary: string) => Promise<Contestant>;

const CERTIFICATE = "/etc/bench.pem";

/** With the programs and libraries of this machine, since a binary of it may need them. */
const HOST_PROGRAMS = ["/usr:/usr:ro"];

export const kamalProxy: Peer = async (lab, apps, binary) => {
  const container = await lab.start("kamal-proxy", {
    command: ["kamal-proxy", "run"],
    volumes: [`${binary}:/usr/local/bin/kamal-proxy:ro`],
    env: ["HOME=/tmp"],
    files: { "/tmp/bench.pem": lab.tls.certificate, "/tmp/bench.key": lab.tls.privateKey },
  });
  const deploy = (service: string, to: Color, ...more: string[]) =>
    docker(
      ...["exec", container, "kamal-proxy", "deploy", service],
      ...["--target", `${apps[to]}:${APP_PORT}`, "--health-check-path", "/health", ...more],
    );
  const flip = (to: Color) => deploy("bench", to);
  await flip("blue");
  await deploy(
    ...(["bench-tls", "blue", "--host", TLS_NAME, "--tls"] as const),
    ...["--tls-certificate-path", "/tmp/bench.pem", "--tls-private-key-path", "/tmp/bench.key"],
  );
  return proxyIn(container, { name: KAMAL, tls: true, flip, prepare: () => flip("blue") });
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
    volumes: [...HOST_PROGRAMS, `${sockets}:/sockets`],
    files: {
      "/etc/live.map": "live blue\n",
      [CERTIFICATE]: pem(lab),
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
  bind :443 ssl crt ${CERTIFICATE} alpn h2,http/1.1 ssl-min-ver TLSv1.2
  use_backend %[str(live),map(/etc/live.map)]
${backend("blue")}${backend("green")}`,
    },
  });
  const flip = async (to: Color) => {
    const socket = createConnection(path.join(sockets, "admin"));
    socket.end(`set map /etc/live.map live ${to}\n`).resume();
    await once(socket, "close");
  };
  return proxyIn(container, { name: HAPROXY, tls: true, flip, prepare: () => flip("blue") });
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
  tls ${CERTIFICATE} ${CERTIFICATE}
  import app
}
`;
  const container = await lab.start("caddy", {
    command: [binary, "run", "--adapter", "caddyfile", "--config", "/etc/blue"],
    volumes: [...HOST_PROGRAMS, `${binary}:${binary}:ro`],
    env: ["HOME=/tmp"],
    files: { "/etc/blue": config("blue"), "/etc/green": config("green"), [CERTIFICATE]: pem(lab) },
  });
  const flip = (to: Color) =>
    docker("exec", container, binary, "reload", "--adapter", "caddyfile", "--config", `/etc/${to}`);
  return proxyIn(container, { name: "Caddy", tls: true, flip, prepare: () => flip("blue") });
};

/** Its file provider watches a folder, in which a flip replaces the file. */
export const traefik: Peer = async (lab, apps, binary) => {
  const folder = path.join(lab.folder, "traefik");
  mkdirSync(folder);
  const router = (entryPoint: string, more = {}) => ({
    entryPoints: [entryPoint],
    rule: "PathPrefix(`/`)",
    service: "app",
    ...more,
  });
  // JSON is YAML too.
  const config = (color: Color) =>
    JSON.stringify({
      http: {
        routers: { plain: router("plain"), secure: router("secure", { tls: {} }) },
        services: {
          app: {
            loadBalancer: {
              servers: [{ url: `http://${apps[color]}:${APP_PORT}` }],
              serversTransport: "app",
            },
          },
        },
        serversTransports: { app: { maxIdleConnsPerHost: 64 } },
      },
      tls: { stores: { default: { defaultCertificate: { certFile: CERTIFICATE, keyFile: CERTIFICATE } } } },
    });
  // A file that is written to could be read when it is half there.
  const write = (color: Color) => {
    const draft = path.join(lab.folder, "traefik-draft");
    writeFileSync(draft, config(color));
    renameSync(draft, path.join(folder, "live.yml"));
  };
  write("blue");
  const container = await lab.start("traefik", {
    command: [
      binary,
      "--entryPoints.plain.address=:80",
      "--entryPoints.secure.address=:443",
      "--providers.file.directory=/watched",
      "--providers.file.watch=true",
      "--providers.providersThrottleDuration=0s",
      "--log.level=ERROR",
    ],
    volumes: [...HOST_PROGRAMS, `${binary}:${binary}:ro`, `${folder}:/watched`],
    files: { [CERTIFICATE]: pem(lab) },
  });
  const flip = (to: Color) => Promise.resolve(write(to));
  return proxyIn(container, { name: "Traefik", tls: true, flip, prepare: () => flip("blue") });
};
