import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { HealthArgs } from "../../components/settings/args";
import { useLiveService } from "./service";

/** This file may come to be neither on the host nor in the container. */
const PWNED = `/tmp/bgproxy-pwned-${randomBytes(4).toString("hex")}`;

const TEXTS: [string, string][] = [
  ["spaces", "two  words, and a tail "],
  ["quotes", `it's "quoted" ''`],
  ["dollars", `$HOME \${PATH} $(touch ${PWNED}) $$`],
  ["newlines", "first\nsecond\n\nlast"],
  ["backticks", `\`touch ${PWNED}\``],
  ["a way out of single quotes", `'; touch ${PWNED}; '`],
  ["the end of a here-document", `\nEOF\n}\ntouch ${PWNED}\n: `],
  ["patterns", "*[a-z]?* ok"],
  ["backslashes", "\\ \\\\ \\n"],
  ["options and comments", "-n # no"],
];

describe("a value of the settings stays data", () => {
  const service = useLiveService();

  afterEach(async () => {
    assert.equal(existsSync(PWNED), false, "it ran on the host");
    await service.inProxy("test", "!", "-e", PWNED);
  });

  /** A flip to a new version with this answer. */
  async function gate(body: string, lockHolder: string, health: HealthArgs) {
    const live = await service.live();
    const color = live === service.containers.blue ? "green" : "blue";
    const former = service.containers[color];
    const candidate = await service.app(color, "ok", body);
    const { code, output } = await service.switch(color, { lockHolder, health, drainSeconds: 0 });
    assert.equal(await service.live(), code === 0 ? candidate : live, output);
    if (code !== 0) service.containers[color] = former;
    return { code, output };
  }

  for (const [what, text] of TEXTS) {
    it(`with ${what}`, async () => {
      const inJson = await gate(JSON.stringify({ [text]: text }), text, { jsonField: text, jsonValue: text });
      assert.equal(inJson.code, 0, inJson.output);
      const holder = await service.inProxy("cat", "/bluegreen/state/services/shop/lock.holder");
      assert.ok(holder.startsWith(`${text} since `), holder);
      const asText = await gate(`before ${text} after`, text, { bodyText: text });
      assert.equal(asText.code, 0, asText.output);
      const other = await gate(`before ${text} after`, text, { bodyText: `${text}x`, gateTimeoutSeconds: 2 });
      assert.equal(other.code, 1, other.output);
      assert.match(other.output, /Last answer to GET \/health: HTTP 200 before /);
    });
  }
});
