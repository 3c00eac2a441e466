import { execFileSync } from "node:child_process";
import type { Color } from "../components/settings";

import { inspect } from "../tests/support/docker";
import { get } from "../tests/support/http";
import { until } from "../tests/support/running";
import { CPUS } from "./lab";

/** Where load goes. */
export interface Front {
  /** The load enters the network of this container and asks 127.0.0.1. */
  container: string;
  port: number;
  /** The containers that stand between load and app. */
  proxySide: string[];
}

/** Something that serves the app, and what has to be known to measure it. */
export interface Contestant {
  name: string;
  http: Front;
  /** Takes both HTTP/1.1 and HTTP/2. */
  https?: Front;
  /** The cores of the load generator. */
  loadCpus: string;
  /** Makes it ready for its turn, with blue live. */
  prepare?: () => Promise<unknown>;
  /** Moves the traffic, as a user would; ends when the command ends. */
  flip?: (to: Color) => Promise<unknown>;
}

/** A proxy on port 80 of one container, and on 443 if it has TLS. */
export function proxyIn(
  container: string,
  { tls = false, ...rest }: Pick<Contestant, "name" | "prepare" | "flip"> & { tls?: boolean },
): Promise<Contestant> {
  const on = (port: number): Front => ({ container, port, proxySide: [container] });
  return ready({ http: on(80), https: tls ? on(443) : undefined, loadCpus: CPUS.others, ...rest });
}

/** Waits until the contestant answers. */
export async function ready(contestant: Contestant): Promise<Contestant> {
  const { name } = contestant;
  const { container, port } = contestant.http;
  const { Networks } = (await inspect(container)).NetworkSettings;
  const [{ IPAddress }] = Object.values(Networks);
  const answers = async () => (await get(`http://${IPAddress}:${port}/`, 2000)).status === 200;
  try {
    await until(
      () => `${name} answers`,
      () => answers().catch(() => false),
    );
  } catch (error) {
    const log = execFileSync("sh", ["-c", 'docker logs --tail 20 "$0" 2>&1', container], {
      encoding: "utf8",
    });
    throw new Error(`${(error as Error).message}\nThe log of its container:\n${log}`, { cause: error });
  }
  return contestant;
}
