import type { Settings } from "../settings";

export interface Asked {
  health: Pick<Settings["health"], "kind" | "path" | "port" | "command">;
}

/** What the gate asks, in words: after "the answer to" and "passes in a row on". */
export function asked({ health }: Asked): string {
  const { kind, path, port, command = [] } = health;
  switch (kind) {
    case "http":
      return port === undefined ? `GET ${path}` : `GET ${path} on port ${port}`;
    case "tcp":
      return `a connection to ${port === undefined ? "its port" : `port ${port}`}`;
    case "command":
      return `the command ${command.join(" ").replace(/\s+/g, " ")}`;
    case "image":
      return "the image's HEALTHCHECK";
  }
}
