import assert from "node:assert/strict";
import { useBrowser } from "../support/browser";
import { type TestStack } from "../support/stack";
import { losesNothing, useShop } from "./services";

describe("Vite: a page whose assets have hashes, from a static server", () => {
  const { second, stack } = useShop("vite");
  const browser = useBrowser();
  /** A page that somebody has open: which version it is, and what it says after a click that loads a part of it. */
  const open = async () => {
    const { page, faults } = await browser.open(stack.url);
    return {
      version: await page.textContent("#version"),
      async click() {
        await page.click("#about");
        const about = page.locator(".about");
        await about.waitFor();
        assert.deepEqual(faults, []);
        // Style and image have come, too.
        assert.equal(await about.evaluate((part) => getComputedStyle(part).color), "rgb(1, 2, 3)");
        assert.equal(
          await about.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth),
          16,
        );
        return about.textContent();
      },
      reload: async () => {
        await page.reload();
        assert.deepEqual(faults, []);
        return page.textContent("#version");
      },
    };
  };
  type Open = Awaited<ReturnType<typeof open>>;

  it("up: the first release", async () => {
    await stack.up();
    const page = await open();
    assert.equal(page.version, "1.0.0");
    assert.equal(await page.click(), "About the shop 1.0.0");
    await stack.expectNoChange();
  });

  it("a release to the idle color loses no request, and no open page", async () => {
    const page = await open();
    await stack.set({ green: { image: second } });
    await losesNothing(stack.port, () => stack.up(), await assetsOf(stack));
    assert.equal(await page.click(), "About the shop 1.0.0");
  });

  let [ofFirst, ofSecond]: Open[] = [];

  it("a flip: a page of before still gets its parts, and is of the new version when it is loaded again", async () => {
    ofFirst = await open();
    await stack.set({ activeColor: "green" });
    await losesNothing(stack.port, () => stack.up(), await assetsOf(stack));
    assert.equal(await ofFirst.click(), "About the shop 1.0.0");
    // At the path of what was clicked.
    assert.equal(await ofFirst.reload(), "1.1.0");
  });

  it("nor does a rollback break a page of the version that was taken back", async () => {
    ofSecond = await open();
    assert.equal(ofSecond.version, "1.1.0");
    await stack.set({ activeColor: "blue" });
    await losesNothing(stack.port, () => stack.up(), await assetsOf(stack));
    assert.equal(await ofSecond.click(), "About the shop 1.1.0");
    assert.equal(await ofSecond.reload(), "1.0.0");
  });

  it("what no version has is a 404, and any other path the page", async () => {
    assert.equal((await stack.live("/assets/none.js")).status, 404);
    assert.match((await stack.live("/about")).body, /<title>Shop/);
  });
});

/** What a visitor of the page of now loads; asked all the time, also when the version is another one. */
async function assetsOf(stack: TestStack) {
  const { body } = await stack.live();
  const assets = [...body.matchAll(/(?:src|href)="(\/assets\/.*?)"/g)].map(([, path]) => path);
  assert.equal(assets.length, 2);
  return { requests: ["/", ...assets].map((path) => ({ method: "GET" as const, path })) };
}
