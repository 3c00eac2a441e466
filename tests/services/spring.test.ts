import assert from "node:assert/strict";
import { useBrowser } from "../support/browser";
import { docker } from "../support/docker";
import { gatewayOf, losesNothing, useShop } from "./services";

describe("Spring Boot: an actuator on its own port, sessions in Redis", () => {
  const { second, stack } = useShop("spring");
  const browser = useBrowser();
  let visitor: Awaited<ReturnType<typeof browser.open>>;
  const cart = () => visitor.page.textContent("#cart");
  const add = async () => {
    await visitor.page.click("button");
    await visitor.page.waitForLoadState();
    return cart();
  };

  it("up: the first release; the gate asks the actuator, which no user reaches", async () => {
    const { output } = await stack.up();
    assert.match(output, /blue passed 2 of 2: HTTP 200 .*UP/);
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.0.0" });
    const { status } = await stack.live("/actuator/health");
    assert.equal(status, 404);
    await stack.expectNoChange();
  });

  it("a user signs in, as the app has it: a redirect, a form, a cookie", async () => {
    visitor = await browser.open(`${stack.url}/cart`);
    assert.equal(visitor.page.url(), `${stack.url}/login`);
    await visitor.page.fill("#username", "ada");
    await visitor.page.fill("#password", "lovelace");
    await visitor.page.click("button");
    await visitor.page.waitForURL(`${stack.url}/cart*`);
    assert.equal(await add(), "ada has 1 in version 1.0.0");
  });

  it("the app knows the client's address and its own", async () => {
    const { body } = await stack.live("/seen");
    const seen = JSON.parse(body) as { client: string; url: string };
    assert.deepEqual(seen, { client: await gatewayOf(stack), url: `${stack.url}/seen` });
  });

  it("a release to the idle color, with variables of its own, loses no request", async () => {
    await stack.set({ green: { image: second, env: { PEPPER: "hot" } } });
    await losesNothing(stack.port, () => stack.up());
    assert.deepEqual(await stack.serving(), { live: "blue 1.0.0", idle: "green 1.1.0" });
    const pepper = ({ body }: { body: string }) => (JSON.parse(body) as { pepper: string }).pepper;
    assert.deepEqual([pepper(await stack.live()), pepper(await stack.idle())], ["mild", "hot"]);
  });

  it("a flip loses no request, and nobody has to sign in again", async () => {
    await stack.set({ activeColor: "green" });
    await losesNothing(stack.port, () => stack.up());
    assert.equal(await add(), "ada has 2 in version 1.1.0");
  });

  it("nor does a rollback", async () => {
    await stack.set({ activeColor: "blue" });
    await losesNothing(stack.port, () => stack.up());
    assert.equal(await add(), "ada has 3 in version 1.0.0");
  });

  it("nor does a release of what is live, whose former container ends by SIGTERM", async () => {
    await stack.set({ blue: { image: second } });
    const { Id } = await stack.container("blue");
    const log = docker("logs", "--follow", Id);
    await losesNothing(stack.port, () => stack.up());
    assert.match(await log, /Graceful shutdown complete/);
    assert.equal(await add(), "ada has 4 in version 1.1.0");
    assert.deepEqual(visitor.faults, []);
  });

  it("under a path that is taken off: redirects and cookies have it once", async () => {
    await stack.set({ path: "/shop", stripPath: true });
    await stack.up();
    const { page, faults } = await browser.open(`${stack.url}/shop/cart`);
    assert.equal(page.url(), `${stack.url}/shop/login`);
    await page.fill("#username", "ada");
    await page.fill("#password", "lovelace");
    await page.click("button");
    await page.waitForURL(`${stack.url}/shop/cart*`);
    assert.equal(await page.textContent("#cart"), "ada has 0 in version 1.1.0");
    assert.deepEqual(faults, []);
  });
});
