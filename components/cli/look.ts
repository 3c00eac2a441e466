import { compare } from "./compare";
import { observe } from "./observe";
import type { Report, Service } from "./report";
import { servicesOf, type WhichStack } from "./stack";

export interface Found {
  service: Service;
  report: Report;
}

/** What status tells of every service of the stack, with what it was told from. */
export const look = async (which: WhichStack): Promise<Found[]> =>
  Promise.all((await servicesOf(which)).map(lookAt));

export const lookAt = async (service: Service): Promise<Found> => ({
  service,
  report: compare(service, await observe(service)),
});

/** What is true for users after a command that failed, in a sentence for its message. */
export async function whatIsServed(which: WhichStack): Promise<string> {
  try {
    const found = await look(which);
    return found.map(({ report: { service, users } }) => `Users of ${service} now: ${users}.`).join(" ");
  } catch {
    return "What users get now can't be told: `npx bluegreen status` says why.";
  }
}
