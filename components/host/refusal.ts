import * as pulumi from "@pulumi/pulumi";

/** An error that a value waits for, shown to the user with these words alone. */
export function refusal(message: string): pulumi.RunError {
  // On its way to the user, the SDK would put the name of each property that waited for it before the message.
  return Object.defineProperty(new pulumi.RunError(message), "message", {
    get: () => message,
    set: () => {},
  });
}
