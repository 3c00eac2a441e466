import assert from "node:assert/strict";
import fc from "fast-check";
import { findViolations } from "../../components/settings";
import { validArgs } from "../unit/valid";
import { CASE, greatest, refusals } from "./rendered";

const CASES = Number(process.env.BLUEGREEN_CASES ?? 200);

describe("nginx takes the site", () => {
  it(`of any settings that are not refused: ${CASES}`, () => {
    fc.assert(
      fc.property(fc.array(CASE, { minLength: CASES, maxLength: CASES }), (cases) => {
        assert.equal(refusals(cases), "");
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });

  it("and what is generated here is not refused", () => {
    fc.assert(
      fc.property(validArgs, greatest, (args, proxy) => {
        assert.deepEqual(findViolations({ ...args, proxy: { ...args.proxy, ...proxy } }), []);
      }),
    );
  });

  it("but not any text", () => {
    const [one] = fc.sample(CASE, 1);
    const broken = {
      ...one,
      settings: { ...one.settings, proxy: { ...one.settings.proxy, maxBodySize: "1; x" } },
    };
    assert.match(
      refusals([broken]),
      /^case 0 staged:\n.*unknown directive "x"[^]*\ncase 0 committed:\n.*unknown directive "x"/,
    );
  });
});
