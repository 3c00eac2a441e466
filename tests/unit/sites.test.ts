import assert from "node:assert/strict";
import { assemble, server } from "./sites";

/** A service's site with just what tells them from each other. */
const siteOf = (name: string, claims: string[], ...facts: string[]) => `# live: blue ${name}-blue
${[...claims.map((claim) => `claim: ${claim}`), ...facts].map((fact) => `# ${fact}\n`).join("")}#: ingress
server_tokens off;
#: http
# of ${name}
#: live
  location ${claims[0].split(" ")[1]} { # live ${name}
  }
#: idle
  location / { # idle ${name}
  }
`;
const LIVE = /# live (\w+)/g;
const live = (text: string) => [...text.matchAll(LIVE)].map(([, name]) => name);
/** Who answers where, by the server's name; "*" for all other names. */
function answers(config: string, port: string): { [host: string]: string[] } {
  const servers = [...config.matchAll(/^server \{\n[^]*?\n\}$/gm)].map(([text]) => text);
  const found = servers.filter((text) => new RegExp(`^ {2}listen ${port}[ ;]`, "m").test(text));
  return Object.fromEntries(
    found.map((text) => [/server_name (\S+);/.exec(text)?.[1] ?? "*", live(text)] as const),
  );
}

describe("the servers of all services", () => {
  it("without any service: each request gets a 503, on both ports", () => {
    const config = assemble({});
    for (const port of ["80", "8081"]) assert.match(server(config, port), /return 503 "No color is \w+ yet/);
    assert.doesNotMatch(config, /443/);
  });

  it("a server for each host name; what no service has gets a 404", () => {
    const config = assemble({
      shop: siteOf("shop", ["shop.example /"]),
      wiki: siteOf("wiki", ["wiki.example /"]),
    });
    assert.deepEqual(answers(config, "80"), { "*": [], "shop.example": ["shop"], "wiki.example": ["wiki"] });
    assert.match(server(config, "80 reuseport default_server"), /return 404 "No service here has that name/);
    assert.equal(config.match(/server_tokens off;/g)?.length, 1, "what is the same for all stands once");
    for (const name of ["shop", "wiki"]) assert.ok(config.includes(`# of ${name}\n`));
  });

  it("a service without a name of its own answers for all other names", () => {
    const config = assemble({ shop: siteOf("shop", ["* /"]), wiki: siteOf("wiki", ["wiki.example /"]) });
    assert.deepEqual(answers(config, "80"), { "*": ["shop"], "wiki.example": ["wiki"] });
    assert.match(server(config, "80 reuseport default_server"), /# live shop/);
  });

  it("services that share a host by their paths", () => {
    const config = assemble({
      api: siteOf("api", ["shop.example /api"]),
      shop: siteOf("shop", ["shop.example /"]),
    });
    assert.deepEqual(answers(config, "80")["shop.example"], ["api", "shop"]);
  });

  it("N12 further ports of a service, by a path, by a name, and by its own name on the preview port", () => {
    const part = (name: string) =>
      `#: live-${name}\n  location /p${name} { # live p${name}\n  }\n#: idle-${name}\n  location /p${name} { # live p${name}\n  }\n`;
    const ports = [
      "port: 9090 shop.example /p9090",
      "port: 9091 admin.example /",
      "port: 9092 x.example /p9090",
    ];
    const shop =
      siteOf("shop", ["shop.example /"], "tls: 443 shop.example", ...ports) +
      part("9090") +
      part("9091") +
      part("9092");
    const config = assemble({ shop, wiki: siteOf("wiki", ["* /"]) });
    assert.deepEqual(answers(config, "80"), {
      "*": ["wiki"],
      "shop.example": ["shop", "p9090"],
      "admin.example": ["p9091"],
      "x.example": ["wiki", "p9092"],
    });
    assert.deepEqual(answers(config, "8081")["shop.localhost"], ["p9090"]);
    const secured = assemble({ shop }, { certified: ["shop"] });
    assert.match(
      secured,
      /server_name admin\.example;\n {2}ssl_certificate \/run\/bluegreen\/tls\/shop\.pem;/,
    );
    const other = siteOf("blog", ["admin.example /"]);
    assert.throws(
      () => assemble({ shop, blog: other }, { mode: "test" }),
      /admin\.example\/ \(\w+ and \w+\)/,
    );
  });

  it("a path of a nearer name hides nothing else of a farther one", () => {
    const config = assemble({
      api: siteOf("api", ["api.shop.example /api"]),
      all: siteOf("all", ["*.shop.example /"]),
      rest: siteOf("rest", ["* /"]),
    });
    assert.deepEqual(answers(config, "80"), {
      "api.shop.example": ["api", "all"],
      "*.shop.example": ["all"],
      "*": ["rest"],
    });
  });

  it("a port is had once with its options, by the first of its servers", () => {
    const config = assemble({
      shop: siteOf("shop", ["shop.example /"]),
      wiki: siteOf("wiki", ["wiki.example /"]),
    });
    for (const port of ["80", "8081"])
      assert.equal(config.match(new RegExp(`listen ${port} reuseport default_server;`, "g"))?.length, 1);
    for (const mode of ["closed", "test"] as const) {
      const there = assemble({ shop: siteOf("shop", ["shop.example /"]) }, { mode });
      assert.doesNotMatch(there, /listen \d|reuseport/);
      assert.match(there, new RegExp(`listen unix:/run/bluegreen/${mode}-80\\.sock`));
    }
  });

  it("a certificate for each service, by name; for any other name the handshake is refused", () => {
    const sites = {
      shop: siteOf("shop", ["shop.example /"], "tls: 443 shop.example"),
      wiki: siteOf("wiki", ["wiki.example /"], "tls: 443 wiki.example"),
      blog: siteOf("blog", ["blog.example /"], "tls: 443 blog.example"),
    };
    const config = assemble(sites, { certified: ["shop", "wiki"], tlsPort: 8443 });
    assert.deepEqual(answers(config, "443"), { "*": [], "shop.example": ["shop"], "wiki.example": ["wiki"] });
    assert.match(server(config, "443 ssl default_server"), /ssl_reject_handshake on;/);
    assert.match(config, /server_name wiki\.example;\n {2}ssl_certificate \/run\/bluegreen\/tls\/wiki\.pem;/);
    assert.match(
      config,
      /server_name wiki\.example;\n {2}location \/ \{\n {4}return 308 https:\/\/\$host:8443/,
    );
    assert.deepEqual(answers(config, "80")["blog.example"], ["blog"], "plain, until it has one");
  });

  it("a name without a certificate gets none, also where another service has all other names", () => {
    const sites = {
      rest: siteOf("rest", ["* /"]),
      shop: siteOf("shop", ["shop.example /"], "tls: 443 shop.example"),
    };
    const config = assemble(sites, { certified: ["shop"] });
    assert.match(server(config, "443 ssl default_server"), /ssl_reject_handshake on;/);
  });

  it("a path that no service has gets a 404", () => {
    const config = assemble({ api: siteOf("api", ["shop.example /api"]) });
    assert.match(
      config,
      /server_name shop\.example;\n {2}location \/api [^]*?return 404 "No service here has that path/,
    );
  });

  it("each service is on the preview port by its own name, too, unless all names are its own", () => {
    const config = assemble({
      shop: siteOf("shop", ["shop.example /"]),
      rest: siteOf("rest", ["* /"]),
    });
    assert.deepEqual(Object.keys(answers(config, "8081")).sort(), ["*", "shop.example", "shop.localhost"]);
  });

  it("two services with one address are refused when it is tested, and named", () => {
    const sites = { a: siteOf("a", ["shop.example /", "* /"]), b: siteOf("b", ["shop.example /"]) };
    assert.throws(
      () => assemble(sites, { mode: "test" }),
      /these addresses are another service's: shop\.example\/ \(a and b\)/,
    );
    assert.deepEqual(answers(assemble(sites), "80")["shop.example"], ["a"]);
  });

  it("the greatest that a service asks for holds for all", () => {
    const config = assemble({
      shop: siteOf("shop", ["shop.example /"], "header: 36", "log: 30"),
      wiki: siteOf("wiki", ["wiki.example /"], "header: 68", "log: 10"),
    });
    assert.match(config, /^# log: 30\nlarge_client_header_buffers 4 68k;$/m);
  });

  it("a site that is empty, as before a first release, is none", () => {
    assert.equal(assemble({ shop: "" }), assemble({}));
  });
});
