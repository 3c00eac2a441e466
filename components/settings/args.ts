import * as pulumi from "@pulumi/pulumi";

// Every argument of a BlueGreenService: what it means, its unit and default, and what changing it costs. What is refused, and the
// defaults, are in schema.ts. The first sentence of each comment is what README.md and Pulumi.yaml say of it (npm run settings).
//
// The interfaces avoid unions: the analyzer that makes the component usable from YAML and other languages refuses them.
//
// Three costs come up again and again:
//   *reload*         nginx reads a new configuration; no connection is dropped
//   *new containers* both colors are created anew, gated, and switched to; no request is lost
//   *downtime*       the edge, which holds the published ports, is deleted and made again; refused without `allowDowntime`

/** A service that is released blue/green behind an nginx of its own. */
export interface BlueGreenServiceArgs {
  /**
   * The color that serves: `blue` or `green`. Changing it is the switch, and changing it back is the rollback: the target
   * must pass the health gate, then nginx is reloaded. The other color is reachable on the preview port.
   */
  activeColor: string;
  /** What the blue color runs. A change makes a new blue container; it costs the live color nothing if blue is idle. */
  blue: ColorArgs;
  /** What the green color runs. */
  green: ColorArgs;

  /**
   * The ingress that the service shares with others: `name` of an `Ingress`, or of another service, whose own ingress this one
   * joins. Default: the service makes its own, with the ports of `proxy` and `tls`. Costs new containers, and the service
   * moves to other ports.
   */
  ingress?: pulumi.Input<string>;
  /**
   * Host names under which users reach the service, such as `shop.example.com`, or `*.shop.example.com` for all below it. Default `[]`: all
   * that no other service of the ingress has. One that no service has gets a 404.
   */
  hosts?: string[];
  /**
   * Host names that send users on to another one, by what each leads to: `{"www.example.com": "https://example.com"}`. The answer is a
   * 308 with the same path and query, so browsers keep the method and remember it. A name may be `*.example.com`; of several that
   * fit, the nearest counts. With `path`, it is that path alone. The names are the service's as `hosts` are: no other of the ingress
   * can have them, and with TLS they must be among `tls.names`. The preview port does not redirect. Default none.
   */
  redirects?: { [name: string]: string };
  /**
   * The path under which the service answers, whole segments only: `/api` is for `/api` and `/api/users`, not for `/apis`. Default
   * `/`. Services may share a host name by their paths.
   */
  path?: string;
  /**
   * Whether `path` is taken off before a request is passed on. Then the service is told it as `X-Forwarded-Prefix`, and redirects
   * and paths of cookies get it again. Default false.
   */
  stripPath?: boolean;

  /** The TCP port that the service listens on inside its container, also given to it as `PORT`. Default 3000. Costs new containers. */
  containerPort?: number;
  /**
   * How many containers each color has, at most 16: such as one for each core. They are peers: nginx gives each request to the next one, so what one keeps
   * in its memory the others don't have. Each has to pass the gate before users get to any of them. `memoryMb` and `container.cpus` are those of one. Workers
   * stay one each. Default 1. After a change what is new is gated, then it is a *reload*, and what is too many ends after the drain: no request is
   * lost. Refused with `strategy: recreate`, which is for what there may be only one of. How: docs/how-to/replicas.md.
   */
  replicas?: number;
  /**
   * Further ports that the service listens on in the same container, each with host names or a path of its own. They go live together
   * with `containerPort`, by the same reload; the gate asks that one alone. Default none.
   */
  ports?: PortArgs[];
  /** The command with its arguments, in place of the image's own. Costs new containers. */
  command?: string[];
  /**
   * Environment of both colors; a color's own `env` wins. Values may be secrets: they stay encrypted in the state. The
   * component itself sets `COLOR`, `PORT`, `TZ` and, with Redis, `REDIS_HOST`, `REDIS_PORT` and `REDIS_PASSWORD`: those
   * names are refused. With Redis it sets `REDIS_URL`, too, where you don't. Costs new containers.
   */
  env?: { [name: string]: pulumi.Input<string> };
  /**
   * File of variables on the machine that runs Pulumi, absolute or from `~/` on, by the rules of dotenv: `NAME=value`, in quotes where it
   * has spaces, `#` for comments; nothing in a value is replaced. `env` wins. All its values are secrets. Costs new containers.
   */
  envFile?: string;
  /**
   * Files of secrets or configuration that the colors have from their start. Not with `container.readOnly`, and not in a volume or a
   * `tmpfs`: Docker puts them into the container's own root. Default `[]`. Costs new containers.
   */
  files?: FileArgs[];
  /** Volumes and folders of the host that both colors mount. Both run at the same time, so both write. Costs new containers. */
  volumes?: VolumeArgs[];
  /** Memory limit of each color in MiB, without swap; `0` is none. Default: none. */
  memoryMb?: number;
  /** What both colors may do on the host. */
  container?: ContainerArgs;
  /** Rotation of each container's log. */
  logs?: LogsArgs;
  /** Docker's restart policy of the colors: `unless-stopped`, `on-failure`, `always` or `no`. Default `unless-stopped`. */
  restart?: string;
  /** Time zone of the colors, given to them as `TZ`, such as `Europe/Vienna`. Default `UTC`. Costs new containers. */
  timeZone?: string;
  /** Docker labels of both colors. `bluegreen.*` is the component's own. Costs new containers. */
  labels?: { [name: string]: string };
  /** How long Docker waits after SIGTERM before it kills a color, in seconds. Default 30. Costs new containers. */
  stopGraceSeconds?: number;

