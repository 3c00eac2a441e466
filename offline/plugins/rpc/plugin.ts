import type { Props } from "./values.ts";

export interface Failure {
  property: string;
  reason: string;
}

export interface Checked {
  inputs: Props;
  failures: Failure[];
}

export type ChangeKind = "add" | "delete" | "update";

export interface Diff {
  /** By top-level property. */
  changes: Record<string, { kind: ChangeKind; replace: boolean }>;
  deleteBeforeReplace: boolean;
  /** Whether the old values the CLI shows are the old inputs rather than the old outputs. */
  comparesInputs: boolean;
}

export interface Call {
  urn: string;
  /** The last part of the URN. */
  name: string;
  preview: boolean;
  /** Aborted by `pulumi cancel`, a second Ctrl-C, or the resource's custom timeout. */
  signal: AbortSignal;
  /** Writes to the resource's line on the screen; `status` lines are not kept. */
  log(severity: "info" | "status" | "warning" | "error", message: string): void;
  /** All that was logged has arrived. */
  logged(): Promise<void>;
}

export interface Naming {
  /** Stays the same between a preview and its update. */
  seed: Uint8Array;
  mode?: "propose" | "enforce" | "disable";
  proposed?: string;
}

export interface Existing {
  id: string;
  /** The outputs as last saved. */
  state: Props;
  /** The inputs as last saved. */
  inputs: Props;
}

/** What a resource does. Values are plain: the engine keeps track of what is secret. */
export interface Resource {
  check(news: Props, olds: Props | undefined, naming: Naming, call: Call): Checked;
  diff(old: Existing, news: Props): Diff;
  create(news: Props, call: Call): Promise<{ id: string; state: Props }>;
  /** Undefined: it no longer exists. */
  read(old: Existing, call: Call): Promise<Existing | undefined>;
  update(old: Existing, news: Props, call: Call): Promise<Props>;
  delete(old: Existing, call: Call): Promise<void>;
}

export interface Plugin {
  name: string;
  version: string;
  resources: Record<string, Resource>;
  functions?: Record<string, (args: Props) => Promise<Props>>;
  checkConfig(news: Props): Checked;
  configure(config: Props): void | Promise<void>;
}

/** A resource that was created or changed, but doesn't work: the engine saves it, and says why. */
export class InitError extends Error {
  override readonly name = "InitError";
  readonly id: string;
  readonly state: Props;

  constructor(id: string, state: Props, message: string) {
    super(message);
    this.id = id;
    this.state = state;
  }
}
