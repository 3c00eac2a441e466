import { chromium, type Browser, type Page } from "playwright-core";
import { execFileSync } from "node:child_process";

/**
 * Chromium without a window, for the tests of a `describe`; `name` leads to this machine. Its pages fail the test that asks
 * for their errors.
 */
export function useBrowser(name = "localhost") {
  let browser: Browser | undefined;
  before(async () => {
    const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
    // Root can have no sandbox. Nobody is to be asked for updates.
    const args = ["--no-sandbox", "--disable-quic", `--host-resolver-rules=MAP ${name} 127.0.0.1`];
    browser = await chromium.launch({ executablePath, args });
  });
  after(() => browser?.close());
  return {
    /** Of a visitor of its own, with the list of all that goes wrong there. */
    async open(url: string): Promise<{ page: Page; faults: string[] }> {
      if (browser === undefined) throw new Error("there is no browser yet");
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      page.setDefaultTimeout(20_000);
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("requestfailed", (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`));
      page.on(
        "response",
        (response) => response.status() >= 400 && faults.push(`${response.status()} ${response.url()}`),
      );
      await page.goto(url);
      return { page, faults };
    },
  };
}
