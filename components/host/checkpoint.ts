import * as pulumi from "@pulumi/pulumi";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { known } from "../release/decisions";
import { readState } from "../release/former";

/**
 * Makes the engine write its state in the middle of an update. What the refresh of 'pulumi up --refresh' found is in the
 * engine's memory only, until something is written; the state that a program can read is the one from before. New outputs of
 * a component are written, and are no change of a resource.
 */
export class Checkpoint extends pulumi.ComponentResource {
  private settle!: (outputs: { written?: string }) => void;

  constructor(name: string, owner: pulumi.Resource) {
    super("bluegreen:index:Checkpoint", name, {}, { parent: owner });
    const outputs = new Promise<{ written?: string }>((resolve) => (this.settle = resolve));
    this.registerOutputs(outputs);
  }

  /** Without a write. Either has to be called, or the update would wait for it. */
  skip(): void {
    this.settle({});
  }

  async write(): Promise<void> {
    const written = randomUUID();
    this.settle({ written });
    const urn = (await known(this.urn)) ?? "";
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(50)) {
      if ((await readState())[urn]?.outputs?.written === written) return;
    }
    throw new Error("the engine did not write its state within 30 s");
  }
}
