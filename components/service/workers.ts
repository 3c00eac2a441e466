import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { createContainer, type Colors } from "./color";
import { named } from "./switch";
import { runOnHost } from "../host/command";
import type { Context } from "../context";
import { renderWorkersInput } from "../release/switchInput";
import { WITHOUT_CHECK } from "../rights";
import { COLORS, type Color } from "../settings";

interface Made {
  color: Color;
  worker: string;
  made: docker.Container;
}

/** A container for each worker of each color. What is stopped at its turn has to stay stopped, so there is one restart policy for them. */
export function createWorkers(
  context: Context,
  networks: pulumi.Input<string>[],
  before: pulumi.Resource[],
): Made[] {
  return COLORS.flatMap((color) =>
    Object.entries(context.settings.colors[color].workers).map(([worker, settings]) => {
      const { command, memoryMb, cpus, env, stopGraceSeconds } = settings;
      const made = createContainer(context, color, networks, before, {
        name: `${color}-${worker}`,
        role: "worker",
        labels: { "bluegreen.worker": worker, "bluegreen.color": color },
        restart: "unless-stopped",
        ...{ command, memoryMb, cpus, env, stopGraceSeconds },
        ...WITHOUT_CHECK,
      });
      return { color, worker, made };
    }),
  );
}

/**
 * The command that moves them to the live color. It runs after each switch, since who is live may have changed, and when the live color's
 * ones have new containers.
 */
export function moveWorkers(
  context: Context,
  colors: Colors,
  workers: Made[],
  switched: pulumi.CustomResource,
): pulumi.Resource[] {
  if (workers.length === 0) return [];
  const live = context.settings.activeColor;
  const own = workers.filter(({ color }) => color === live);
  const names = Object.fromEntries(own.map(({ worker, made }) => [worker, made.name]));
  const args = {
    stdin: pulumi
      .all([named(context), colors[live][0].name, pulumi.output(names)])
      .apply(([whose, container, names]) =>
        renderWorkersInput({ ...whose, settings: context.settings }, container, names),
      ),
    triggers: [switched.id, ...own.map(({ made }) => made.id)],
  };
  return [runOnHost(context, "workers", args, [switched, ...workers.map(({ made }) => made)])];
}