  /**
   * Workers that belong to the release, by their names, such as Sidekiq, Celery or cron: further containers of a color, with its image and
   * all else that it has, but with a command of their own and no port. After each switch they move to the color that is live. How:
   * docs/how-to/workers.md. Default `{}`. A change costs the requests nothing; a worker gets a new container.
   */
  workers?: { [name: string]: WorkerArgs };

  /** When a color counts as healthy. Changing it costs nothing that serves: the switch runs again. */
  health?: HealthArgs;
  /** Whether the new live color is watched after a switch, and flipped back. */
  watch?: WatchArgs;
  /**
   * How another container becomes live. `blue-green`: it is gated while the former one serves, and no request is lost. `recreate`: for a service
   * that there may be only one of (SQLite, an exclusive lock, a bot's session). The former one is stopped before the other is started, so no two
   * ever run. From the stop until the gate has passed, users get a 503 with `Retry-After`; when it fails, the former one is started again.
   * Default `blue-green`. A change is a *reload*; the idle color is started or stopped. With `recreate` these are refused: `watch.seconds` (nothing
   * is left to flip back to), `idle: running`, `proxy.sharedAssets`, and `restart: always` or `on-failure`, with which Docker starts what
   * was stopped beside what is live when it starts itself. How: docs/how-to/one-at-a-time.md.
   */
  strategy?: string;
  /**
   * What the idle color does after a switch: `running` (a rollback is one reload; it takes memory and, if it consumes a
   * queue, messages) or `stopped` (it is stopped after the drain, and started before the gate of the next switch).
   * Default `running`; with `strategy: recreate` it is always stopped.
   */
  idle?: string;
  /**
   * How long the switch waits for the connections of a container that is about to be stopped or deleted, in seconds. It
   * ends early when none is left. Default 30. Switching between two warm colors waits for nothing: long-lived
   * connections simply stay where they are.
   */
  drainSeconds?: number;
  /**
   * How long a switch waits for one of another stack on the same proxy, in seconds. Default 0: it fails and names the
   * holder. What an interrupted update of the same stack left running is always waited for.
   */
  lockWaitSeconds?: number;

  /** A Redis that both colors share, if you want one. */
  redis?: RedisArgs;
  /** The Docker network that everything is attached to. */
  network?: NetworkArgs;
  /** The nginx in front of both colors. */
  proxy?: ProxyArgs;
  /** HTTPS. */
  tls?: TlsArgs;
  /** The Docker engine that everything runs on. */
  host?: HostArgs;

  /**
   * Accounts at registries. Every image that the host lacks is pulled there before anything is touched, with these or else
   * with what the host's own Docker client is signed in to. A change costs nothing that serves.
   */
  registries?: RegistryArgs[];
  /**
   * Whether the machine that runs Pulumi sends each image that it has and the host has not, over the connection that is there anyway.
   * No registry is asked for it; what that machine's Docker has not is pulled, as ever. Of a color's image that is another one under the same
   * name on the host, the host gets the new one, which the color has from its next container on. An image with a digest is not sent, nor
   * one for another platform than the host's. Not with `pinImages`. Default false. A change costs nothing that serves.
   */
  sendImages?: boolean;
  /**
   * Whether each color's image is pinned to the digest that its registry has for the tag when the plan is made; the plan
   * shows it. Previews then ask the registry too, from the machine that runs Pulumi. An image that comes with a digest keeps
   * it. Default false. A change costs new containers.
   */
  pinImages?: boolean;
  /**
   * How many former images of each color a switch leaves on the host, besides those that the colors have; older ones are
   * removed, unless a container uses them or no registry ever had them. What a color ran before stays at hand.
   * With containerd's image store all stay: there Docker does not tell what a registry had. Default: all stay, as with `0`. A change costs nothing that serves.
   */
  keepImages?: number;

  /**
   * Leave for a change that takes the service offline for some seconds: other published ports or addresses, another
   * network, another edge image. Default false: such a change is refused and nothing is touched.
   */
  allowDowntime?: boolean;
  /**
   * Leave for images without a tag or with `latest`. Default false: what a moving tag ran yesterday can't be rolled back
   * to, and Pulumi can't see that it moved.
   */
  allowMovingTags?: boolean;
}

/**
 * What holds the ports of a Docker host, for several services: each names it as its `ingress`. It is an nginx and what keeps its
 * ports open. Services come and go, by this program or by other stacks; it can't be destroyed while there are some.
 */
