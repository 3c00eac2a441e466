import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BlueGreenServiceArgs } from "../../components/index";
import { renderDelivery, type Source } from "../../components/ingress/certificate";
import { nginxOptions, renderTakeOver } from "../../components/ingress/createIngress";
import { namesOf, NGINX_IMAGE, type Color } from "../../components/settings";
import { shellFile } from "../../components/shell";
import {
  type CommandValues,
  renderIdleGateInput,
  renderSwitchInput,
} from "../../components/release/switchInput";
import { renderHealthHeaders } from "../../components/service/healthHeaders";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { describeTotals, failed, Load, type Options } from "../support/load";
import { freePorts } from "../support/ports";
import { Running, until, type Ended } from "../support/running";
import { dockerFlags } from "./flags";
import { settingsOf } from "../unit/valid";

/** What the service is called, and what is kept of it on the state volume. */
export const SERVICE = "shop";
export const PLACE = `/bluegreen/state/services/${SERVICE}`;
export const NODE_IMAGE = "node:24.21.0-slim";

/** Runs a change under a light load, on kept and on new connections, of which no request may fail. */
export async function losesNothingLightly(
  options: Partial<Options> & { port: number },
  change: () => Promise<void>,
): Promise<void> {
  const load = await Load.start({
    kept: 4,
    fresh: 4,
    pauseMs: 40,
    maxSeconds: 110,
    requests: [{ method: "GET", path: "/" }],
    ...options,
  });
  try {
    await load.more(100);
    await change();
    await load.more(100);
  } finally {
    await load.stop();
  }
  const { totals } = load;
  assert.equal(failed(totals), 0, [describeTotals(totals), ...totals.firstFailures].join("\n"));
  assert.equal(totals.ok, totals.sent);
}

/** How an app answers its health request. */
export type Health =
  | "ok"
  | "fails-later"
  | "errors"
  | "dies"
  | "slow"
  | "sick"
  | "wrong-status"
  | "refuses"
  | "hangs"
  | "endless";

// Tells its name, but for its health.
const APP = `
const http = require("node:http");
const { NAME, HEALTH, BODY } = process.env;
let well = false;
let asked = 0;
const health = {
  ok: (response) => response.end(BODY),
  // Until it gets SIGUSR2.
  sick: (response) => response.writeHead(well ? 200 : 503).end(BODY),
  // Passes the gate, and no more.
  "fails-later": (response) => response.writeHead(asked++ < 2 ? 200 : 503).end(BODY),
  // Healthy, but of no use.
  errors: (response) => response.end(BODY),
  dies: (response) => response.end(BODY),
  slow: (response) => setTimeout(() => response.end(BODY), 700),
  "wrong-status": (response) => response.writeHead(500).end(BODY),
  hangs: () => {},
  endless: (response) => setInterval(() => response.write("and so on "), 20),
};
let answered = 0;
const answer = (response) => {
  if (HEALTH === "dies" && answered++ === 20) process.exit(1);
  setTimeout(() => response.writeHead(HEALTH === "errors" ? 500 : 200).end(NAME), HEALTH === "slow" ? 700 : 0);
};
const app = (request, response) => {
  if (request.url === "/health") health[HEALTH](response);
  else if (request.url === "/headers") response.end(JSON.stringify(request.headers));
  else if (request.url === "/slow") setTimeout(() => response.end(NAME), 3000);
  else answer(response);
};
if (HEALTH === "refuses") setInterval(() => {}, 1000);
else http.createServer(app).listen(3000);
process.on("SIGTERM", () => process.exit());
process.on("SIGUSR2", () => (well = true));
`;

/** Short times, but the gate's own: a busy machine starts a container slowly. */
const QUICK = {
  health: { intervalSeconds: 0.2, timeoutSeconds: 2, gateTimeoutSeconds: 60 },
  drainSeconds: 2,
  stopGraceSeconds: 2,
} satisfies Partial<BlueGreenServiceArgs>;

export interface SwitchOptions {
  lockHolder?: string;
  health?: BlueGreenServiceArgs["health"];
  strategy?: string;
  idle?: string;
  watch?: BlueGreenServiceArgs["watch"];
  logs?: BlueGreenServiceArgs["logs"];
  tls?: BlueGreenServiceArgs["tls"];
  hosts?: BlueGreenServiceArgs["hosts"];
  path?: BlueGreenServiceArgs["path"];
  stripPath?: BlueGreenServiceArgs["stripPath"];
  ports?: BlueGreenServiceArgs["ports"];
  replicas?: BlueGreenServiceArgs["replicas"];
  redirects?: BlueGreenServiceArgs["redirects"];
  proxy?: BlueGreenServiceArgs["proxy"];
  drainSeconds?: number;
  /** Changes what the shell gets to read for the switch, and for the take-over. */
  edit?: (input: string) => string;
  editTakeOver?: (input: string) => string;
}

