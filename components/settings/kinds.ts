import * as pulumi from "@pulumi/pulumi";
import { isIP } from "node:net";
import { z } from "zod";
import { problemOfPiece } from "../nginx/piece";

// The kinds of values that settings have. Each is a schema of zod: what is right, what an error says, the type, the shape in the
// stack's configuration and the values that the tests try all come from it.

export const show = (value: unknown): string =>
  pulumi.Output.isInstance(value) ? "only known during the update" : (JSON.stringify(value) ?? "missing");

/** What an error says: what is there, and what must be. */
export const must = (be: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `is missing: must be ${be}` : `is ${show(input)}, but must be ${be}`,
});
/** The same of what may be a secret: it is not shown. */
const hidden = (be: string) => ({ error: () => `must be ${be}` });

/** More than the greatest is more than some program takes. */
const GREATEST = 1_000_000_000;

export const flag = () => z.boolean(must("true or false"));

export function whole(least = 1, most = GREATEST, be = `a whole number from ${least} to ${most}`) {
  return z.number(must(be)).int(must(be)).min(least, must(be)).max(most, must(be));
}
export const wholeOrZero = () => whole(0);
export const port = () => whole(1, 65_535, "a port from 1 to 65535");

/** To curl, less than a millisecond is no limit at all. */
export const fraction = (least = 0.001, most = GREATEST) => {
  const be = `a number from ${least} to ${most}`;
  return z.number(must(be)).min(least, must(be)).max(most, must(be));
};

export const tenths = (least: number, most: number) =>
  fraction(least, most).refine(
    (value) => Number(value.toFixed(1)) === value,
    must("a number with one decimal place"),
  );

export const text = (pattern: RegExp, be: string) => z.string(must(be)).regex(pattern, must(be));

const or = new Intl.ListFormat("en", { type: "disjunction" });
export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, must(or.format(values.map(show))));
}

/** A folder or file on the Docker host, or in a container. */
export const absolutePath = () => text(/^\/[^:\0]*$/, 'an absolute path (and without ":")');

/** A file on the machine that runs Pulumi. OpenSSH is told of it in a line of configuration. */
export const localFile = () =>
  text(/^(?![^]*[\s%"'\\$])~?\/./, "a path from / or ~/ on, without spaces, quotes, % and $");

const DIGEST = "@sha256:[0-9a-f]{64}";
export const image = () =>
  text(
    new RegExp(`^[a-z0-9][\\w.:/-]*(${DIGEST})?$`),
    'the name of an image, such as "registry.example.com/shop:1.4.2", with a digest of 64 hexadecimal digits or without',
  );

const PART = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
export const IPV4 = `${PART}(\\.${PART}){3}`;
export const address = () =>
  text(new RegExp(`^${IPV4}$`), "an IPv4 address of the host, or 0.0.0.0 for all of them");

export const ipAddress = () => {
  const be = "an IP address";
  return z.string(must(be)).refine((text) => isIP(text) !== 0 && !text.includes("%"), must(be));
};

/** Of one machine or of many. All there are would be no choice. */
export const addresses = () => {
  const be = "an IP address, or many as in 10.0.0.0/8 (but not all: /0)";
  return z.string(must(be)).refine((text) => {
    const [, address, bits] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
    const version = isIP(address ?? "");
    return version !== 0 && !address.includes("%") && Number(bits ?? 1) <= (version === 4 ? 32 : 128);
  }, must(be));
};

const NAME = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
export const hostName = () =>
  text(
    new RegExp(`^(?=.{1,253}$)${NAME}(\\.${NAME})*$`),
    'a host name in small letters, and without "*" also for such a certificate',
  );

/** One, or all below one. nginx's own names are as short as those of the name servers. */
export const wildcardName = () =>
  text(
    new RegExp(`^(?=.{1,253}$)(\\*\\.)?${NAME}(\\.${NAME})*$`),
    'a host name in small letters, or "*." and one for all below it',
  );

/** Where a name leads to: nothing but the name is another one there. */
export const origin = () =>
  text(
    new RegExp(`^https?://(?=[^:]{1,253}(:|$))${NAME}(\\.${NAME})*(:[1-9]\\d{0,4})?$`),
    '"https://" or "http://" and a host name in small letters, without a path',
  );

/** Of nginx's configuration, for the service's locations. */
export const piece = () =>
  text(/^(?:[^<>\p{Cc}]|[\t\n\r])*$/u, "directives of nginx, without < and >").superRefine(
    (value, context) => {
      const message = problemOfPiece(value);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    },
  );

/** Two programs connect, and each would take another user for granted. */
const SSH = "ssh://[\\w.-]+@[\\w.-]+(:\\d+)?";
export const url = {
  ssh: () => text(new RegExp(`^${SSH}$`), "ssh://user@address:port"),
  docker: () =>
    text(
      new RegExp(`^(unix:///[^\\s]+|tcp://[\\w.:[\\]-]+|${SSH})$`),
      "unix:///path, tcp://address:port or ssh://user@address:port",
    ),
};

const isLater = (value: unknown) => pulumi.Output.isInstance(value) || value instanceof Promise;

/** What may come to be only during the update; then it is not looked at. */
export function later(plain: z.ZodType<string>) {
  return z.custom<pulumi.Input<string>>().superRefine((value, context) => {
    if (isLater(value)) return;
    for (const { message } of plain.safeParse(value).error?.issues ?? [])
      context.addIssue({ code: "custom", message });
  });
}
/** A text that is a secret when it is set as one. */
export const openText = () => later(z.string(hidden("text"))).meta({ secret: "where it is set as one" });
/** One that always is. */
export const secret = () =>
  later(z.string(hidden("text")).min(1, hidden("text that is not empty"))).meta({ secret: "always" });
/** What fits in one line of a request. */
export const isOneLine = (value: string): boolean => /^\P{Cc}{1,8000}$/u.test(value);
const ONE_LINE = "one line of at most 8000 characters, and not empty";
/** A text of one line that is a secret when it is set as one. */
export const openLine = () =>
  later(z.string(hidden(ONE_LINE)).refine(isOneLine, hidden(ONE_LINE))).meta({
    secret: "where it is set as one",
  });
export const secrecyOf = (kind: z.core.$ZodType): unknown => z.globalRegistry.get(kind)?.secret;

/** Names and values of one's own. The names are looked at, with a word about them each. */
export const named = <T extends z.ZodType>(name: z.ZodType<string>, value: T) =>
  z.record(name as z.ZodString, value, must("an object"));

export const list = <T extends z.ZodType>(element: T) => z.array(element, must("a list"));
