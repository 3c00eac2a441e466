import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import Docker from "dockerode";
import { NGINX_IMAGE, type Color } from "../components/settings";
import { TestCa, type Certificate } from "../tests/support/certificates";
import { docker, dockerLines, inspect } from "../tests/support/docker";

const count = cpus().length;
/**
 * The proxy has a core of its own, and load and app share the others: otherwise what is measured is mostly how the three
 * fight for the cores.
 */
export const CPUS = { proxy: String(count - 1), others: count > 2 ? `0-${count - 2}` : "0" };

/** As many workers as nginx has for each contestant. */
export const PROXY_CORES = 1;

/** Whom HTTPS is for: a name that resolves to 127.0.0.1 in every network. */
export const TLS_NAME = "localhost";

export interface Start {
  image?: string;
  command?: string[];
  cpus?: string;
  /** Docker's name of the network; the lab's own if none is given. */
  network?: string;
  env?: string[];
  /** As for `docker run --volume`. */
  volumes?: string[];
  /** Files of the container: path and content. */
  files?: { [path: string]: string };
}

/** The containers, network and files of one run. Everything bears a label, so that nothing is left. */
export class Lab {
  readonly id = `bgbench-${randomBytes(4).toString("hex")}`;
  readonly network = this.id;
  readonly folder = mkdtempSync(path.join(tmpdir(), "bluegreen-bench-"));
  /** The one that all contestants show. */
  readonly tls = certificate();
  private readonly label = `bluegreen.bench=${this.id}`;
  private readonly engine = new Docker();

  async create(): Promise<void> {
    await docker("network", "create", "--label", this.label, this.network);
  }

  async remove(): Promise<void> {
    const containers = await dockerLines("ps", "--all", "--quiet", "--filter", `label=${this.label}`);
    if (containers.length > 0) await docker("rm", "--force", "--volumes", ...containers);
    const networks = await dockerLines("network", "ls", "--quiet", "--filter", `label=${this.label}`);
    if (networks.length > 0) await docker("network", "rm", ...networks);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Creates a container and gives its full name. */
  async container(name: string, options: Start): Promise<string> {
    const fullName = `${this.id}-${name}`;
    const flags = (flag: string, values: string[] = []) => values.flatMap((value) => [flag, value]);
    const files = Object.entries(options.files ?? {}).map(([inside, content], i) => {
      const file = this.file(`${name}-${i}`, content);
      return `${file}:${inside}`;
    });
    await docker(
      "create",
      ...["--name", fullName, "--label", this.label],
      ...["--network", options.network ?? this.network, "--cpuset-cpus", options.cpus ?? CPUS.proxy],
      // As the stack's containers have it.
      ...["--log-opt", "max-size=10m", "--log-opt", "max-file=3"],
      ...flags("--env", options.env),
      ...flags("--volume", [...(options.volumes ?? []), ...files]),
      options.image ?? NGINX_IMAGE,
      ...(options.command ?? []),
    );
    return fullName;
  }

  async start(name: string, options: Start): Promise<string> {
    const container = await this.container(name, options);
    await docker("start", container);
    return container;
  }

  /** Two apps, blue and green, that everybody but "this project" proxies to: that one makes the same from the same command. */
  async apps(name: string, network?: string): Promise<Record<Color, string>> {
    const app = (color: Color) =>
      this.container(`${name}-${color}`, {
        command: APP_COMMAND,
        cpus: CPUS.others,
        env: [`COLOR=${color}`, `PORT=${APP_PORT}`],
        network,
      });
    return { blue: await app("blue"), green: await app("green") };
  }

  file(name: string, content: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, content);
    return file;
  }

  /** CPU time that the containers have used so far, in seconds. */
  async cpuSeconds(containers: string[]): Promise<number> {
    const used = containers.map(async (name) => {
      const stats = await this.engine.getContainer(name).stats({ stream: false, "one-shot": true });
      return stats.cpu_stats.cpu_usage.total_usage / 1e9;
    });
    return sum(await Promise.all(used));
  }

  /**
   * Resident memory in MB: what the processes have of their own, and mapped files once, which containers of one image
   * share. Docker's own figure leaves out files that another container was the first to read.
   */
  async residentMb(containers: string[]): Promise<number> {
    const pids = containers.map(async (name) => (await dockerLines("top", name, "-o", "pid")).slice(1));
    const memory = (await Promise.all(pids)).flat().map((pid) => memoryOf(pid.trim()));
    return (sum(memory.map(({ own }) => own)) + Math.max(...memory.map(({ mapped }) => mapped))) / 1e6;
  }
}

/** Certificate and key in one file. */
export const pem = ({ tls }: Lab): string => tls.certificate + tls.privateKey;

function certificate(): Certificate {
  const ca = new TestCa();
  try {
    return ca.issue([TLS_NAME]);
  } finally {
    ca.remove();
  }
}

/** Own are pages that are no file's; those that several processes have, as a fork and its parent, are divided between them. */
function memoryOf(pid: string): { own: number; mapped: number } {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8") + readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return { own: 0, mapped: 0 }; // it has just ended
  }
  const bytes = (field: string) =>
    1024 * Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
  // nginx keeps what its workers share in memory that is neither: addresses, sessions.
  return { own: bytes("Pss_Anon") + bytes("Pss_Shmem"), mapped: bytes("RssFile") };
}

export const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

export const pidOf = async (container: string): Promise<number> => (await inspect(container)).State.Pid;

export const APP_PORT = 3000;

/** An nginx that answers 1 KB from memory and says its color: as cheap as an app can be, so that the proxy is measured. */
export const APP_COMMAND = [
  "sh",
  "-c",
  [
    `printf '%s\\n' "worker_processes 1; pid /tmp/app.pid; error_log /dev/stderr warn;`,
    `events { worker_connections 4096; }`,
    `http { access_log off; keepalive_requests 1000000; server { listen $PORT;`,
    `add_header X-Color $COLOR; add_header X-Version 1; default_type text/plain;`,
    `location / { return 200 $(head -c 1024 /dev/zero | tr '\\0' x); } } }" >/tmp/app.conf`,
    `&& exec nginx -c /tmp/app.conf -g 'daemon off;'`,
  ].join(" "),
];
