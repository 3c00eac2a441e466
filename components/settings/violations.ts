import * as pulumi from "@pulumi/pulumi";

/** One thing that is wrong: where, and why. */
export interface Violation {
  propertyPath: string;
  reason: string;
}

export function refuse(name: string, violations: Violation[]): void {
  if (violations.length > 0) throw refusal(name, violations);
}

/** One error with every violation. */
export function refusal(name: string, violations: Violation[]): Error {
  const error = new pulumi.InputPropertiesError({
    message: violationsInWords(name, violations),
    errors: violations,
  });
  // Both in one: other languages are told the paths, and a program prints it without a stack.
  return Object.assign(error, new pulumi.RunError());
}

export function violationsInWords(name: string, violations: Violation[]): string {
  const list = violations.map((v) => `  ${v.propertyPath}: ${v.reason}`).join("\n");
  return `${name}: ${violations.length} invalid setting(s). Nothing was changed.\n${list}`;
}

/** As `pulumi config set --path` takes it. */
export const pathOf = (steps: readonly PropertyKey[]): string =>
  steps
    .map((step, i) => {
      if (typeof step === "number") return `[${step}]`;
      const name = String(step);
      return /^[A-Za-z_]\w*$/.test(name) ? `${i > 0 ? "." : ""}${name}` : `[${JSON.stringify(name)}]`;
    })
    .join("");
