/** A failure whose message is meant for the user as it is, without a stack trace. */
export class Failure extends Error {}

export function say(text: string): void {
  console.log(`==> ${text}`);
}
