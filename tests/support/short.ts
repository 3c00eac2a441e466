/** Whether this is the short form, which CI runs (.ci/run). It skips tests that take a minute and resemble others, and counts them. */
export const isShort = process.env.BLUEGREEN_SHORT !== undefined;
export const itInFull = isShort ? it.skip : it;