export interface IngressArgs {
  /** The nginx, and its ports and addresses on the host. */
  proxy?: IngressProxyArgs;
  /** The port for HTTPS. Each service brings the certificate for its own names. */
  tls?: IngressTlsArgs;
  /** Rotation of the log of nginx's container. */
  logs?: LogsArgs;
  /** How long a new nginx waits for the connections of the old one, in seconds. Default 30. A change costs nothing. */
  drainSeconds?: number;
  /** The Docker engine that it runs on: the same as that of its services. */
  host?: HostArgs;
  /** Accounts at registries, for the images of nginx. */
  registries?: RegistryArgs[];
  /** Whether the machine that runs Pulumi sends the images of nginx that the host lacks. Default false. */
  sendImages?: boolean;
  /** Leave for a change that takes all of its services offline for some seconds: other ports or addresses, another edge image. */
  allowDowntime?: boolean;
  /** Leave for images without a tag or with `latest`. */
  allowMovingTags?: boolean;
}

/** What one color runs. */
export interface ColorArgs {
  /** Image with a tag that does not move, such as `registry.example.com/shop:1.4.2`, or with a digest. */
  image: pulumi.Input<string>;
  /** Environment of this color alone, such as its own stream key and consumer group. Wins over the common `env`. */
  env?: { [name: string]: pulumi.Input<string> };
  /** The port of this color alone, such as that of an image with another base. Default: as `containerPort`. */
  containerPort?: number;
  /** How many containers this color alone has. Default: as `replicas`. */
  replicas?: number;
  /** The command of this color alone; `[]` is the image's own. Default: as `command`. */
  command?: string[];
  /** Memory limit of this color alone, in MiB; `0` is none. Default: as `memoryMb`. Changed in place. */
  memoryMb?: number;
  /** File of variables of this color alone. Default: as `envFile`. */
  envFile?: string;
  /** Files of this color alone, in place of the common ones. Default: as `files`. */
  files?: FileArgs[];
  /**
   * What this color's container has otherwise. Default: as `container`. Each setting that is given replaces the one for both,
   * lists and maps as a whole; an empty list is none.
   */
  container?: ContainerArgs;
  /** The workers of this color alone, in place of the common ones, such as those that only a new version has. Default: as `workers`. */
  workers?: { [name: string]: WorkerArgs };
}

/**
 * A worker: one container for each color, of which that of the live color runs. Where it does not stay up, the former one is started
 * again, the update fails, and users keep what the switch has made live. Docker starts one again that ends by itself, as with
 * `restart: unless-stopped`; no other policy keeps a stopped one stopped when the host is started anew.
 */
export interface WorkerArgs {
  /** What it runs, in place of the image's own command: program and arguments, one by one. */
  command: string[];
  /**
   * Whether there may be only one at a time. Default true: the former version's is stopped before the new one starts. With false the new
   * one starts first, and the former one is stopped when it has stayed up. A change counts from the next move on.
   */
  exclusive?: boolean;
  /** How long it may take to end after SIGTERM before Docker kills it, in seconds: as long as its longest job. Default: as `stopGraceSeconds`. */
  stopGraceSeconds?: number;
  /** How long a new one has to stay up, without a restart, before it counts, in seconds. Default 5: as long as it takes to begin work. */
  stayUpSeconds?: number;
  /** Its own environment; wins over that of the color. Values may be secrets. Default `{}`. */
  env?: { [name: string]: pulumi.Input<string> };
  /** Its own memory limit in MiB; `0` is none. Default: as `memoryMb` of its color. Changed in place. */
  memoryMb?: number;
  /** How many CPUs it may use, in tenths. Default: as `container.cpus` of its color. */
  cpus?: number;
}

/** A further port of the service. What `proxy` says holds for it, too, but for `protocol` and `sharedAssets`. */
export interface PortArgs {
  /** The TCP port inside the container. */
  containerPort: number;
  /** Host names under which users reach it, as in the service's `hosts`. Default: the same as those. */
  hosts?: string[];
  /** The path under which it answers, as the service's own; it is not taken off. Default `/`. For gRPC it is the name of a service, such as `/shop.v1.Cart`. */
  path?: string;
  /** What nginx speaks with it: `http1`, `http2` or `grpc`, as `proxy.protocol`. Default `http1`. */
  protocol?: string;
}

/** A file in the containers. It belongs to root. */
export interface FileArgs {
  /** Absolute path inside the containers, such as `/run/secrets/api-key`. */
  path: string;
  /** Its text, which the state encrypts and neither the plan nor `docker inspect` shows. */
  content: pulumi.Input<string>;
  /** Who may do what, as `chmod` takes it. Default `0444`: each process in the container reads it. */
  permissions?: string;
}