/** A line of the journal on the state volume. */
export interface JournalEntry {
  at: string;
  by: string;
  stack: string;
  kind: string;
  from: string;
  to: string;
  /** What the color runs that was released. */
  blue?: string;
  green?: string;
  config: string;
  /** Not known of a switch that was killed. */
  seconds: number;
  /** Of what has taken the service off. */
  downtime?: number;
  outcome: string;
}

/** Edge, proxy and colors in real containers, declared as components/ declares them, but without Pulumi. */
export class Service {
  private readonly prefix = `bgproxy-${randomBytes(4).toString("hex")}`;
  private readonly made: string[] = [];
  readonly state = `${this.prefix}-state`;
  readonly edge = `${this.prefix}-edge`;
  proxy = "";
  /** The nginx that a take-over was run for. */
  private owner = "";
  /** What the last switch was told. */
  private lastInput = "";
  /** The containers that the next switch is told of. */
  readonly containers: Record<Color, string> = { blue: "", green: "" };
  /** The containers that the idle gate was last told of: Pulumi runs it when there are others. */
  private gated = "";
  private ports: number[] = [];
  /** A folder of the host that proxies get to see from their creation on. */
  certificateFolder?: string;

  /**
   * `stateKb`: a small disk of its own for the state; without, it is on the engine's. `openFiles`: how many nginx may have, as
   * `docker run --ulimit` takes it.
   */
  constructor(
    private readonly stateKb?: number,
    private readonly openFiles = "16384",
  ) {}

  async create(): Promise<void> {
    await docker("network", "create", this.prefix);
    const disk = ["type=tmpfs", "device=tmpfs", `o=size=${this.stateKb}k`].flatMap((o) => ["--opt", o]);
    await docker("volume", "create", ...(this.stateKb === undefined ? [] : disk), this.state);
    this.ports = await freePorts(3);
    const [port, previewPort, tlsPort] = this.ports;
    await this.startNginx(this.edge, "edge", [
      ...["--network", this.prefix, "--sysctl", "net.ipv4.tcp_migrate_req=1"],
      ...["--publish", `127.0.0.1:${port}:80`, "--publish", `127.0.0.1:${previewPort}:8081`],
      ...["--publish", `127.0.0.1:${tlsPort}:443`],
    ]);
    await this.newProxy();
  }

  async remove(): Promise<void> {
    if (this.made.length > 0) await docker("rm", "--force", "--volumes", ...this.made.reverse());
    await docker("volume", "rm", "--force", this.state);
    await docker("network", "rm", this.prefix);
  }

  /** Starts a second nginx, as an update of its image does; the next switch is for this one. */
  async newProxy(): Promise<void> {
    this.proxy = this.nextName("proxy");
    const folder = this.certificateFolder;
    const mount = folder === undefined ? [] : ["--volume", `${folder}:/bluegreen/certificates:ro`];
    await this.startNginx(this.proxy, "proxy", ["--network", `container:${this.edge}`, ...mount]);
  }

