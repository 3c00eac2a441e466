import { execFileSync } from "node:child_process";
import type { Color } from "../components/settings";

import { inspect } from "../tests/support/docker";
import { get } from "../tests/support/http";
import { until } from "../tests/support/running";
import { CPUS } from "./lab";

/** Something that serves the app, and what has to be known to measure it. */
export interface Contestant {
  name: string;
  /** The load enters the network of this container and asks 127.0.0.1. */
  front: string;
  port: number;
  /** The containers that stand between load and app. */
  proxySide: string[];
  /** What is asked by HTTPS, on port 443. */
  secure?: Pick<Contestant, "front" | "proxySide">;
  /** The cores of the load generator. */
  loadCpus: string;
  /** Makes it ready for its turn, with blue live. */
  prepare?: () => Promise<unknown>;
  /** Moves the traffic, as a user would; ends when the command ends. */
  flip?: (to: Color) => Promise<unknown>;
}

/** A proxy on port 80 of one container, and with `https` on its port 443. */
export function proxyIn(
  container: string,
  { https = false, ...rest }: Pick<Contestant, "name" | "prepare" | "flip"> & { https?: boolean },
): Promise<Contestant> {
  const asked = { front: container, proxySide: [container] };
  return ready({ ...asked, port: 80, secure: https ? asked : undefined, loadCpus: CPUS.others, ...rest });
}

/** Waits until the contestant answers. */
export async function ready(contestant: Contestant): Promise<Contestant> {
  const { front, port, name } = contestant;
  const { Networks } = (await inspect(front)).NetworkSettings;
  const [{ IPAddress }] = Object.values(Networks) as { IPAddress: string }[];
  const answers = async () => (await get(`http://${IPAddress}:${port}/`, 2000)).status === 200;
  try {
    await until(
      () => `${name} answers`,
      () => answers().catch(() => false),
    );
  } catch (error) {
    const log = execFileSync("sh", ["-c", 'docker logs --tail 20 "$0" 2>&1', front], { encoding: "utf8" });
    throw new Error(`${(error as Error).message}\nThe log of its container:\n${log}`, { cause: error });
  }
  return contestant;
}
