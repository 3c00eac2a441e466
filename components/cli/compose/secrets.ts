import type { Findings } from "./findings";
import type { Place } from "./problem";

// What is not printed.

/** Names of what nobody else may know. */
const SECRET =
  /(PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|SIGNING|ENCRYPTION|SALT|DSN|OTP|JWT|_PW|_PWD|_KEY|_PEPPER)(_BASE|_BASE64|_OLD|_\d+)?$|^KEY$|(SECRET|PASSWORD|PRIVATE|ENCRYPTION|API)_?KEY/i;
/** Such as postgres://shop:hunter2@db/shop. */
const WITH_PASSWORD = /[a-z][\w+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

export function isSecret(name: string, value: string): boolean {
  if (WITH_PASSWORD.test(value) || value.includes("-----BEGIN ")) return true;
  if (value === "" || /^(true|false|yes|no|on|off|\d{1,5})$/i.test(value)) return false;
  // A path or an address of a secret is none.
  return SECRET.test(name) && !/(_FILE|_PATH|_URL|_HOST)$/.test(name);
}

/** Words that hold one: by what they are, or since Docker Compose puts the value of a secret variable there. */
export const holdsSecret = (words: string[], { secrets }: { secrets: Set<string> }): boolean =>
  words.some((word) => isSecret("", word) || [...secrets].some((secret) => word.includes(secret)));

export const leaveSecret = (findings: Findings, from: Place): void =>
  findings.leave(
    from,
    "has a secret in it, which is not printed",
    "let it read a variable that the container has: $$NAME in a shell's line.",
  );
