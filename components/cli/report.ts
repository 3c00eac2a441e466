// Types only: what the parts of the command line hand to each other, and what `--json` prints.
import type { Color } from "../settings/color";

/** What `bluegreen status --json` prints for each service. */
export interface Report {
  service: string;
  /** PROJECT/STACK. */
  stack: string;
  inOrder: boolean;
  drift: Drift[];
  /** What they notice, in words. */
  users: string;
  urls: Urls;
  servedThrough: "nginx" | "edge" | "nobody";
  live?: Side;
  idle?: Side;
  /** As far back as the journal goes. */
  liveSince?: string;
  /** Those that should run, which belong to the live color. */
  workers: { name: string; container: string; image?: string; state: string }[];
  /** What the live color answered to the gate's request; `container`: which one, of several the first that is not well. */
  health?: { ok: boolean; answer: string; container?: string };
  configHash: { stack?: string; served?: string };
  /** Of a switch that is running, or was killed and not settled yet. */
  intent?: Entry;
  /** The newest last. */
  journal: Switch[];
  /** The name of nginx's container. */
  nginx?: string;
  /** Those that the stack knows; `status` is missing where Docker does not have it. */
  containers: (Pick<Container, "id" | "name" | "role"> & Partial<Container>)[];
}

export interface Drift {
  kind: string;
  what: string;
  /** As in the report. */
  users: string;
  heal: string;
}

/** Where the colors answer, once an edge has been made. */
export interface Urls {
  live?: string;
  preview?: string;
}

export interface Side {
  color: Color;
  container: string;
  image?: string;
  state: string;
  /** Its further containers, where it has several (`replicas`). */
  peers: { container: string; state: string }[];
}

/** What components/shell/in-nginx/uploaded/journal.sh writes. */
export interface Entry {
  at?: string;
  by?: string;
  stack?: string;
  kind?: string;
  /** Empty before the first release. */
  from?: Color | "";
  to?: Color;
  blue?: string;
  green?: string;
  /** What a new nginx runs. */
  image?: string;
  config?: string;
  /** Not known of a switch that was killed. */
  seconds?: number;
  /** For how many of these users got 503. */
  downtime?: number;
  outcome?: string;
}

/** An entry of the journal with what only those before it tell. */
export interface Switch extends Entry {
  /** The image that its color had before, if that was another. */
  was?: string;
  /** It has left the site as it was. */
  again?: boolean;
}

export interface Container {
  id: string;
  name: string;
  role: string;
  image: string;
  status: string;
  exitCode: number;
  outOfMemory: boolean;
  restarts: number;
  startedAt: string;
  finishedAt: string;
  /** Why Docker could not start it; empty if it could. */
  error: string;
}

/** A BlueGreenService as its stack's state has it. */
export interface Service {
  name: string;
  stack: string;
  /** PROJECT/STACK/COMPONENT of its first update, and its id, if it has one: what the labels say. */
  identity: { path: string; id?: string };
  host: string;
  sshOptions: string[];
  urls: Urls;
  /** `worker`: the name of the one that it is for. */
  containers: { role: string; id: string; name: string; replaced: boolean; worker?: string }[];
  /** What the last move of workers that passed was told: what should run of them. */
  workers: { name: string; container: string }[];
  pending: string[];
  /** What the last switch and the last idle gate that passed were told. */
  switch?: { urns: string[]; settingsFunction: string; values: { [name: string]: string } };
}

/** What one nginx says of itself and of the state volume (components/shell/in-nginx/piped/status.sh). */
export interface Facts {
  id: string;
  owner: string;
  listens: boolean;
  lock_held: boolean;
  lock_holder: string;
  intent?: Entry;
  files: string;
  running: string;
  site: string;
  health_code?: string;
  /** As the gate judges it (components/shell/in-nginx/piped/probe.sh), and what came, in words. */
  healthy?: boolean;
  health_answer?: string;
  /** Which container of the live color gave it: of several, the first that is not well. */
  health_from?: string;
  journal: Entry[];
  /** Each nginx that took over. */
  nginxes: Entry[];
}

/** What is there. An nginx that does not run says nothing. */
export interface Observed {
  containers: Container[];
  /** The name of nginx's container: of the service's own ingress, or of the shared one. */
  nginx?: string;
  edge?: Facts | { error: string };
  proxy?: Facts | { error: string };
}
