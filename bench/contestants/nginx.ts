import type { Color } from "../../components/settings";
import { SECURITY } from "../../components/nginx/site";
import { docker } from "../../tests/support/docker";
import { proxyIn, ready, type Contestant } from "../contestant";
import { BARE, BARE_LOGGING } from "../figures";
import { APP_PORT, CPUS, pem, PROXY_CORES, type Lab } from "../lab";

type Apps = Record<Color, string>;

/** The app itself. The load gets the core that is a proxy's otherwise, since the app has the other one. */
export function appAlone(apps: Apps): Promise<Contestant> {
  return ready({
    name: "app, no proxy",
    http: { container: apps.blue, port: APP_PORT, proxySide: [] },
    loadCpus: CPUS.proxy,
  });
}

/**
 * One fixed upstream and nothing else, tuned as well as it can be for this load: no log, answers in one piece, as many
 * connections to the app as from the load, none of them ever renewed.
 */
export const bareConfig = (upstream: string, https = "") => `worker_processes ${PROXY_CORES};
error_log /dev/stderr warn;
events {
  worker_connections 4096;
}
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000;
  upstream app {
    server ${upstream}:${APP_PORT};
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen 80 reuseport;
${https}    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;

const CERTIFICATE = "/etc/nginx/bench.pem";
/** With the protocols, ciphers and sessions of this project: what they cost is no proxy's merit or fault. */
const HTTPS = `    listen 443 ssl reuseport;
    ssl_certificate ${CERTIFICATE};
    ssl_certificate_key ${CERTIFICATE};
${SECURITY.replace(/^(?=.)/gm, "  ")}`;

const nginx = (lab: Lab, name: string, config: string) =>
  lab.start(name, { files: { "/etc/nginx/nginx.conf": config, [CERTIFICATE]: pem(lab) } });

export async function bareNginx(lab: Lab, apps: Apps): Promise<Contestant> {
  return proxyIn(await nginx(lab, "bare", bareConfig(apps.blue, HTTPS)), { name: BARE, tls: true });
}

/** The same, but each request is logged to the container's log, in blocks, as this project does by default. */
export async function loggingNginx(lab: Lab, apps: Apps): Promise<Contestant> {
  const config = bareConfig(apps.blue, HTTPS).replace(
    "access_log off;",
    "access_log /dev/stdout combined buffer=32k flush=1s;",
  );
  return proxyIn(await nginx(lab, "bare-log", config), { name: BARE_LOGGING, tls: true });
}

/** What is found most: the `server` line is rewritten with sed, and nginx is reloaded. */
export async function sedAndReload(lab: Lab, apps: Apps): Promise<Contestant> {
  const config = "/tmp/nginx.conf";
  const container = await lab.start("sed", {
    // sed can't replace a mounted file.
    command: ["sh", "-c", `cp /mounted.conf ${config} && exec nginx -c ${config} -g 'daemon off;'`],
    files: { "/mounted.conf": bareConfig(apps.blue) },
  });
  const flip = (to: Color) =>
    docker(
      ...["exec", container, "sh", "-c"],
      `sed -i 's/server [^ ]*:${APP_PORT};/server ${apps[to]}:${APP_PORT};/' ${config} && nginx -c ${config} -t -q && nginx -c ${config} -s reload`,
    );
  return proxyIn(container, { name: "sed + reload", flip, prepare: () => flip("blue") });
}

/** One address, and so one color at a time: the old one is stopped, the new one started. */
export async function stopAndStart(lab: Lab): Promise<Contestant> {
  const address = await lab.start("stop-start-address", { command: ["sleep", "infinity"] });
  const apps = await lab.apps("stop-start", `container:${address}`);
  await docker("start", apps.blue);
  const container = await nginx(lab, "stop-start", bareConfig(address));
  const flip = async (to: Color) => {
    await docker("stop", apps[to === "blue" ? "green" : "blue"]);
    await docker("start", apps[to]);
  };
  return proxyIn(container, { name: "stop old, start new", flip, prepare: () => flip("blue") });
}
