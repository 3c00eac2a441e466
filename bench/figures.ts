import type { Flips, Kind, Throughput } from "./measure";
import type { Update } from "./updates";

/** What one contestant's turn in a round gave. */
export interface Turn {
  /** By HTTPS only of those that can. */
  throughput: { [kind in Kind]?: Throughput };
  flips?: Flips;
  residentMb?: number;
}

/** All that a run has measured. */
export interface Figures {
  date: Date;
  machine: string;
  /** The load average when the run began: above zero, something else was using the machine. */
  loadBefore: number;
  toolchain: string;
  wrkSeconds: number;
  /** By contestant, in the order of the table; one turn for each round. */
  turns: Map<string, Turn[]>;
  /** A round's no-op and flip. */
  updates: { same: Update; flip: Update }[];
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
export const KAMAL = "kamal-proxy";