/** A mount: give either `hostPath` or `volumeName`. */
export interface VolumeArgs {
  /** Absolute path of a folder or file on the Docker host. */
  hostPath?: string;
  /**
   * Name of a Docker volume; made when absent, never deleted by this component. Docker copies files that the image has at
   * `containerPath` into it only while it is empty: later releases don't see their own files there. An update warns of that.
   */
  volumeName?: string;
  /** Absolute path inside the container. */
  containerPath: string;
  /** Whether the colors may only read there. Default false. */
  readOnly?: boolean;
  /**
   * `z`, on a host with SELinux: gives what is there the label with which all containers may use it, as `:z` of `docker run`. Default:
   * none, and it stays as it is. Not `Z`, which takes it away from the other color.
   */
  selinuxRelabel?: string;
}

/** A line of a container's `/etc/hosts`. */
export interface ExtraHostArgs {
  /** The name that the containers know. */
  host: string;
  /** Its IPv4 address, or `host-gateway`, which is the Docker host's own. */
  ip: string;
}

/** A device of the host. */
export interface DeviceArgs {
  /** Its path on the host, such as `/dev/ttyUSB0`. */
  hostPath: string;
  /** Its path in the containers. Default: the same. */
  containerPath?: string;
  /** `r` to read, `w` to write, `m` to make it. Default `rwm`. */
  permissions?: string;
}

/** A limit of a container's processes, as `docker run --ulimit` has it. */
export interface UlimitArgs {
  /** Such as `nofile`, how many files and connections may be open: an app with many needs more than the 1024 of a new Docker. */
  name: string;
  /** What holds; a process may raise it up to `hard`. -1 is no limit. */
  soft: number;
  /** What no process may go beyond. -1 is no limit. */
  hard: number;
}

/**
 * What the colors may do, in the names of Docker's provider for Pulumi. The defaults take away what ordinary images don't
 * need. The component's own containers (edge, nginx, Redis, ACME) have no more than each needs, which no setting changes.
 */
export interface ContainerArgs {
  /**
   * Docker's `--security-opt`: `no-new-privileges`, or one that begins with `apparmor=`, `seccomp=` or `label=`. Default
   * `["no-new-privileges"]`: no program gains rights when it starts. Images that drop rights (`gosu`, `su-exec`, `setpriv`)
   * work with it, `sudo` and other setuid programs don't. `["no-new-privileges=false"]` allows them. Costs new containers.
   */
  securityOpts?: string[];
  /** Linux capabilities of root in the containers. A service that runs as another user has none anyway. */
  capabilities?: CapabilitiesArgs;
  /**
   * Whether the root of the file system is read-only. Default false: many images write to it. `volumes` and `tmpfs` stay
   * writable. Costs new containers.
   */
  readOnly?: boolean;
  /** Folders in memory, with their mount options: `{"/tmp": "size=64m"}`. What is in them counts as memory. Default `{}`. Costs new containers. */
  tmpfs?: { [path: string]: string };
  /**
   * Weight of each color where containers want more CPU than there is; what sets nothing has 1024, as nginx and Redis have.
   * From 2 to 262144. Default: none. Changed in place.
   */
  cpuShares?: number;
  /** Limits of their processes, such as open files. Default `[]`: Docker's own hold. Costs new containers. */
  ulimits?: UlimitArgs[];
  /** Names that the containers know, such as `host.docker.internal` with `host-gateway`. Default `[]`. Costs new containers. */
  hosts?: ExtraHostArgs[];
  /** Networks that there are, which the colors join besides those of ingress and Redis, such as a database's. Default `[]`. Costs new containers. */
  networks?: string[];
  /** Name servers. Default `[]`: the host's. Docker's own, which knows containers by name, passes on to them. Costs new containers. */
  dns?: string[];
  /** Options of the resolver, such as `ndots:1`. Default `[]`. Costs new containers. */
  dnsOpts?: string[];
  /** Domains in which short names are looked up. Default `[]`: the host's. Costs new containers. */
  dnsSearches?: string[];
  /** User, or user and group, in place of the image's own: `1000`, `app`, `1000:1000`. Costs new containers. */
  user?: string;
  /** Groups that the user is in besides, by name or number. Default `[]`. Costs new containers. */
  groupAdds?: string[];
  /** The program that `command` is given to, in place of the image's own; the image's command is then not used. `[]` is the image's own. Costs new containers. */
  entrypoints?: string[];
  /** Folder that the command begins in. Default: the image's own. Costs new containers. */
  workingDir?: string;
  /** Whether Docker's init is the first process, which reaps orphans and passes signals on. Default: as `false`. Costs new containers. */
  init?: boolean;
  /** Size of `/dev/shm` in MiB. Default: Docker's, 64. Costs new containers. */
  shmSize?: number;
  /** How many CPUs a color may use, in tenths: `1.5`. Default: all. Costs new containers. */
  cpus?: number;
  /** Which CPUs, such as `0-1` or `0,2`. Default: all. Costs new containers. */
  cpuSet?: string;
  /** Devices of the host. Default `[]`. Costs new containers. */
  devices?: DeviceArgs[];
  /** GPUs of the host, which needs NVIDIA's container toolkit: `all`, how many, or `device=ID` for one. Default: none. Costs new containers. */
  gpus?: string;
  /** Kernel parameters that are the container's own: `net.*`, `fs.mqueue.*`, some of `kernel.*`. Default `{}`. Costs new containers. */
  sysctls?: { [name: string]: string };
  /**
   * Docker's log driver of the colors, such as `journald` or `local`. Default: `json-file`, rotated as `logs` says. With one, `logs` holds for nginx and
   * Redis alone, and the driver has what `logOpts` says. With one that can't be read, a failed gate shows no log. Costs new containers.
   */
  logDriver?: string;
  /** Options of `logDriver`, such as `tag`. Default `{}`. Costs new containers. */
  logOpts?: { [option: string]: string };
}

