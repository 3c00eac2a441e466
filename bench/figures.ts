import type { Flips, Throughput } from "./measure";
import type { ServicesTurn } from "./services";
import type { Update } from "./updates";

/** The kinds of load: what is spoken, and whether a connection is kept or used for one request. */
export const LOADS = {
  kept: { protocol: "http", connections: "kept" },
  fresh: { protocol: "http", connections: "new" },
  tlsKept: { protocol: "https", connections: "kept" },
  tlsFresh: { protocol: "https", connections: "new" },
  h2Kept: { protocol: "h2", connections: "kept" },
  h2Fresh: { protocol: "h2", connections: "new" },
} as const;
export type LoadName = keyof typeof LOADS;
export type Protocol = (typeof LOADS)[LoadName]["protocol"];

/** What one contestant's turn in a round gave. */
export interface Turn {
  loads: { [load in LoadName]?: Throughput };
  flips?: Flips;
  residentMb?: number;
}

/** When and where something was measured. */
export interface Occasion {
  date: Date;
  machine: string;
  /** The load average when the run began: above zero, something else was using the machine. */
  loadBefore: number;
}

/** What sharing an ingress costs: of the whole run, or measured without the rest (`--only=services`). */
export interface ServicesFigures extends Occasion {
  turns: ServicesTurn[];
}

/** All that a run has measured. */
export interface Figures extends Occasion {
  toolchain: string;
  wrk: string;
  wrkSeconds: number;
  /** By contestant, in the order of the table; one turn for each round. */
  turns: Map<string, Turn[]>;
  /** A round's no-op and flip. */
  updates: { same: Update; flip: Update }[];
  services: ServicesFigures;
  /** Why somebody did not take part. */
  absent: string[];
}

/** The middle of several rounds, and the ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/** A load average above this says that the machine does something else too. */
export const BUSY = 0.5;

export const BARE = "bare nginx";
export const BARE_LOGGING = "bare nginx, with a log";
export const PROJECT = "this project";
export const PROJECT_SILENT = "this project, accessLog: false";
export const HAPROXY = "HAProxy";
export const KAMAL = "kamal-proxy";
