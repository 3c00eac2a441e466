import { Failure } from "../failure";
import { pathOf } from "../../settings/violations";

/** A place in a compose file, such as ["services", "web", "ports", 0]. */
export type Place = readonly (string | number)[];

/** What is wrong in a file, where, and what to do next. */
export interface Problem {
  place: Place;
  line?: number;
  reason: string;
  /** What to do next. */
  next: string;
}

/** Everything that is wrong at once. Nothing is printed beside it. */
export class ImportError extends Failure {
  constructor(file: string, problems: Problem[]) {
    const each = problems.map(
      ({ place, line, reason, next }) => `  ${inWords(place, line)}${reason}\n    What to do next: ${next}`,
    );
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`${file}: ${count}. No settings were printed.\n${each.join("\n")}`);
  }
}

const inWords = (place: Place, line: number | undefined): string => {
  const where = pathOf(place);
  if (line === undefined) return where === "" ? "" : `${where}: `;
  return where === "" ? `line ${line}: ` : `${where} (line ${line}): `;
};