/** Names as `CAP_NET_ADMIN`, with `CAP_` or without, or `ALL`. A change costs new containers. */
export interface CapabilitiesArgs {
  /** Capabilities beyond Docker's own 14. Default `[]`. */
  adds?: string[];
  /**
   * Capabilities that are taken away. Default `["CAP_MKNOD","CAP_NET_RAW"]`: devices and forged packets. `["ALL"]` is right for a service
   * that does not start as root. One that does, and becomes another user by itself, then needs `adds` such as
   * `CAP_CHOWN`, `CAP_SETGID` and `CAP_SETUID`.
   */
  drops?: string[];
}

/**
 * Docker's json-file log with rotation. nginx's log of requests takes as much in two files (`proxy.accessLog`). A change costs new
 * containers, and Redis is away for some seconds.
 */
export interface LogsArgs {
  /** Size of one log file in MB. Default 10. */
  maxSizeMb?: number;
  /** How many files are kept. Default 3. */
  maxFiles?: number;
}

/** The health gate: a candidate must pass it before it gets any traffic. It is asked through nginx, as its users will. */
export interface HealthArgs {
  /**
   * What is asked. `http` (the default): a request, and its answer is judged. `tcp`: whether the port takes a connection. `command`: what `command`
   * ends with, run in the container. `image`: the HEALTHCHECK that the image itself has, as Docker tells its state. Whatever it is, nginx has to get through to
   * `containerPort`. A setting that does not fit it is refused. A change is a reload.
   */
  kind?: string;
  /**
   * The command of the kind `command`: program and arguments, one by one, and no shell but the one that you name. It is run in the container, with its
   * variables, as `docker exec` does; with exit code 0 it has passed. One that takes longer than `timeoutSeconds` has not, and runs on. Default: none.
   */
  command?: string[];
  /** Path of the health request. Default `/health`. */
  path?: string;
  /**
   * The port of the container that is asked, by HTTP or `tcp`, such as `8181` for Spring's actuator. Users don't come there, so it is asked past nginx; and
   * once in each gate, that nginx gets through to `containerPort`. Default `containerPort`. A change is a reload.
   */
  port?: number;
  /**
   * Headers of the health request, by their names, such as `Authorization`. A value may be a secret: it is sent to the color's health check, and
   * nobody can read it but who may read nginx's state volume. Names that nginx or curl set themselves are refused (`Host` is `hostHeader`), and
   * so are values that are empty or have a line break. Default: none. A change is a reload.
   */
  headers?: { [name: string]: pulumi.Input<string> };
  /** `Host` header of the health request, and of a user's request that names none. Default `localhost`, or the first of `tls.names`, or of `hosts`. */
  hostHeader?: string;
  /** Time between two requests in seconds. Default 1. */
  intervalSeconds?: number;
  /** When a request counts as failed, in seconds. Default 5. */
  timeoutSeconds?: number;
  /** When the gate gives up, in seconds: the former color keeps serving and `pulumi up` fails. Default 60. */
  gateTimeoutSeconds?: number;
  /** How many passes in a row are asked for. Default 2. */
  passes?: number;
  /** The exact status that counts as healthy. Default: any 2xx. */
  status?: number;
  /** Text that the answer has to contain. For JSON use `jsonField`: text also matches in a nested component. Default: none. */
  bodyText?: string;
  /** A field of a JSON answer, such as `status` or `components.db.status`. Needs `jsonValue`. Default: none. */
  jsonField?: string;
  /** What that field has to be, such as `UP`. */
  jsonValue?: string;
}

/**
 * The watch after a switch: the share of 5xx answers, as nginx counts them, is compared with that of the time of the gate,
 * and the health request goes on. When more answers fail, or three health requests in a row, the former color is live again,
 * `pulumi up` fails and prints the figures. A first deploy has nothing to flip back to and is not watched.
 */
export interface WatchArgs {
  /** How long, in seconds; `pulumi up` takes that much longer. At most 3600. Default 0: no watch. A change is a reload. */
  seconds?: number;
  /** By how many percentage points the share of 5xx answers may grow, once there are 20 answers. Default 5. */
  tolerancePercent?: number;
}

