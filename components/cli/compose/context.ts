import type { Tree } from "./file";
import type { Findings } from "./findings";
import type { Place } from "./problem";
import type { Project } from "./project";

/** What the command line says beside the compose file. */
export interface Wishes {
  image?: string;
  containerPort?: number;
  /** Whose Redis the colors have: the component's own, or that of the compose project. */
  redis?: "own" | "keep";
}

/** A service that is being read. */
export interface Context {
  findings: Findings;
  project: Project;
  name: string;
  service: Tree;
  wishes: Wishes;
  /** Ends the import. */
  refuse: (from: Place, reason: string, next: string) => never;
}
