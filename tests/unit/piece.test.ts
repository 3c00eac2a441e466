import fc from "fast-check";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ALLOWED, problemOfPiece, renderPiece } from "../../components/nginx/piece";
import { findViolations } from "../../components/settings";
import { fillSite } from "../../components/nginx/fillSite";
import { renderTemplates } from "../../components/nginx/site";
import { assemble } from "./sites";
import { LEAST, RUNS, settingsOf } from "./valid";

const SIDES = [
  { color: "blue", container: "shop-blue-1", port: 3000 },
  { color: "green", container: "shop-green-2", port: 3000 },
] as const;
const siteWith = (nginxConfig: string) =>
  fillSite(renderTemplates(settingsOf({ ...LEAST, proxy: { nginxConfig } })), "shop", ...SIDES);

describe("N16 a piece of nginx configuration of one's own", () => {
  it("has each directive on a line of its own, which says where it is from", () => {
    const text = `# a comment; }
      add_header X-Own "a;
`;
    assert.equal(
      problemOfPiece(text),
      `line 2: "\\"a;" can't be read: a quote that is not closed on its line, or a \\ or a quote within a word`,
    );
    const right = `# a comment; }
add_header   X-Own "a; b}" always; if ($http_own ~ \\.php$) { # why
  return 403; }
limit_except GET { deny all; }`;
    assert.equal(problemOfPiece(right), undefined);
    assert.equal(
      renderPiece(right),
      [
        ...[
          'add_header X-Own "a; b}" always; # 2',
          "if ($http_own ~ \\.php$) { # 2",
          "return 403; # 3",
          "} # 3",
        ],
        ...["limit_except GET { # 4", "deny all; # 4", "} # 4"],
      ]
        .map((line) => `    ${line.replace("# ", "# proxy.nginxConfig, line ")}\n`)
        .join(""),
    );
  });

  it("is in each of the service's locations, for users and on the preview port, and in no private server", () => {
    const places = siteWith("return 204;").split(/^(?= {2}location |server |upstream )/m);
    const having = places.filter((place) => place.includes("    return 204; # proxy.nginxConfig, line 1\n"));
    assert.deepEqual(
      having.map((place) => place.slice(0, place.indexOf(" {"))),
      ["/", "@shop-blue-1", "/", "@shop-green-2"].map((place) => `  location ${place}`),
    );
    assert.equal(siteWith(""), siteWith("# nothing"));
  });

  const REFUSED: { [text: string]: RegExp } = {
    "}": /^line 1: \} closes nothing/,
    "etag off;\n} location / {": /^line 2: \} closes nothing/,
    "if ($own_a) {": /^line 1: \{ is not closed/,
    "etag off": /^line 1: there is no ; at the end/,
    "if ($own_a) { etag off }": /^line 1: there is no ; at the end/,
    ";": /^line 1: there is no directive/,
    "{ }": /^line 1: there is no directive/,
    "etag 'off": /can't be read/,
    "etag off\\": /can't be read/,
    "etag a\\;": /can't be read/,
    'etag "off"x;': /can't be read/,
    "etag off {}": /etag has no block/,
    "if ($own_a);": /if needs a block/,
    "\n\ninclude /etc/passwd;": /^line 3: include can't be there: it is about files of nginx's container/,
    "access_log /bluegreen/state/owner;": /access_log can't be there: it is about files/,
    "proxy_pass http://other;": /proxy_pass can't be there: it can lead to another service/,
    "error_page 404 /other;": /error_page can't be there: it can lead/,
    "limit_req zone=bluegreen_rate_other;": /limit_req can't be there: it is not among/,
    "location /x { }": /location can't be there/,
    '"include" /etc/passwd;': /can't be there/,
    "if ($own_a) { root /; }": /root can't be there/,
    "set $http_accept x;": /set needs a variable whose name begins with \$own_/,
    "set $bluegreen_stream 1;": /set needs a variable/,
    "rewrite ^/a /b;": /rewrite needs break, redirect or permanent/,
    "rewrite ^/a /b last;": /rewrite needs break/,
    [`rewrite "^(?'http_accept'a)" /b break;`]: /a pattern can't give names/,
    "proxy_set_header x_real-IP 1;": /proxy_set_header can't set x_real-IP/,
    'proxy_set_header "Host" a;': /proxy_set_header can't set "Host"/,
  };
  for (const [text, problem] of Object.entries(REFUSED))
    it(`refuses ${JSON.stringify(text)}`, () => {
      const [found, ...others] = findViolations({ ...LEAST, proxy: { nginxConfig: text } });
      assert.equal(found.propertyPath, "proxy.nginxConfig");
      assert.match(found.reason, problem);
      assert.deepEqual(others, []);
    });
  it("refuses what is no text, or could be a name of the template", () => {
    for (const nginxConfig of [7, {}, ["etag off;"], "return 200 <live>;", "etag off;\0"] as string[])
      assert.equal(findViolations({ ...LEAST, proxy: { nginxConfig } })[0].propertyPath, "proxy.nginxConfig");
  });

  it("the how-to lists what is taken", () => {
    const text = readFileSync("docs/how-to/nginx-config.md", "utf8");
    const list = /^`absolute_redirect`.*$/m.exec(text)?.[0] ?? "";
    const listed = [...list.matchAll(/`(\w+)(…?)`/g)].map(
      ([, name, more]) => new RegExp(`^${name}${more && ".*"}$`),
    );
    for (const name of ALLOWED)
      assert.ok(
        listed.some((one) => one.test(name)),
        name,
      );
    for (const one of listed)
      assert.ok(
        [...ALLOWED].some((name) => one.test(name)),
        String(one),
      );
  });

  it("whatever is not refused changes nothing beside it", () => {
    const words = [
      "etag",
      "off",
      "return",
      "if",
      "($own_a)",
      "{",
      "}",
      ";",
      '"',
      "'",
      "\\",
      "#",
      "\n",
      " ",
      "$",
      "a",
    ];
    const facts = ["# live: blue evil", "#: idle", "# claim: * /", "server {", "}\n}\n"];
    const text = fc
      .array(fc.constantFrom(...words, ...facts, "etag off;", "if ($own_a) { return 200 '"), {
        maxLength: 12,
      })
      .map((parts) => parts.join(""));
    const [without, run] = [siteWith(""), assemble({ shop: siteWith("") })];
    const rest = (config: string) =>
      config
        .split("\n")
        .filter((line) => !/ # proxy\.nginxConfig, line \d+$/.test(line))
        .join("\n");
    let accepted = 0;
    fc.assert(
      fc.property(text, (nginxConfig) => {
        if (problemOfPiece(nginxConfig) !== undefined) return;
        accepted++;
        assert.equal(rest(siteWith(nginxConfig)), without);
        if (accepted < 20) assert.equal(rest(assemble({ shop: siteWith(nginxConfig) })), run);
      }),
      { numRuns: RUNS * 50, examples: [["etag off;"], ["if ($own_a) { return 403; }"]] },
    );
    assert.ok(accepted > RUNS / 4, String(accepted));
  });
});
