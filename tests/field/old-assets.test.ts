import assert from "node:assert/strict";
import { other, type Color } from "../../components/settings";
import { useService } from "../proxy/service";
import { docker } from "../support/docker";
import { ask } from "./asks";

/** A page that names its parts by a hash, as bundlers do: each color knows its own alone. */
const APP = `
const { NAME } = process.env;
let asked = 0;
require("node:http").createServer((request, response) => {
  if (request.url === "/health") return response.end("ok");
  if (request.url === "/asked") return response.end(String(asked));
  asked++;
  response.setHeader("x-app", NAME);
  response.setHeader("x-client", request.headers["x-real-ip"]);
  if (request.url === "/") return response.end('<script src="/assets/' + NAME + '.js"></script>');
  if (request.url === "/assets/broken.js") return response.writeHead(NAME.includes("blue") ? 500 : 404).end("broken " + NAME);
  if (new RegExp("^/(assets|others)/" + NAME + "[.]js([?]|$)").test(request.url)) return response.end(request.method + " by " + NAME);
  response.writeHead(404).end("none in " + NAME);
}).listen(3000);
process.on("SIGTERM", () => process.exit());
`;

describe("N6 assets of the version before", () => {
  const service = useService();
  const options = { proxy: { sharedAssets: ["/assets"], trustedProxies: ["192.0.2.0/24"] } };
  const names = { blue: "", green: "" };
  const get = (path: string, method = "GET") => ask(service.port, path, { method });
  const asked = async (color: Color) =>
    Number(
      await docker(
        ...["exec", names[color], "node", "-e"],
        'fetch("http://127.0.0.1:3000/asked").then((r) => r.text()).then(console.log)',
      ),
    );
  const part = async () => /src="(.*?)"/.exec((await get("/")).body)?.[1] ?? "";

  it("without an idle color a 404 stays one", async () => {
    names.blue = await service.startApp("blue", APP);
    await service.switched("blue", options);
    assert.equal((await get(await part())).status, 200);
    const { status, body } = await get("/assets/none.js");
    assert.deepEqual([status, body], [404, `none in ${names.blue}`]);
  });

  it("are got from the color that was live before, after a flip, by who loaded its page", async () => {
    names.green = await service.startApp("green", APP);
    await service.switched("blue", options);
    const [former, client] = [await part(), (await get("/")).headers["x-client"]];
    await service.switched("green", options);
    for (const path of [former, `${former}?v=1`]) {
      const got = await get(path);
      assert.deepEqual([got.status, got.body], [200, `GET by ${names.blue}`], path);
      assert.equal(got.headers["x-client"], client);
    }
    assert.equal((await get(former, "HEAD")).status, 200);
    assert.equal((await get(await part())).headers["x-app"], names.green);
  });

  it("only these, and the idle color is asked for nothing else", async () => {
    const before = await asked("blue");
    const stays = async (path: string, method: string, status: number) => {
      const got = await get(path, method);
      assert.deepEqual([got.status, got.headers["x-app"]], [status, names.green], `${method} ${path}`);
    };
    for (const path of ["/others/", "/assetsx/", "/assets/../others/"])
      await stays(`${path}${names.blue}.js`, "GET", 404);
    for (const method of ["POST", "PUT", "DELETE"]) await stays(`/assets/${names.blue}.js`, method, 404);
    await stays(`/assets/${names.green}.js`, "GET", 200);
    assert.equal(await asked("blue"), before);
  });

  it("what neither has, or only an error: the answer is the live color's", async () => {
    const before = await asked("green");
    for (const path of ["/assets/none.js", "/assets/broken.js"]) {
      const got = await get(path);
      assert.deepEqual([got.status, got.headers["x-app"]], [404, names.green], path);
    }
    assert.equal((await asked("green")) - before, 4, "asked twice each, and no more");
    // The preview port is for the next version: there are no former pages.
    assert.equal((await ask(service.previewPort, `/assets/${names.green}.js`)).status, 404);
  });

  it("no page misses a part while colors are flipped", async () => {
    let [live, loaded]: [Color, number] = ["green", 0];
    let done = false;
    const reader = async () => {
      while (!done) {
        const path = await part();
        await new Promise((resolve) => setTimeout(resolve, 50 * Math.random()));
        const { status, body } = await get(path);
        assert.equal(status, 200, `${path}: ${body}`);
        loaded++;
      }
    };
    const readers = Promise.all(Array.from({ length: 8 }, reader));
    const flips = async () => {
      try {
        for (let i = 0; i < 4; i++) await service.switched((live = other(live)), options);
      } finally {
        done = true;
      }
    };
    await Promise.all([readers, flips()]);
    assert.ok(loaded > 50, String(loaded));
  });

  it("when the idle color is down, a 404 stays one", async () => {
    await docker("stop", names.blue);
    const began = Date.now();
    const { status, body } = await get(`/assets/${names.blue}.js`);
    assert.deepEqual([status, body], [404, `none in ${names.green}`]);
    assert.ok(Date.now() - began < 7000, "within the time to connect");
  });
});
