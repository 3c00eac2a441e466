import * as grpc from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import pb from "@pulumi/pulumi/proto/engine_pb.js";

export type Severity = "info" | "status" | "warning" | "error";

export interface Log {
  write(urn: string, severity: Severity, message: string): void;
  written(): Promise<void>;
}

/** Messages to the engine, one after another so that lines keep their order. */
export function connectLog(address: string | undefined): Log {
  if (address === undefined) return { write: () => undefined, written: () => Promise.resolve() };
  const engine = new engineServices.EngineClient(address, grpc.credentials.createInsecure());
  let last: Promise<void> = Promise.resolve();

  return {
    write(urn, severity, message) {
      const request = new pb.LogRequest();
      request.setUrn(urn);
      request.setMessage(message);
      request.setEphemeral(severity === "status");
      request.setSeverity(severities[severity]);
      // A line that can't be shown must not fail the resource.
      last = last.then(() => new Promise((resolve) => engine.log(request, () => resolve())));
    },
    written: () => last,
  };
}

const severities = {
  info: pb.LogSeverity.INFO,
  status: pb.LogSeverity.INFO,
  warning: pb.LogSeverity.WARNING,
  error: pb.LogSeverity.ERROR,
};
