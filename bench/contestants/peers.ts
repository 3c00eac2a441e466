import { once } from "node:events";
import { createConnection } from "node:net";
import path from "node:path";
import { mkdirSync } from "node:fs";
import type { Color } from "../../components/settings";
import { docker } from "../../tests/support/docker";
import { proxyIn, type Contestant } from "../contestant";
import { KAMAL } from "../figures";
import { APP_PORT, type Lab } from "../lab";

// Proxies of others. Each runs as a binary of this machine, in a container as the rest, with the cores and the connections to
// the app that the rest have, and is flipped by the quickest way that it offers.

type Apps = Record<Color, string>;
export type Peer = (lab: Lab, apps: Apps, binary: string) => Promise<Contestant>;

/** With the programs and libraries of this machine, since a binary of it may need them. */
const HOST_PROGRAMS = ["/usr:/usr:ro"];

export const kamalProxy: Peer = async (lab, apps, binary) => {
  const container = await lab.start("kamal-proxy", {
    command: ["kamal-proxy", "run"],
    volumes: [`${binary}:/usr/local/bin/kamal-proxy:ro`],
    env: ["HOME=/tmp"],
  });
  const flip = (to: Color) =>
    docker(
      ...["exec", container, "kamal-proxy", "deploy", "bench"],
      ...["--target", `${apps[to]}:${APP_PORT}`, "--health-check-path", "/health"],
    );
  await flip("blue");
  return proxyIn(container, { name: KAMAL, flip, prepare: () => flip("blue") });
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
  use_backend %[str(live),map(/etc/live.map)]
${backend("blue")}${backend("green")}`,
    },
  });
  const flip = async (to: Color) => {
    const socket = createConnection(path.join(sockets, "admin"));
    socket.end(`set map /etc/live.map live ${to}\n`).resume();
    await once(socket, "close");
  };
  return proxyIn(container, { name: "HAProxy", flip, prepare: () => flip("blue") });
};

export const caddy: Peer = async (lab, apps, binary) => {
  const config = (color: Color) => `{
  admin localhost:2019
  auto_https off
}
:80 {
  reverse_proxy ${apps[color]}:${APP_PORT} {
    transport http {
      keepalive_idle_conns_per_host 64
    }
  }
}
`;
  const container = await lab.start("caddy", {
    command: [binary, "run", "--adapter", "caddyfile", "--config", "/etc/blue"],
    volumes: HOST_PROGRAMS,
    env: ["HOME=/tmp"],
    files: { "/etc/blue": config("blue"), "/etc/green": config("green") },
  });
  const flip = (to: Color) =>
    docker("exec", container, binary, "reload", "--adapter", "caddyfile", "--config", `/etc/${to}`);
  return proxyIn(container, { name: "Caddy", flip, prepare: () => flip("blue") });
};