/** The shared Redis. It is not a color: no release touches it, and it is not published on the host. */
export interface RedisArgs {
  /**
   * Whether there is one. Default false: there is none, and its variables are not set. Turning it on or off costs new colors. Turning it off
   * deletes the container; the data volume stays unless `deleteData` is set.
   */
  enabled?: boolean;
  /**
   * Its image. Default `redis:8.0.6`. A change replaces the one Redis container: it is away for some seconds, its data stays. Before that, the new
   * image has to load a copy of the data, which needs room on the disk; one that can't is refused.
   */
  image?: string;
  /** Password, given to the colors as `REDIS_PASSWORD`. Make it a secret. Default: none. A change costs new containers and some seconds of Redis. */
  password?: pulumi.Input<string>;
  /** Leave to delete the data volume with the stack. Default false: `pulumi destroy` keeps it, and the next `up` finds it again. */
  deleteData?: boolean;
  /**
   * How much memory the data may take, in MiB, at least 16. When that is full, Redis refuses writes and drops nothing. The
   * container itself may take twice that and 128 MiB, so that it is never killed while it writes the data to disk. Default:
   * none, since only you know how much there will be, and a full Redis is worse than a large one. A change replaces the
   * container, as one of `image`.
   */
  memoryMb?: number;
}

/** An account at a registry. The host never gets to keep it. */
export interface RegistryArgs {
  /** The registry, as images name it, such as `ghcr.io` or `registry.example.com:5000`; `docker.io` is Docker Hub. */
  address: string;
  /** The account's name. */
  username: string;
  /** Password or token. Make it a secret. */
  password: pulumi.Input<string>;
}

export interface NetworkArgs {
  /**
   * Name of an existing network to join, which is never deleted. Default: one is made, or that of the shared ingress. Changing it
   * is downtime.
   */
  name?: string;
}

/** nginx, and where it is reached. What a service shares with others, its ingress has. */
export interface IngressProxyArgs {
  /**
   * An nginx from 1.27.4 on, with sh and curl (and openssl for TLS), such as the official ones (not `-slim`). Default `nginx:1.30.6`.
   * A change makes a new nginx that takes over the open ports of the old one: no connection is refused or dropped.
   */
  image?: string;
  /** The image of the edge, which only serves when nginx's own container does not. Default `nginx:1.30.6`. A change waits for the next downtime. */
  edgeImage?: string;
  /** Port on the host. Default 80. A change is downtime. */
  port?: number;
  /** Address on the host that `port` is bound to. Default `0.0.0.0`: every IPv4 address; see `ipv6` for the others. A change is downtime. */
  bindAddress?: string;
  /** Port on the host where the idle color answers. Default 8081. A change is downtime. */
  previewPort?: number;
  /** Address that `previewPort` is bound to. Default `127.0.0.1`: only the host itself. A change is downtime. */
  previewBindAddress?: string;
  /**
   * Whether the ports are open for IPv6, too: `::` beside `0.0.0.0`, `::1` beside `127.0.0.1`; an address of your own stays alone. Then
   * the network has IPv6, as well. Default: as the host has it when the ingress is made; later it stays as it is. A change is downtime.
   * `true` on a host without IPv6 is refused before anything is touched. Before Docker Engine 27, a client that comes by IPv6
   * shows the address of the network's gateway.
   */
  ipv6?: boolean;
  /**
   * Memory limit of nginx and of the edge, each, in MiB, at least 64; `0` is none. Past it the kernel ends a worker with its
   * connections, and nginx starts another. Default 2048: room for 10,000 uploads at once. Changed in place.
   */
  memoryMb?: number;
  /**
   * Whether a replaced nginx hands connections that it has not accepted yet to the new one (`net.ipv4.tcp_migrate_req`,
   * Linux 5.14 or newer; with an older kernel the edge container does not start). Default true. A change is downtime.
   */
  migrateConnections?: boolean;
}