  private async startNginx(name: string, role: "edge" | "proxy", flags: string[]): Promise<void> {
    this.made.push(name);
    const images = { activeColor: "blue", blue: { image: NODE_IMAGE }, green: { image: NODE_IMAGE } };
    const tls = this.certificateFolder === undefined ? {} : { certificateFile: "/any" };
    const {
      uploads,
      ulimits: _ulimits,
      destroyGraceSeconds: _grace,
      ...options
    } = nginxOptions(settingsOf({ ...images, tls }), role);
    await docker(
      ...["create", "--name", name, ...this.labelled(role), ...flags, "--restart", "always"],
      ...["--volume", `${this.state}:/bluegreen/state`],
      ...["--ulimit", `nofile=${this.openFiles}`],
      ...dockerFlags({ ...options, image: NGINX_IMAGE }),
    );
    const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-proxy-"));
    try {
      for (const { file, content } of uploads) {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), content);
      }
      await docker("cp", `${folder}/.`, `${name}:/`);
    } finally {
      rmSync(folder, { recursive: true });
    }
    await docker("start", name);
  }

  /** Starts an app as the next container of this color and gives its name, which is also what it answers. */
  app(color: Color, health: Health = "ok", body = '{"status":"UP"}'): Promise<string> {
    return this.startApp(color, APP, { HEALTH: health, BODY: body });
  }

  /**
   * The same with an app of one's own, as the text of its program; it gets its name as NAME. `how`: or it is only made, as Pulumi makes
   * a color.
   */
  async startApp(
    color: Color,
    program: string,
    variables: { [name: string]: string } = {},
    flags: string[] = [],
    how: "run" | "create" = "run",
    name = this.nextName(color),
  ): Promise<string> {
    this.containers[color] = name;
    this.made.push(name);
    const env = Object.entries({ ...variables, NAME: name }).flatMap(([key, value]) => [
      "--env",
      `${key}=${value}`,
    ]);
    await docker(
      ...(how === "run" ? ["run", "--detach"] : ["create"]),
      "--restart",
      "unless-stopped",
      "--name",
      name,
      "--network",
      this.prefix,
      ...this.labelled(color),
      ...env,
      ...flags,
      NODE_IMAGE,
      "node",
      "-e",
      program,
    );
    return name;
  }

  /** As many of this color's last container as `replicas` says, or more of them. */
  async peers(color: Color, replicas: number, health: Health = "ok"): Promise<string[]> {
    const first = this.containers[color];
    const names = namesOf(first, replicas);
    for (const name of names.filter((name) => !this.made.includes(name)))
      await this.startApp(color, APP, { HEALTH: health, BODY: '{"status":"UP"}' }, [], "run", name);
    this.containers[color] = first;
    return names;
  }

  /** Takes a port in the namespace that edge and proxy share. */
  async squat(port: number): Promise<string> {
    const name = this.nextName("squatter");
    this.made.push(name);
    const listen = `require("net").createServer().listen(${port}, "0.0.0.0", () => console.log("listens"))`;
    const network = `container:${this.edge}`;
    await docker(
      "run",
      "--detach",
      "--init",
      "--name",
      name,
      "--network",
      network,
      NODE_IMAGE,
      "node",
      "-e",
      listen,
    );
    await until(
      () => `something listens on ${port}`,
      async () => (await docker("logs", name)).includes("listens"),
    );
    return name;
  }

  /** Makes a sick app healthy. */
  heal = (app: string) => docker("kill", "--signal", "USR2", app);

  private labelled(role: string): string[] {
    const labels = {
      "bluegreen.id": this.prefix,
      "bluegreen.ingress": this.prefix,
      "bluegreen.role": role,
    };
    return Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]);
  }
  private nextName = (role: string) => `${this.prefix}-${role}-${this.made.length}`;

  /** Has the new nginx take over the ports. */
  takeOver(options: SwitchOptions = {}): Running {
    const { settings, lockHolder: stack } = this.values("blue", options);
    const values = {
      ...{ ingress: this.prefix, id: this.prefix, stack, nginxContainer: this.proxy },
      settings: { ...settings, tlsPort: 8443 },
    };
    return this.start(renderTakeOver(values), { edit: options.editTakeOver });
  }

  /** Runs what an update runs to its end: the take-over of a new nginx, the switch and, when a color has another container, the idle gate. */
  async switch(activeColor: Color, options: SwitchOptions = {}): Promise<Ended> {
    const takenOver = await this.takenOver(options);
    if (takenOver.code !== 0) return takenOver;
    const switched = await this.startSwitch(activeColor, options).ended;
    const containers = `${this.containers.blue} ${this.containers.green} ${options.idle ?? "running"}`;
    const output = takenOver.output + switched.output;
    if (switched.code !== 0 || this.gated === containers || Object.values(this.containers).includes(""))
      return { code: switched.code, output };
    const idle = await this.startIdleGate(activeColor, options).ended;
    if (idle.code === 0) this.gated = containers;
    return { code: idle.code, output: output + idle.output };
  }

  /** Pulumi runs the take-over for each new nginx, until it has passed. */
  private async takenOver(options: SwitchOptions): Promise<Ended> {
    if (this.owner === this.proxy) return { code: 0, output: "" };
    const ended = await this.takeOver(options).ended;
    if (ended.code === 0) this.owner = this.proxy;
    return ended;
  }

  /** The same, but one that fails is an error with all that it said. */
  async switched(activeColor: Color, options: SwitchOptions = {}): Promise<string> {
    const { code, output } = await this.switch(activeColor, options);
    if (code !== 0) throw new Error(`the switch to ${activeColor} ended with ${code}:\n${output}`);
    return output;
  }

  /** Pipes what Pulumi pipes into the same shell. */
  startSwitch(activeColor: Color, options: SwitchOptions = {}): Running {
    const live = this.containers[activeColor];
    this.lastInput = renderSwitchInput(this.values(activeColor, options), live);
    return this.start(this.lastInput, options);
  }

  startIdleGate(activeColor: Color, options: SwitchOptions = {}): Running {
    this.lastInput = renderIdleGateInput(this.values(activeColor, options), this.containers);
    return this.start(this.lastInput, options);
  }

  private start(input: string, { edit = (input) => input }: Pick<SwitchOptions, "edit">): Running {
    return new Running("sh", ["-s"], { input: edit(input) });
  }

  private values(activeColor: Color, options: SwitchOptions): CommandValues {
    const {
      lockHolder = "project/stack/service",
      health,
      edit: _edit,
      editTakeOver: _editTakeOver,
      ...given
    } = options;
    const settings = settingsOf({
      ...QUICK,
      activeColor,
      idle: "running",
      blue: { image: NODE_IMAGE },
      green: { image: NODE_IMAGE },
      ...given,
      health: { ...QUICK.health, ...health },
    });
    return { lockHolder, service: SERVICE, id: this.prefix, ingress: this.prefix, settings };
  }

  /** What "status" gets to know of the current nginx, by the settings of the last switch. */
  async facts(): Promise<string> {
    const settings = /^settings\(\) \{\n {2}cat <<'(\w+)'\n[^]*?\1\n\}\n/.exec(this.lastInput)?.[0] ?? "";
    const input = [
      settings,
      shellFile("in-both/replicas.sh"),
      shellFile("in-nginx/piped/probe.sh"),
      shellFile("in-nginx/piped/status.sh"),
    ].join("\n");
    const { code, output } = await new Running("docker", ["exec", "-i", this.proxy, "sh", "-s"], { input })
      .ended;
    assert.equal(code, 0, output);
    return output;
  }

  /** As before the first switch. */
  async forget(): Promise<void> {
    const script = `. /bluegreen/nginx.sh; mkdir -p ${PLACE}; : >${PLACE}/site.conf; reload`;
    await this.inProxy("sh", "-c", script);
  }

  /** Delivers a certificate as Pulumi does. */
  async deliver(source: Partial<Source>, names: string[]): Promise<Ended> {
    await this.takenOver({});
    return new Running("sh", ["-s"], {
      input: renderDelivery(source, { names, service: SERVICE, id: this.prefix, ingress: this.prefix }),
    }).ended;
  }

  /** Delivers the headers of the health request as Pulumi does. */
  async deliverHeaders(headers: { [name: string]: string }): Promise<Ended> {
    const whose = {
      INGRESS: this.prefix,
      SERVICE,
      SERVICE_ID: this.prefix,
      LOCK_HOLDER: "project/stack/service",
    };
    return new Running("sh", ["-s"], { input: renderHealthHeaders(headers, whose) }).ended;
  }

  /** Who answers on the public port, or the status of an answer that is not 200. */
  live = () => whoAnswers(this.ports[0]);
  /** Who answers on the preview port. */
  idle = () => whoAnswers(this.ports[1]);
  get previewPort(): number {
    return this.ports[1];
  }
  get port(): number {
    return this.ports[0];
  }
  get tlsPort(): number {
    return this.ports[2];
  }
  get network(): string {
    return this.prefix;
  }

  /** What a command in the current proxy prints. */
  inProxy = (...command: string[]) => docker("exec", this.proxy, ...command);
  site = () => this.inProxy("cat", `${PLACE}/site.conf`);
  journal = async () =>
    (await this.inProxy("cat", `${PLACE}/journal`))
      .split("\n")
      .map((line) => JSON.parse(line) as JournalEntry);
  isRunning = async (container: string) =>
    (await docker("inspect", "--format", "{{.State.Running}}", container)) === "true";
  /** Whether this nginx has the public listeners. */
  listens = async (container: string) => {
    // One that has just started has no such file yet.
    const look = "cat /run/bluegreen/listeners 2>/dev/null || :";
    return (await docker("exec", container, "sh", "-c", look)) === "open";
  };
}

/** SITE_TEMPLATE with another directive at its top; the rest of the input stays as it is. */
export const withDirective = (directive: string) => (input: string) => {
  const edited = input.replace("\nserver_tokens off;\n", `\n${directive}\n`);
  assert.notEqual(edited, input);
  return edited;
};

async function whoAnswers(port: number): Promise<string> {
  const { status, body } = await get(`http://127.0.0.1:${port}/`);
  return status === 200 ? body : `HTTP ${status}`;
}

/** A service for the tests of a `describe`, removed after the last, whatever happened between. */
export function useService(...options: ConstructorParameters<typeof Service>): Service {
  const service = new Service(...options);
  before(() => service.create());
  after(() => service.remove());
  return service;
}

/** A service with a live blue and an idle green for the tests of a `describe`. */
export function useLiveService(stateKb?: number): Service {
  const service = useService(stateKb);
  before(async () => {
    await service.app("blue");
    await service.app("green");
    await service.switched("blue");
  });
  return service;
}
