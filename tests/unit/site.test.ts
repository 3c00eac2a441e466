import fc from "fast-check";
import assert from "node:assert/strict";
import { OF_PROXIES } from "../../components/nginx/headers";
import { withUnderscores } from "../../components/nginx/requests";
import { other, type Color, type Settings, findViolations } from "../../components/settings";
import { fillSite } from "../../components/nginx/fillSite";
import { renderClosedSite, renderStagedSite, renderTemplates } from "../../components/nginx/site";
import { assemble, server } from "./sites";
import { anyText, containers, LEAST, RUNS, validSettings, settingsOf } from "./valid";

const NAMES = { blue: "shop-blue-1", green: "shop-green-2" };

function siteOf(settings: Settings, names = NAMES): string {
  const live = settings.activeColor;
  const side = (color: Color) => ({
    color,
    container: names[color],
    port: settings.colors[color].containerPort,
    replicas: settings.colors[color].replicas,
  });
  return fillSite(renderTemplates(settings), "shop", side(live), side(other(live)));
}
/** What nginx runs with it. */
const runs = (site: string, certified: string[] = []) => assemble({ shop: site }, { certified });
const withTls = (tls: object) =>
  siteOf(settingsOf({ ...LEAST, tls: { names: ["shop.example", "www.shop.example"], ...tls } }));
const withProxy = (proxy: object) => siteOf(settingsOf({ ...LEAST, proxy }));

