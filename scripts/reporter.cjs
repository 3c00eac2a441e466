// mocha's `spec` on the screen, and the result in the file that MOCHA_RESULT names: the counts, and what failed why.
const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      const failed = this.failures.map((test) => ({
        title: test.fullTitle(),
        message: test.err?.message ?? "",
      }));
      writeFileSync(process.env.MOCHA_RESULT, JSON.stringify({ passes, failures, pending, failed }));
    });
  }
};
