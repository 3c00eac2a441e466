import fc from "fast-check";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { problemOfPiece, renderPiece } from "../../components/nginx/piece";
import { NGINX_IMAGE } from "../../components/settings";
import { printingFunction } from "../../components/shell";
import { useService } from "../proxy/service";
import { ask, type Told } from "./asks";
import { REQUEST_APP } from "./request-app";

describe("what a service has at the ingress", () => {
  const service = useService();
  before(async () => {
    for (const color of ["blue", "green"] as const) await service.startApp(color, REQUEST_APP);
  });
  const asked = (host: string, path = "/", headers = {}, port = service.port) =>
    ask(port, path, { headers: { host, ...headers } });

  it("N16 a name leads to another one, with path and query; the rest is answered as ever", async () => {
    await service.switched("blue", {
      hosts: ["shop.example.com"],
      redirects: { "*.example.com": "https://shop.example.com", default: "http://other.example:8080" },
    });
    for (const [host, target] of [
      ["www.example.com", "https://shop.example.com"],
      ["WWW.example.com:80", "https://shop.example.com"],
      ["default", "http://other.example:8080"],
    ])
      for (const path of ["/", "/a%2Fb?c=d&e=%20", "//x/../y"])
        for (const method of ["GET", "POST"]) {
          const options = { method, headers: { host, accept: "text/event-stream" } };
          const { status, headers } = await ask(service.port, path, options);
          assert.deepEqual([status, headers.location], [308, target + path], `${method} ${host}${path}`);
        }
    assert.equal((await asked("shop.example.com")).status, 200);
    assert.equal((await asked("unknown.example.org")).status, 404);
    assert.equal((await asked("www.example.com", "/", {}, service.previewPort)).status, 200);
  });

  it("N16 a client that asks too often gets a 429, others and the gate do not", async () => {
    const [one, two] = ["203.0.113.1", "203.0.113.2"];
    const rateLimit = { requestsPerSecond: 1, burst: 3 };
    await service.switched("blue", {
      proxy: { rateLimit, trustedProxies: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] },
    });
    const statuses = async (client: string, many: number, { accept = "*/*", port = service.port } = {}) => {
      const headers = { "x-forwarded-for": client, accept };
      const all = await Promise.all(Array.from({ length: many }, () => asked("a", "/", headers, port)));
      for (const { status, headers } of all)
        assert.equal(headers["retry-after"], status === 429 ? "1" : undefined, String(status));
      return all.map(({ status }) => status).sort();
    };
    const limited = await statuses(one, 12);
    assert.deepEqual(limited.slice(0, 4), [200, 200, 200, 200], "what may come at once");
    assert.ok(limited.filter((status) => status === 429).length >= 6, limited.join());
    assert.deepEqual(await statuses(two, 4, { accept: "text/event-stream" }), [200, 200, 200, 200]);
    assert.equal((await statuses(two, 3, { accept: "text/event-stream" })).at(-1), 429, "streams count, too");
    assert.deepEqual(new Set(await statuses(one, 12, { port: service.previewPort })), new Set([200]));
    // Many passes, one after the other, from one address: and what is limited is no fault of the color.
    const watched = service.startSwitch("green", {
      health: { passes: 10, intervalSeconds: 0.1 },
      watch: { seconds: 3 },
      proxy: { rateLimit },
    });
    const flood = setInterval(() => void asked("a").catch(() => {}), 20);
    const { code, output } = await watched.ended.finally(() => clearInterval(flood));
    assert.equal(code, 0, output);
    assert.match(output, /green passed 10 of 10/);
    assert.match(output, /watch: 0 of \d{2,} answers were 5xx, and green is healthy/);
  });

  it("a path that is taken off comes back once: also where the app, told it, has put it there itself", async () => {
    await service.switched("blue", { path: "/v1.2/shop", stripPath: true });
    const host = "shop.example.com:8443";
    const said = async (to: string, cookie: string) => {
      const query = new URLSearchParams({ to, cookie }).toString();
      const { headers } = await asked(host, `/v1.2/shop/redirect?${query}`);
      const path = headers["set-cookie"]?.[0].replace("a=b; Path=", "");
      return [headers.location?.replace(`http://${host}/`, "/"), path];
    };
    const all = {
      "/login": "/v1.2/shop/login",
      "/v1.2/shop/login": "/v1.2/shop/login",
      "/v1.2/shop?a=b": "/v1.2/shop?a=b",
      "/v1.2/shops": "/v1.2/shop/v1.2/shops",
      "//other.example/": "//other.example/",
      [`http://${host}/login`]: "/v1.2/shop/login",
      // Who ends TLS in front of this nginx passes such a one on.
      [`https://${host}/login`]: `https://${host}/v1.2/shop/login`,
      [`https://${host}/v1.2/shop/login`]: `https://${host}/v1.2/shop/login`,
      "https://other.example/login": "https://other.example/login",
    };
    for (const [to, wanted] of Object.entries(all)) assert.equal((await said(to, "/"))[0], wanted, to);
    const cookies = {
      "/": "/v1.2/shop",
      "/a": "/v1.2/shop/a",
      "/v1.2/shop": "/v1.2/shop",
      "/v1.2/shop/": "/v1.2/shop/",
      "/v1.2/shops": "/v1.2/shop/v1.2/shops",
    };
    for (const [path, wanted] of Object.entries(cookies))
      assert.equal((await said("/", path))[1], wanted, path);
  });

  it("N16 directives of one's own hold on both ports; one that nginx refuses is named, and changes nothing", async () => {
    const nginxConfig = `# Who has no key stays out.
      if ($http_x_key = "") { return 403 "no; {key}\\n"; }
      set $own_tenant "t-$host"; proxy_set_header X-Tenant $own_tenant;
      add_header X-Own "a; b}" always;`;
    await service.switched("blue", { proxy: { nginxConfig } });
    const isInForce = async () => {
      for (const port of [service.port, service.previewPort])
        for (const accept of ["*/*", "text/event-stream"]) {
          const got = await asked("shop.example", "/", { "x-key": "1", accept }, port);
          assert.deepEqual([got.status, got.headers["x-own"]], [200, "a; b}"]);
          assert.equal((JSON.parse(got.body) as Told).headers["x-tenant"], "t-shop.example");
          const refused = await asked("shop.example", "/", { accept }, port);
          assert.deepEqual([refused.status, refused.body], [403, "no; {key}\n"]);
        }
    };
    await isInForce();
    for (const [wrong, words, place] of [
      [
        "etag off;\n  add_header X-Own;",
        /invalid number of arguments in "add_header" directive/,
        "proxy.nginxConfig, line 2: add_header X-Own;",
      ],
      [
        "add_header X-Own $own_other;",
        /unknown "own_other" variable/,
        "nginx names no line: it may be one of proxy.nginxConfig",
      ],
    ] as const) {
      const { code, output } = await service.switch("green", { proxy: { nginxConfig: wrong } });
      assert.notEqual(code, 0);
      assert.match(output, words);
      assert.ok(output.includes(`error: ${place}\n`), output);
      assert.match(output, /the former configuration is in place: blue keeps serving/);
      await isInForce();
    }
  });

  it("N16 nginx ends such directives where we do: it never finds fault with what follows them", () => {
    const parts = [
      "etag off;",
      "return",
      '"a;b"',
      "'}'",
      "if",
      "($own_a",
      '= "x"',
      ")",
      "{",
      "}",
      ";",
      "\\.",
      "$a",
      "#",
    ];
    const text = fc
      .array(fc.constantFrom(...parts, "\n", '"', "\\", "~", "a'", "limit_except GET", "deny all;"), {
        minLength: 1,
        maxLength: 9,
      })
      .map((words) => words.join(" "));
    const pieces = fc.sample(
      text.filter((one) => problemOfPiece(one) === undefined && renderPiece(one) !== ""),
      80,
    );
    const script = pieces.map((piece, i) => {
      const config = `events {} http { server { listen unix:/tmp/a.sock; set $own_a 1; set $a 1; location / {
${renderPiece(piece)}  } location /next { return 204; } } }
`;
      return `${printingFunction(`piece_${i}`, config)}piece_${i} >/tmp/c; nginx -t -c /tmp/c 2>&1 | sed -n 's/^.*\\[emerg\\] //p' | sed 's/^/${i} /'`;
    });
    const { stdout, stderr, status } = spawnSync("docker", ["run", "--rm", "-i", NGINX_IMAGE, "sh", "-s"], {
      input: script.join("\n"),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const complaints = stdout.split("\n").filter((line) => line !== "");
    assert.ok(complaints.length < pieces.length, "nginx takes some");
    for (const complaint of complaints) {
      const [, i, line] = /^(\d+) .* in \/tmp\/c:(\d+)$/.exec(complaint) ?? [];
      const piece = pieces[Number(i)];
      const last = 1 + renderPiece(piece).trimEnd().split("\n").length;
      assert.ok(Number(line) >= 2 && Number(line) <= last, `${complaint}\n${renderPiece(piece)}`);
    }
  });
});
