import assert from "node:assert/strict";
import { useImages } from "../support/images";
import { itInFull } from "../support/short";
import { useStack, type Config } from "../support/stack";

interface Case {
  behaviour: string;
  /** What the failed update says, each a line or a part of one. */
  says: RegExp[];
  /** The advice, followed. */
  follow: Config;
  /** What it leaves set, to be set back. */
  unset: string[];
  /** Also in the short form. */
  always?: true;
}

// The idle color is the candidate, and blue serves as it did.
const CASES: { [what: string]: Case } = {
  "it listens on another port": {
    always: true,
    behaviour: "other-port",
    says: [
      /Last answer to GET \/health: none: \d+\.\d+\.\d+\.\d+:3000 refuses connections/,
      /State of \S+: running \(Up .*\), restarted 0 times\./,
      /It listens on \[::\]:5000\./,
      /Why: nothing listens on port 3000, which is containerPort; it listens on 5000\./,
      /What to do next: set containerPort .*'pulumi config set containerPort 5000'/,
      /nginx logged: .*connect\(\) failed \(111: Connection refused\)/,
    ],
    follow: { containerPort: 5000 },
    unset: ["containerPort"],
  },
  "it listens on 127.0.0.1 only": {
    behaviour: "loopback",
    says: [
      /It listens on 127\.0\.0\.1:3000\./,
      /Why: on port 3000 it listens on its own loopback address only/,
      /What to do next: let the service listen on 0\.0\.0\.0, by its environment/,
    ],
    follow: { green: { env: { BIND: "0.0.0.0" } } },
    unset: ["green.env.BIND"],
  },
  "it never answers": {
    behaviour: "hangs",
    says: [
      /Last answer to GET \/health: none: the container said nothing, or not all, within 1 s/,
      /Why: the service takes the connection, but does not answer within health\.timeoutSeconds \(1\)/,
      /What to do next: set health\.path to a path that answers sooner, or raise health\.timeoutSeconds/,
    ],
    follow: { health: { path: "/" } },
    unset: ["health.path"],
  },
  "it starts slowly": {
    always: true,
    behaviour: "late-start",
    says: [
      /It listens on no TCP port\./,
      /Why: it does not listen on any port: it is still starting, or it never listens/,
      /What to do next: if it needs longer to start, raise health\.gateTimeoutSeconds \(now 3\)/,
    ],
    follow: { health: { gateTimeoutSeconds: 40 } },
    unset: [],
  },
  "it has no such path": {
    behaviour: "no-health",
    says: [
      /Last answer to GET \/health: HTTP 404/,
      /Why: the service has nothing to answer to GET \/health, which is health\.path/,
      /What to do next: set health\.path/,
    ],
    follow: { health: { path: "/" } },
    unset: ["health.path"],
  },
  "it insists on its own name": {
    behaviour: "wants-name",
    says: [
      /Last answer to GET \/health: HTTP 400/,
      /Why: .*another host name than localhost, which is health\.hostHeader/,
      /What to do next: set health\.hostHeader/,
    ],
    follow: { health: { hostHeader: "shop.example.com" } },
    unset: ["health.hostHeader"],
  },
  "it insists on HTTPS": {
    always: true,
    behaviour: "wants-https",
    says: [
      /Last answer to GET \/health: HTTP 301/,
      /Why: it redirects to https:\/\/shop\.example\.com\/health: it insists on HTTPS/,
      /What to do next: .*set health\.path/,
    ],
    follow: { health: { path: "/" } },
    unset: ["health.path"],
  },
};

describe("a gate that fails", () => {
  const images = useImages({ good: "ok" });
  const stack = useStack({
    blue: { image: images.good },
    green: { image: images.good },
    health: { gateTimeoutSeconds: 3, timeoutSeconds: 1 },
    stopGraceSeconds: 30,
    redis: { enabled: false },
  });
  before(async () => void (await stack.up()));
  const serves = async () => assert.equal((await stack.serving()).live, "blue good");

  for (const [what, { behaviour, says, follow, unset, always }] of Object.entries(CASES)) {
    (always ? it : itInFull)(
      `F28 U6: ${what}: the cause and the setting are named, not the image, and the advice works`,
      async () => {
        await stack.set({ green: { env: { BEHAVIOUR: behaviour } } });
        const { output } = await stack.upFails();
        for (const words of says) assert.match(output, words);
        assert.doesNotMatch(output, /What to do next: .*\bimage\b/);
        assert.doesNotMatch(output, /<html>/, "no page of nginx");
        await serves();

        await stack.set(follow);
        await stack.up();
        await serves();
        if (unset.length > 0) await stack.unset(...unset);
        await stack.set({ health: { gateTimeoutSeconds: 3 } });
      },
    );
  }

  it("F28: an app that speaks HTTP/2 only is told from one that does not listen", async () => {
    await stack.set({ green: { env: { BEHAVIOUR: "only-http2" } } });
    const { output } = await stack.upFails();
    assert.match(output, /Last answer to GET \/health: none: what \S+:3000 sends is not HTTP\/1\.1/);
    assert.match(output, /Why: the service does not speak HTTP\/1\.1 on port 3000/);
    assert.doesNotMatch(output, /What to do next: .*\bimage\b/);
  });

  it("F28: one that crashes is told with its exit code and its log, and here the image may be to blame", async () => {
    await stack.set({ green: { env: { BEHAVIOUR: "exits" } } });
    const { output } = await stack.upFails();
    const [state] = /State of .*/.exec(output) ?? assert.fail(output);
    assert.match(state, /: (restarting|exited|running)\b.*restarted [1-9]\d* times/);
    assert.match(state, /exit code 3/, "also where Docker has just started it again");
    assert.match(output, /Why: it does not stay up/);
    assert.match(output, /\| fixture: the database password is missing/);
    assert.match(
      output,
      /What to do next: mend what its log says: the green image, its environment, or its command/,
    );
  });

  it("F18: the failed update ends with what serves and where, and Pulumi still has the outputs", async () => {
    const { url, previewUrl } = await stack.outputs();
    await stack.set({ blue: { env: { BEHAVIOUR: "exits" } } });
    const { output } = await stack.upFails();
    assert.match(output, /^ +- url +: /m, "what users take for a loss");
    assert.equal((await stack.outputs()).url, url);
    assert.ok(
      output.includes(`The live color keeps serving at ${url}, the idle one at ${previewUrl}.`),
      output,
    );
    assert.match(output, new RegExp(`blue: \\S+ \\(${images.good}\\): live, running`));
    assert.match(output, /'pulumi stack output' still has them/);
    assert.equal((await stack.live()).status, 200);
    await stack.unset("blue.env");
  });

  it("F30: a candidate that ignores SIGTERM is stopped at once, with a word", async () => {
    await stack.set({ green: { env: { BEHAVIOUR: "hangs" } } });
    const { output } = await stack.upFails();
    assert.match(output, /==> stopping \S+-service-green-\S+, within 1 s/);
    const [candidate] = await stack.containers("green");
    assert.equal(candidate.State.Running, false);
  });
});
