/**
 * Whether this is the short form, which CI runs (.ci/run): what takes a minute and shows what another test shows in another way is
 * left out, and counted as skipped.
 */
export const isShort = process.env.BLUEGREEN_SHORT !== undefined;
export const itInFull = isShort ? it.skip : it;