/** The configuration's words and its ; { } as nginx reads them: comments are gone, quoted texts are one word. */
function tokens(config: string): string[] {
  const found = config.matchAll(/#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[;{}]|[^\s;{}"'#]+/g);
  return [...found].map(([token]) => token).filter((token) => !token.startsWith("#"));
}
/** The directives, values left out. */
function directives(config: string): string[] {
  const all = tokens(config);
  return all.filter((token, i) => /^\w+$/.test(token) && (i === 0 || [";", "{", "}"].includes(all[i - 1])));
}
const block = (site: string, start: RegExp) => {
  const from = site.search(start);
  assert.notEqual(from, -1, String(start));
  return site.slice(from, site.indexOf("\n}\n", from));
};

describe("the rendered site", () => {
  const site = siteOf(settingsOf(LEAST));

  it("says in two lines what the next switch reads back", () => {
    const lines = site.split("\n").filter((line) => /^# (live|idle): /.test(line));
    assert.deepEqual(lines, ["# live: blue shop-blue-1", "# idle: green shop-green-2"]);
  });

  it("answers 503 on the preview port until there is an idle color", () => {
    const first = fillSite(renderTemplates(settingsOf(LEAST)), "shop", {
      color: "blue",
      container: "shop-blue-1",
      port: 3000,
    });
    assert.match(server(runs(first), "8081"), /return 503 "No color is idle yet/);
    assert.doesNotMatch(first, /[<>]|# idle/);
  });

  it("has the live color behind the public port and the idle one behind the preview port", () => {
    assert.match(server(runs(site), "80 reuseport default_server"), /proxy_pass http:\/\/shop-blue-1;/);
    assert.match(server(runs(site), "8081 reuseport default_server"), /proxy_pass http:\/\/shop-green-2;/);
    const flipped = siteOf(settingsOf({ ...LEAST, activeColor: "green" }));
    assert.match(server(runs(flipped), "80"), /proxy_pass http:\/\/shop-green-2;/);
  });

  it("a flip keeps both upstreams as they are, so that a reload keeps their addresses", () => {
    const flipped = siteOf(settingsOf({ ...LEAST, activeColor: "green" }));
    for (const name of Object.values(NAMES)) {
      const upstream = block(site, new RegExp(`upstream ${name} `));
      assert.equal(block(flipped, new RegExp(`upstream ${name} `)), upstream);
      assert.match(upstream, new RegExp(`zone ${name} 64k;\n {2}server ${name}:3000 resolve;`));
    }
  });

  it("a staged container has the very upstream that the site will have", () => {
    const staged = renderStagedSite(settingsOf(LEAST))
      .replaceAll("<candidate>", "shop-green-2")
      .replaceAll("<candidate-port>", "3000");
    const upstream = block(site, /upstream shop-green-2 /);
    assert.equal(block(staged, /upstream shop-green-2 /), upstream);
    assert.match(staged, /listen unix:\/run\/bluegreen\/gate-shop-green-2\.sock;/);
    assert.doesNotMatch(staged, /listen \d/, "a candidate is on no port");
  });

  it("asks the live color's health path before a new nginx serves", () => {
    const settings = settingsOf({ ...LEAST, health: { path: "/up?deep=1", hostHeader: "shop.example" } });
    const warm = block(siteOf(settings), /server \{\n {2}listen unix:\/run\/bluegreen\/warm-shop\.sock/);
    assert.match(warm, /proxy_pass "http:\/\/shop-blue-1\/up\?deep=1";/);
    assert.match(warm, /proxy_set_header Host "shop\.example";/);
  });

  const PASSING = /(?:proxy|client)_.*;$/gm;
  /** Each place that passes requests on, a private server or a location, by its name, with what it says of that. */
  const passing = (config: string) =>
    [...config.matchAll(/^server \{\n([^]*?)^\}$|^ {2}location ([@/][\w<>-]*) \{\n([^]*?)^ {2}\}$/gm)]
      .map(([, server, location, body]): [string | undefined, string] => [
        location ?? /([\w<>-]+)\.sock;/.exec(server)?.[1],
        body ?? server,
      ])
      .filter(([, body]) => body.includes("proxy_pass"))
      .map(([where, body]) => ({
        where,
        lines: (body.match(PASSING) ?? []).filter((line) => !/proxy_set_header|proxy_pass/.test(line)),
        headers: Object.fromEntries(
          [...body.matchAll(/proxy_set_header (\S+) (.*);/g)].map(([, name, value]) => [name, value]),
        ),
      }));

  it("every place passes a request on alike, a candidate's too: nothing of it stands outside of them", () => {
    for (const tls of [undefined, { names: ["shop.example"] }]) {
      const settings = settingsOf({ ...LEAST, tls });
      const all = siteOf(settings) + renderStagedSite(settings);
      const places = passing(all);
      assert.deepEqual(
        places.map(({ where }) => where),
        [
          ...["warm-shop", "gate-shop-blue-1", "/", "@shop-blue-1"],
          ...["gate-shop-green-2", "/", "@shop-green-2", "gate-<candidate>"],
        ],
      );
      const ofStreams = /^proxy_(buffering|read_timeout|send_timeout)/;
      const common = (lines: string[]) => lines.filter((line) => !ofStreams.test(line));
      for (const { where, lines, headers } of places) {
        assert.deepEqual(common(lines), common(places[0].lines), where);
        if (!where?.startsWith("@")) assert.deepEqual(lines, places[0].lines, where);
        assert.deepEqual(Object.keys(headers), Object.keys(places[0].headers), where);
      }
      assert.doesNotMatch(all, /^(proxy|client)_/m);
    }
  });

  it("F1 a request says who asks, for what host and by which scheme", () => {
    const settings = settingsOf({ ...LEAST, tls: { names: ["shop.example"] } });
    const [, , live, stream, , preview] = passing(siteOf(settings));
    const [candidate] = passing(renderStagedSite(settings));
    assert.deepEqual(stream.headers, live.headers);
    assert.deepEqual(preview.headers, { ...live.headers, "X-Forwarded-Proto": "https" });
    const expected = {
      Host: "$bluegreen_host",
      "X-Real-IP": "$remote_addr",
      "X-Forwarded-For": "$remote_addr",
      "X-Forwarded-Proto": "$scheme",
      "X-Forwarded-Host": "$bluegreen_host",
      Upgrade: "$bluegreen_upgrade",
      Connection: "$bluegreen_connection",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(live.headers[name], value);
    const [warm] = passing(siteOf(settings));
    assert.equal(warm.headers["X-Forwarded-Host"], warm.headers.Host);
    assert.equal(candidate.headers["X-Real-IP"], "127.0.0.1");
    assert.equal(candidate.headers["X-Forwarded-Proto"], "https");
  });

  it("F9 nothing with an underscore passes for a header that nginx sets", () => {
    assert.deepEqual(withUnderscores("X-Real-IP").sort(), ["X-Real_IP", "X_Real-IP", "X_Real_IP"]);
    const [{ headers }] = passing(site);
    const own = Object.keys(headers).filter((name) => name.includes("-") && !name.includes("_"));
    for (const name of [...OF_PROXIES, "X-Real-IP", "X-Forwarded-Proto"].filter((name) => name.includes("-")))
      assert.ok(own.includes(name), name);
    for (const double of own.flatMap(withUnderscores)) assert.equal(headers[double], "''", double);
  });

  it("takes the proxy's settings", () => {
    const changed = withProxy({
      maxBodySize: "7g",
      connectTimeoutSeconds: 11,
      readTimeoutSeconds: 12,
      sendTimeoutSeconds: 13,
      upstreamKeepaliveSeconds: 14,
      streamTimeoutSeconds: 15,
      buffering: false,
      spoolMb: 16,
      requestBuffering: true,
      maxHeaderKb: 17,
      accessLog: false,
    });
    for (const line of [
      "    client_max_body_size 7g;",
      "    proxy_connect_timeout 11s;",
      "    proxy_read_timeout 12s;",
      "    proxy_send_timeout 13s;",
      "  keepalive_timeout 14s;",
      "    proxy_read_timeout 15s;",
      "    proxy_max_temp_file_size 16m;",
    ]) {
      assert.ok(changed.includes(`\n${line}\n`), line);
      assert.ok(!site.includes(`\n${line}\n`), `${line} by default`);
    }
    assert.match(runs(changed), /^large_client_header_buffers 4 21k;$/m);
    assert.match(passing(changed)[2].lines.join("\n"), /proxy_buffering off;/);
    assert.match(passing(site)[2].lines.join("\n"), /proxy_buffering on;/);
    assert.doesNotMatch(changed, /access\.log/);
    assert.match(changed, /\n {4}proxy_request_buffering on;\n/);
    assert.match(withProxy({ buffering: false }), /\n {4}proxy_request_buffering off;\n/);
    assert.match(site, /access_log \/bluegreen\/access\.log bluegreen buffer=32k flush=1s;/);
  });

  it("counts the answers of the live server only where there is a watch, beside the log for people", () => {
    const watched = siteOf(settingsOf({ ...LEAST, watch: { seconds: 5 } }));
    const counts = `    access_log /bluegreen/access.log bluegreen buffer=32k flush=1s;
    include /run/bluegreen/watched-shop*.conf;
`;
    assert.equal(watched.split(counts).length, 3, "in the locations of the live color");
    assert.equal(watched.replaceAll(counts, ""), site);
  });

  it("with TLS: the live color on the secure port, and the plain one redirects", () => {
    const secured = assemble({ shop: withTls({}) }, { certified: ["shop"], tlsPort: 8443 });
    const live = server(secured, "443 ssl reuseport default_server");
    assert.match(live, /proxy_pass http:\/\/shop-blue-1;/);
    assert.match(live, /ssl_certificate \/run\/bluegreen\/tls\/shop\.pem;/);
    const plain = server(secured, "80");
    assert.match(plain, /server_name shop\.example;\n[^]*return 308 https:\/\/\$host:8443\$request_uri;/);
    assert.doesNotMatch(plain, /proxy_pass/);
    assert.match(runs(withTls({}), ["shop"]), /return 308 https:\/\/\$host\$request_uri;/);
    assert.doesNotMatch(secured, /acme-challenge|Strict-Transport/);
    const preview = server(secured, "8081");
    assert.doesNotMatch(preview, /ssl|return 308/, "the preview stays plain");
    assert.match(preview, /X-Forwarded-Proto https;/, "and the app is told what users get");
  });

  it("with TLS and no certificate yet: the live color on the plain port, and nothing on the secure one", () => {
    const waiting = runs(withTls({ acmeEmail: "ops@shop.example" }));
    assert.match(server(waiting, "80"), /acme-challenge[^]*proxy_pass http:\/\/shop-blue-1;/);
    assert.doesNotMatch(waiting, /listen 443|return 308/);
  });

  it("with ACME: the plain port goes on answering the challenges", () => {
    const config = runs(withTls({ acmeEmail: "ops@shop.example" }), ["shop"]);
    assert.match(server(config, "80"), /location \^~ \/\.well-known\/acme-challenge\/ \{[^]*return 308/);
  });

  it("with HSTS: browsers are told over TLS only", () => {
    const told = withTls({ hstsSeconds: 300 });
    assert.match(told, /map \$https \$bluegreen_hsts_300 \{\n {2}on "max-age=300";\n\}/);
    const header = /add_header Strict-Transport-Security \$bluegreen_hsts_300 always;/g;
    assert.equal(told.match(header)?.length, 2, "in both locations of the live color");
  });

  it("claims its host names with its path, and answers there only", () => {
    const site = siteOf(settingsOf({ ...LEAST, hosts: ["shop.example", "*.shop.example"], path: "/api" }));
    const claims = site.split("\n").filter((line) => line.startsWith("# claim: "));
    assert.deepEqual(claims, ["# claim: shop.example /api", "# claim: *.shop.example /api"]);
    const live = runs(site)
      .split("server {")
      .find((text) => text.includes("listen 80") && text.includes("server_name shop.example;"));
    const locations = [...(live ?? "").matchAll(/location (.*) \{/g)].map(([, place]) => place);
    assert.deepEqual(locations, ["= /api", "/api/", "@shop-blue-1", "/"]);
    assert.match(live ?? "", /proxy_pass http:\/\/shop-blue-1;/);
    assert.match(live ?? "", /location \/ \{\n[^}]*return 404/);
  });

  it("N16 names that are redirected are claimed, and lead on, but not on the preview port", () => {
    const settings = {
      ...LEAST,
      hosts: ["shop.example.com"],
      redirects: { "*.example.com": "https://shop.example.com", "old.example": "http://new.example:8080" },
    };
    const site = siteOf(settingsOf(settings));
    for (const name of ["shop.example.com", "*.example.com", "old.example"])
      assert.ok(site.includes(`\n# claim: ${name} /\n`), name);
    const [, name, map] = /^map \$host \$(bluegreen_redirect_\w+) \{\n([^]*?)\}/m.exec(site) ?? [];
    assert.deepEqual(
      map.split("\n").map((line) => line.trim()),
      [
        'default "";',
        '"~^shop\\.example\\.com$" "";',
        '"~^old\\.example$" "http://new.example:8080";',
        '"~^.+\\.example\\.com$" "https://shop.example.com";',
        "",
      ],
    );
    const redirect = `    if ($${name}) {\n      return 308 $${name}$request_uri;\n    }\n`;
    assert.equal(site.split(redirect).length, 2, "once: of users");
    assert.doesNotMatch(site.slice(site.indexOf("#: idle")), /308/);
    assert.doesNotMatch(siteOf(settingsOf(LEAST)), /bluegreen_redirect|return 308/);
  });

  it("N16 a limit of requests is that of users, in a zone of the service's own", () => {
    const limited = withProxy({ rateLimit: { requestsPerSecond: 7, burst: 9 } });
    assert.match(limited, /^limit_req_zone \$binary_remote_addr zone=bluegreen_rate_shop:10m rate=7r\/s;$/m);
    assert.equal(limited.split("limit_req zone=bluegreen_rate_shop burst=9 nodelay;").length, 3);
    assert.doesNotMatch(limited.slice(limited.indexOf("#: idle")), /limit_req/);
    assert.doesNotMatch(withProxy({ rateLimit: { requestsPerSecond: 7, burst: 0 } }), /burst|nodelay/);
    assert.doesNotMatch(site, /limit_req|retry_after/);
  });

  it("N6 assets are asked for at the idle color, once there is one; nothing there leads round", () => {
    const settings = settingsOf({ ...LEAST, proxy: { sharedAssets: ["/assets", "/a.b"] } });
    const shared = siteOf(settings);
    assert.match(shared, /^ {2}"~\^\(GET\|HEAD\) \(\/assets\|\/a\\\.b\)\(\/\|\$\)" 1;$/m);
    const places = shared.split(/^(?=#: | {2}location )/m);
    const leads = places
      .filter((place) => /error_page (?!418 )/.test(place))
      .map((place) => [
        / {2}location (\S+)/.exec(place)?.[1],
        ...[...place.matchAll(/error_page (?!418 )(\d+).* = (\S+);/g)].flatMap(([, status, to]) => [
          status,
          to,
        ]),
        place.includes("recursive_error_pages on;"),
      ]);
    assert.deepEqual(leads, [
      ["/", "419", "@shop-blue-1-assets", true],
      ["@shop-blue-1-assets", "404", "@shop-green-2-assets", true],
      ["@shop-green-2-assets", "400", "@shop-blue-1", false],
    ]);
    const first = fillSite(renderTemplates(settings), "shop", {
      color: "blue",
      container: "shop-blue-1",
      port: 3000,
    });
    assert.match(
      first,
      /\n {2}location @shop-blue-1-assets \{\n[^}]* proxy_pass http:\/\/shop-blue-1;\n {2}\}\n$/,
    );
    assert.doesNotMatch(first, /intercept|[<>]/);
  });

  it("N12 to a gRPC server, nothing is passed on by other means, and the headers are the same", () => {
    const headers = (text: string, module: string) =>
      [...text.matchAll(new RegExp(`^ *${module}_set_header (.*);$`, "gm"))].map(([, header]) => header);
    const proxy = { responseHeaders: { A: "b" }, sharedAssets: ["/assets"] };
    const all = (protocol: string) => {
      const settings = settingsOf({ ...LEAST, proxy: { ...proxy, protocol } });
      return siteOf(settings) + renderStagedSite(settings);
    };
    const [one, two, grpc] = ["http1", "http2", "grpc"].map(all);
    assert.doesNotMatch(grpc, /proxy_/);
    assert.deepEqual(headers(grpc, "grpc"), headers(two, "proxy"));
    assert.deepEqual(
      headers(two, "proxy"),
      headers(one, "proxy").map((header) => header.replace(/^(Upgrade|Connection) .*/, "$1 ''")),
    );
    assert.equal(two.match(/proxy_http_version 2;/g)?.length, one.match(/proxy_http_version 1\.1;/g)?.length);
    assert.match(grpc, /grpc_pass shop-blue-1;/);
    assert.match(
      grpc,
      /map \$http_content_type \$bluegreen_grpc \{[^]*if \(\$bluegreen_grpc\) \{\n {6}return 418;/,
    );
    assert.doesNotMatch(one + two, /grpc/);
  });

  it("N12 further ports are of the same container, and flip with it", () => {
    const ports = [
      { containerPort: 9090, path: "/shop.Cart", protocol: "grpc" },
      { containerPort: 9091, hosts: ["admin.example"] },
    ];
    const settings = settingsOf({ ...LEAST, hosts: ["shop.example"], ports });
    const site = siteOf(settings);
    assert.match(site, /^# port: 9090 shop\.example \/shop\.Cart\n# port: 9091 admin\.example \/$/m);
    const staged = renderStagedSite(settings).replaceAll("<candidate>", "shop-green-2");
    for (const port of [9090, 9091]) {
      const upstream = block(site, new RegExp(`upstream shop-green-2-${port} `));
      assert.match(upstream, new RegExp(`server shop-green-2:${port} resolve;`));
      assert.equal(block(staged, new RegExp(`upstream shop-green-2-${port} `)), upstream);
    }
    const config = runs(site);
    const at = (name: string, listen: string) =>
      config
        .split("server {")
        .find((text) => text.includes(listen) && text.includes(`server_name ${name};`)) ?? "";
    const passes = (text: string) => [...text.matchAll(/(?:proxy|grpc)_pass (\S+);/g)].map(([, to]) => to);
    assert.deepEqual(
      new Set(passes(at("shop.example", "listen 80"))),
      new Set(["http://shop-blue-1", "shop-blue-1-9090"]),
    );
    assert.deepEqual(new Set(passes(at("admin.example", "listen 80"))), new Set(["http://shop-blue-1-9091"]));
    assert.deepEqual(
      new Set(passes(at("admin.example", "listen 8081"))),
      new Set(["http://shop-green-2-9091"]),
    );
    const first = fillSite(renderTemplates(settings), "shop", {
      color: "blue",
      container: "shop-blue-1",
      port: 3000,
    });
    assert.doesNotMatch(first, /<(live|idle|candidate)|shop-green/);
  });

  it("N16 a redirected name does not stand for the service", () => {
    const settings = settingsOf({
      ...LEAST,
      redirects: { "www.shop.example": "https://shop.example" },
      tls: { names: ["www.shop.example", "shop.example"] },
    });
    assert.equal(settings.health.hostHeader, "shop.example");
    assert.match(siteOf(settings), /^# tls: 443 shop\.example www\.shop\.example$/m);
  });

  it("with a path and no idle color yet: a place stands once on the preview port", () => {
    const settings = settingsOf({ ...LEAST, hosts: ["shop.example"], path: "/api" });
    const blue = { color: "blue", container: "shop-blue-1", port: 3000 };
    const first = fillSite(renderTemplates(settings), "shop", blue);
    const preview = runs(first)
      .split("server {")
      .filter((text) => text.includes("listen 8081") && text.includes("server_name shop.example;"));
    const locations = [...preview[0].matchAll(/location (.*) \{/g)].map(([, place]) => place);
    assert.deepEqual([preview.length, locations], [1, ["= /api", "/api/", "/"]]);
  });

  it("takes the path off where that is set, and says so", () => {
    const site = siteOf(settingsOf({ ...LEAST, path: "/v1.2/api", stripPath: true }));
    assert.match(site, /"~\^\/v1\\\.2\/api\(\?<bluegreen_rest>/);
    assert.equal(passing(site)[1].headers["X-Forwarded-Prefix"], "/v1.2/api", "of the gate, too");
    assert.match(site, /proxy_pass http:\/\/shop-blue-1\$bluegreen_rest_\w+;/);
    assert.match(site, /proxy_redirect "~\^\(\(\?:https\?:\/\/\[\^\/\]\+\)\?\/v1\\\.2\/api\(/);
    assert.match(site, /proxy_cookie_path \/ \/v1\.2\/api\/;/);
    const kept = siteOf(settingsOf({ ...LEAST, path: "/api" }));
    assert.doesNotMatch(kept, /bluegreen_rest|proxy_cookie_path/);
  });

  it("holds nothing of a certificate: a new one is no new site", () => {
    assert.equal(withTls({ certificate: "PEM", privateKey: "KEY" }), withTls({ certificateFile: "/a" }));
  });

  it("is not changed by ports, images or timing of the gate: they are not nginx's", () => {
    assert.equal(
      withProxy({ port: 8000, bindAddress: "192.0.2.1", image: "nginx:9", migrateConnections: false }),
      site,
    );
    assert.equal(siteOf(settingsOf({ ...LEAST, health: { passes: 9 }, drainSeconds: 1 })), site);
  });

  it("any valid settings: the same directives, balanced braces, and the settings' values", () => {
    // Which directives there are is decided by what is on, what is there and how many: not by any text, or how great a number is.
    const plain = (value: unknown): unknown => {
      if (typeof value === "number") return Math.sign(value);
      if (typeof value === "string") return "x";
      if (Array.isArray(value)) return value.map(plain);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
    };
    const shapeOf = (settings: Settings) => {
      const { activeColor, strategy, idle, path } = settings;
      const plainly = plain(settings) as Settings;
      // Each has a server of its own.
      const { blue, green } = settings.colors;
      const colors = {
        blue: { ...plainly.colors.blue, replicas: blue.replicas },
        green: { ...plainly.colors.green, replicas: green.replicas },
      };
      const proxy = {
        ...plainly.proxy,
        nginxConfig: settings.proxy.nginxConfig,
        protocol: settings.proxy.protocol,
      };
      return directives(
        siteOf({ ...plainly, activeColor, strategy, idle, path, proxy, ports: settings.ports, colors }),
      );
    };
    fc.assert(
      fc.property(validSettings, containers, (settings, names) => {
        const rendered = siteOf(settings, names);
        assert.deepEqual(directives(rendered), shapeOf(settings));
        const depth = tokens(rendered).reduce(
          (n, token) => n + (token === "{" ? 1 : token === "}" ? -1 : 0),
          0,
        );
        assert.equal(depth, 0);
        assert.ok(rendered.startsWith(`# live: ${settings.activeColor} ${names[settings.activeColor]}\n`));
      }),
      { numRuns: RUNS },
    );
  });

  it("any text in any field is refused, or it is data", () => {
    const texts = fc.oneof(
      anyText,
      fc.constantFrom(
        "1; }",
        "10m; include /etc/passwd",
        "/a; return 200",
        '/"; }',
        "/$host",
        "a\n}",
        "# x",
        "//",
        "\\",
      ),
      anyText.map((text) => `/${text}`),
    );
    const fields = fc.constantFrom(
      ["health", "path"],
      ["health", "hostHeader"],
      ["health", "bodyText"],
      ["path"],
      ["hosts"],
      ["proxy", "maxBodySize"],
      ["proxy", "bindAddress"],
      ["proxy", "connectTimeoutSeconds"],
      ["proxy", "readTimeoutSeconds"],
      ["proxy", "upstreamKeepaliveSeconds"],
      ["tls", "port"],
      ["tls", "hstsSeconds"],
      ["tls", "acmeEmail"],
      ["tls", "names"],
    );
    const tls = { names: ["shop.example"], acmeEmail: "ops@shop.example" };
    const shape = directives(withTls(tls));
    const [plain, atPath] = ["/", "/a"].map((path) => directives(siteOf(settingsOf({ ...LEAST, path }))));
    fc.assert(
      fc.property(fields, texts, ([group, field], text) => {
        const value = field === "names" || group === "hosts" ? [text] : text;
        const given = field === undefined ? value : { ...(group === "tls" && tls), [field]: value };
        const args = { ...LEAST, ...(field !== undefined && { tls }), [group]: given };
        if (findViolations(args).length > 0) return;
        const { path, tls: used } = settingsOf(args);
        const wanted = used.names.length > 0 ? shape : path === "/" ? plain : atPath;
        assert.deepEqual(directives(siteOf(settingsOf(args))), wanted);
      }),
      { numRuns: RUNS * 10 },
    );
  });
});

describe("N7 the site while nothing runs", () => {
  const closed = (args: object) => renderClosedSite(settingsOf({ ...LEAST, strategy: "recreate", ...args }));

  it("names no live color, asks nobody, and has the claims, certificates and headers that it has else", () => {
    const tls = { names: ["shop.example.com"], acmeEmail: "ops@example.com", hstsSeconds: 60 };
    const site = closed({
      hosts: ["shop.example.com"],
      path: "/api",
      ports: [{ containerPort: 9090, path: "/admin" }],
      tls,
      proxy: { responseHeaders: { "X-Frame-Options": "DENY" }, maxBodySize: "9m" },
    });
    assert.match(site, /^# closed: <live-color> <live>\n# since: <since>\n/);
    assert.doesNotMatch(site, /^# (live|idle):|proxy_pass|upstream [^t]/m);
    const facts = (text: string) => text.match(/^# (claim|port|tls|acme|header|log): .*$/gm);
    const args = { ...LEAST, hosts: ["shop.example.com"], path: "/api", tls };
    const open = renderTemplates(settingsOf({ ...args, ports: [{ containerPort: 9090, path: "/admin" }] }));
    assert.deepEqual(facts(site), facts(open.site));
    for (const place of ["= /api", "/api/", "= /admin", "/admin/"]) {
      const location = new RegExp(`^  location ${place} \\{\n[^}]*`, "m").exec(site)?.[0] ?? "";
      assert.match(location, /client_max_body_size 9m;/, place);
      assert.match(location, /add_header Retry-After \d+ always;/);
      assert.match(location, /add_header X-Frame-Options "DENY" always;/);
      assert.match(location, /add_header Strict-Transport-Security \$bluegreen_hsts_60 always;/);
      assert.match(location, /return 503 /);
    }
  });

  it("nothing is ever behind the preview port", () => {
    const { preview, noPreview } = renderTemplates(settingsOf({ ...LEAST, strategy: "recreate" }));
    assert.equal(preview, noPreview);
    assert.match(preview, /No color runs beside the live one: strategy is recreate/);
  });
});