/** nginx. What it does with the service's requests is a *reload*. */
export interface ProxyArgs extends IngressProxyArgs {
  /**
   * What nginx speaks with the colors: `http1`, `http2` (without TLS) or `grpc`, which is HTTP/2 with what gRPC needs: calls and streams pass
   * at once in both directions, and their status arrives. Default `http1`. With the others there are no WebSockets. Clients
   * choose for themselves: both ports take HTTP/1.1 and HTTP/2. The gate asks in the same way as users: docs/how-to/grpc.md. The switch
   * to it is a reload: release an app that speaks it to the idle color first, since the gate asks only what is to become live.
   */
  protocol?: string;
  /** Largest request body, as nginx writes it: `512k`, `20m`, `1g`; `0` is no limit. Default `10m`. Larger ones get a 413. */
  maxBodySize?: string;
  /** How long nginx tries to connect to a color, in seconds. Default 5. Then the client gets a 504. */
  connectTimeoutSeconds?: number;
  /** How long a color may be silent before or in an answer, in seconds. Default 60. Then the client gets a 504, or the answer is cut. */
  readTimeoutSeconds?: number;
  /**
   * The same for WebSockets and Server-Sent Events, in seconds: requests with `Upgrade: websocket`, or with `text/event-stream`
   * in `Accept`. Default 3600. A stream that is asked for otherwise has to say something within `readTimeoutSeconds`.
   */
  streamTimeoutSeconds?: number;
  /** How long a color may take in no data of a request, in seconds. Default 60. */
  sendTimeoutSeconds?: number;
  /**
   * Whether nginx takes an answer as fast as the color gives it, and keeps it for a client that reads slowly. Default true:
   * else two slow readers of a large answer are all that an app with two workers can serve. Server-Sent Events and whatever
   * comes in chunks pass at once all the same; so does an answer with `X-Accel-Buffering: no`, for which its reader is waited
   * for. With false that holds for every answer.
   */
  buffering?: boolean;
  /**
   * How much of one answer nginx keeps on the host's disk for a slow client, in MB, past some 150 KB in memory. Default 256.
   * With more, the color waits for the client. With 0 nothing is on disk; on a disk that is full, a large answer is cut.
   */
  spoolMb?: number;
  /**
   * Whether the color gets an upload only when all of it is there, so that a slow one holds no worker. Default true,
   * or as `buffering` where that is set. With false it gets it as it comes, and can refuse it at once.
   */
  requestBuffering?: boolean;
  /**
   * How large, in KB, the address, each header of a request, and all headers of an answer together may be. Default 32: some
   * single sign-ons set 20 KB of cookies. Larger ones get a 414, 400 or 502. A connection takes the memory only while it needs it.
   */
  maxHeaderKb?: number;
  /**
   * How long nginx keeps an idle connection to a color, in seconds. Must be shorter than the color's own keep-alive, or a
   * request meets a connection that is just being closed, and for a POST that is a 502. Default 1: gunicorn closes after 2,
   * Node.js and uvicorn after 5, Tomcat after 20. A busy connection is never idle for a second, so a longer time gains nothing.
   */
  upstreamKeepaliveSeconds?: number;
  /**
   * Whether nginx logs every request, within a second, to `/bluegreen/access.log`. Two files, of which the former is
   * `access.log.1`, take at most `logs.maxSizeMb` times `logs.maxFiles`. Default true. They are no part of `docker logs`: while
   * Docker is down or hangs, an nginx that writes there stops answering.
   */
  accessLog?: boolean;
  /**
   * Who stands in front of nginx and ends TLS there, such as Caddy, a load balancer or Cloudflare: IP addresses, or many as in
   * `10.0.0.0/8`. From these, nginx takes the client's address (`X-Forwarded-For`: the last that is none of them), scheme
   * (`X-Forwarded-Proto`), host (`X-Forwarded-Host`) and port; of anybody else, no such header gets to the app. Default none. With
   * some, gate and preview say `https`, as users do. How: docs/proxies.md.
   */
  trustedProxies?: string[];
  /**
   * Who connects to `proxy.port` and `tls.port` by PROXY protocol (version 1 or 2), such as a load balancer that passes connections on
   * unread: IP addresses, or many as in `10.0.0.0/8`. From these, nginx takes the client's address; what anybody else says there, it
   * does not believe. Default none. With some, a connection without PROXY protocol gets no answer on these ports; the preview port
   * stays as it is. Turning it on or off is downtime until what is in front has turned, too. How: docs/proxies.md.
   */
  proxyProtocol?: string[];
  /**
   * Whether nginx compresses answers of 1 KB and more that are text (HTML, CSS, JavaScript, JSON, XML, SVG), for clients that take
   * gzip. Default false: many apps do it themselves, and such an answer is passed on as it is. It costs nginx's CPU. An answer
   * that has both a secret and what the client sent can be guessed by its length (BREACH): let the app vary that, or leave it off.
   */
  gzip?: boolean;
  /**
   * Headers that every answer of the service gets, whatever its status, such as `X-Frame-Options` and `Content-Security-Policy`; one
   * that a color sends by the same name is left out. Default none. Not what nginx itself sets (`Content-Type`, `Set-Cookie`, `Vary`
   * and their like; for `Strict-Transport-Security` there is `tls.hstsSeconds`). No value may have `$`, `"`, `\`, `<` or `>`.
   */
  responseHeaders?: { [name: string]: string };
  /**
   * Paths, as users' browsers ask for them and whole segments only, under which the idle color is asked for what the live one does not have:
   * `["/assets"]`. Who loaded a page before a flip then still gets the parts of that page. It is asked after a 404 to a GET or HEAD alone,
   * if it has passed its gate; when it has nothing either, the 404 stays. What the idle color has there is open to users, also before
   * it is released. Refused with `idle: stopped`. Default none. How: docs/how-to/old-assets.md.
   */
  sharedAssets?: string[];
  /**
   * Directives of nginx of your own, for this service's requests: `add_header`, `return`, `proxy_set_header` and others that stay
   * within them; docs/how-to/nginx-config.md lists them. They hold for users and on the preview port, not for the gate. nginx tests them
   * before they count: if it refuses one, the update fails, and the former configuration serves. Refused at once: what opens or
   * closes another block than its own, files, other places to ask, `<` and `>`. Default none.
   */
  nginxConfig?: string;
  /** How many requests a client may send, by its address. */
  rateLimit?: RateLimitArgs;
}

