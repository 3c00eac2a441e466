import type { Health } from "../settings";

/** What the gate asks, in words: after "an answer to" and "passes in a row on". */
export function asked({ health: { path, port } }: { health: Pick<Health, "path" | "port"> }): string {
  return port === undefined ? `GET ${path}` : `GET ${path} on port ${port}`;
}