/**
 * How many requests a client may send, by its address: behind a proxy, by the one that `proxy.trustedProxies` tell. What is more gets a
 * 429 with `Retry-After`, from nginx, and no color sees it. The preview port, the gate and the watch's own requests have no limit.
 * Clients that share an address, as those of one company may, share its limit.
 */
export interface RateLimitArgs {
  /** How many a second, on average. Default 0: there is no limit. */
  requestsPerSecond?: number;
  /** How many more may come at once, which are answered without a delay: a page asks for all its parts together. Default 100. */
  burst?: number;
}

/** The port for HTTPS. */
export interface IngressTlsArgs {
  /** Port on the host, at the address of the plain one. Default 443. A change is downtime. */
  port?: number;
  /**
   * Folder of the Docker host that nginx gets to see, read-only: certificates from files, and all that they link to, must be in it,
   * such as `/etc/letsencrypt` for certbot's. Default: the folder of `certificateFile`; an `Ingress` has none. A service on an
   * `Ingress` has the same as that. A change makes a new nginx, without a gap.
   */
  certificateFolder?: string;
}

/**
 * HTTPS, once `names` are set: nginx ends TLS, and the plain port redirects to it. The certificate comes from one of three:
 * `certificate` with `privateKey`, `certificateFile` with `privateKeyFile`, or `acmeEmail`. One that can't be read, has
 * expired, belongs to another key or is not for all names is refused before the switch. A new one is a *reload*.
 */
export interface TlsArgs extends IngressTlsArgs {
  /** Names under which users reach the service; the certificate is for all of them. Without any there is no TLS. Turning TLS on or off is downtime. */
  names?: string[];
  /** The certificate and then its chain, in PEM form. */
  certificate?: pulumi.Input<string>;
  /** Its private key, in PEM form and without a passphrase. Make it a secret. */
  privateKey?: pulumi.Input<string>;
  /** File on the Docker host with certificate and chain, which something else renews: a new one is noticed within seconds. */
  certificateFile?: string;
  /** File on the Docker host with its private key. */
  privateKeyFile?: string;
  /**
   * Address for the account at an ACME server such as Let's Encrypt: the certificate is obtained from there after the first
   * switch, and renewed, by itself. The names must lead to port 80 of the host. Until there is a first certificate, the
   * service is on plain HTTP.
   */
  acmeEmail?: string;
  /** The address of the ACME server's directory. Default: Let's Encrypt's. A change obtains a new certificate. */
  acmeDirectory?: string;
  /** The ACME client, lego from 4.24 on. Default `goacme/lego:v4.25.2`. */
  acmeImage?: string;
  /** For how long browsers are told to insist on HTTPS, in seconds; they can't be told otherwise before. Default 0: they are not told. */
  hstsSeconds?: number;
}

/**
 * Where the Docker engine is. For an `ssh://` host only what is set here counts: no `~/.ssh/config` is read. A change of how
 * it is reached costs a *reload*: the switch runs again.
 */
export interface HostArgs {
  /**
   * Address of the engine: `unix:///var/run/docker.sock` (the default), `tcp://address:port`, or `ssh://user@address:port` for a remote host, which
   * needs nothing but Docker and an SSH server. A preview contacts it unless it is `ssh://`. Changing it is *downtime*.
   */
  address?: string;
  /**
   * Public key of an `ssh://` host, such as `ssh-ed25519 AAAA…`: `ssh-keyscan` prints it. Either this or `knownHostsFile` is
   * required there: an unknown host could be anyone.
   */
  hostKey?: string;
  /** Path of a known_hosts file that has the host's key, on the machine that runs Pulumi: absolute, or from `~/` on. */
  knownHostsFile?: string;
  /**
   * Path of a private key without a passphrase for `ssh://`, on the machine that runs Pulumi: absolute, or from `~/` on.
   * Default: the SSH agent. The key is kept in the state, encrypted; an agent's is not.
   */
  privateKeyFile?: string;
  /**
   * The private key itself, as a secret. It is kept in the state, encrypted, and since `ssh` takes a key only from a file, each
   * update writes it to `~/.bluegreen`, which only its owner can read. Default: `privateKeyFile`, or the SSH agent.
   */
  privateKey?: pulumi.Input<string>;
  /** How often an update tries to reach the host before it gives up. Default 10. */
  connectTries?: number;
  /** When such a try counts as failed, in seconds. Default 15. */
  connectTimeoutSeconds?: number;
  /** A machine that the SSH connection goes through, where the host can't be reached directly. Default: none. */
  bastion?: BastionArgs;
}

/** An SSH server that only passes connections on. It sees nothing of what goes through. */
export interface BastionArgs {
  /** Its address: `ssh://user@address:port`. */
  address: string;
  /** Its public key. Either this or `knownHostsFile` is required, as for the host. */
  hostKey?: string;
  /** Path of a known_hosts file that has its key. */
  knownHostsFile?: string;
  /** Path of a private key for it. Default: the host's key. */
  privateKeyFile?: string;
  /** A private key for it, as a secret. Default: the host's key. */
  privateKey?: pulumi.Input<string>;
}
