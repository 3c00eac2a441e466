import fc from "fast-check";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderPull } from "../../components/host/images";
import { hostOf, registryOf } from "../../components/host/registry";
import { anyText, RUNS } from "./valid";

const IMAGES = { "blue.image": "ghcr.io/acme/shop:1.0.0", "proxy.image": "nginx:1.30.6" };
const ACCOUNT = { address: "ghcr.io", username: "bot", password: "s3cr3t" };

describe("the registry of an image", () => {
  const cases: { [image: string]: string } = {
    "nginx:1.30.6": "docker.io",
    "acme/shop:1": "docker.io",
    "docker.io/acme/shop:1": "docker.io",
    "index.docker.io/acme/shop:1": "docker.io",
    "ghcr.io/acme/shop:1": "ghcr.io",
    "localhost/shop:1": "localhost",
    "localhost:5000/shop:1": "localhost:5000",
    "reg.example:5000/team/a/shop:1": "reg.example:5000",
  };
  for (const [image, registry] of Object.entries(cases)) {
    it(`${image}: ${registry}`, () => assert.equal(registryOf(image), registry));
  }
  it("is named with or without a scheme, and Docker's own in many ways", () => {
    const names = [
      "https://ghcr.io",
      "ghcr.io",
      "docker.io",
      "https://index.docker.io",
      "hub.docker.com.example",
    ];
    assert.deepEqual(names.map(hostOf), [
      "ghcr.io",
      "ghcr.io",
      "docker.io",
      "docker.io",
      "hub.docker.com.example",
    ]);
  });
});

/** Runs an input with a "docker" that has some images, and says what it is called with and which accounts it sees. */
function pull(input: string, { there = [] as string[], pullable = [] as string[], answers = true } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-unit-"));
  const docker = path.join(folder, "docker");
  writeFileSync(
    docker,
    `#!/bin/sh
if [ "$1" = --config ]; then cat "$2/config.json" >"$FOLDER/accounts"; with=given; shift 2; fi
echo "\${with-host} $*" >>"$FOLDER/calls"
is_in() { list=$1; shift; for one; do case " $list " in *" $one "*) ;; *) return 1 ;; esac; done; }
case $1 in
  version) [ "$ANSWERS" = true ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; } ;;
  image) shift 2; is_in "$THERE" "$@" ;;
  pull) is_in "$PULLABLE" "$2" || { echo "manifest unknown" >&2; exit 1; } ;;
esac
`,
  );
  chmodSync(docker, 0o755);
  try {
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      TMPDIR: folder,
      FOLDER: folder,
      THERE: there.join(" "),
      PULLABLE: pullable.join(" "),
      ANSWERS: String(answers),
    };
    const { status, stdout, stderr } = spawnSync("sh", ["-s"], { input, env, encoding: "utf8" });
    const take = (name: string) => {
      const file = path.join(folder, name);
      return existsSync(file) ? readFileSync(file, "utf8") : "";
    };
    return { status, stdout, stderr, calls: take("calls").trim().split("\n"), accounts: take("accounts") };
  } finally {
    const left = spawnSync("ls", [folder], { encoding: "utf8" }).stdout.match(/tmp\.\w+/g);
    rmSync(folder, { recursive: true });
    assert.equal(left, null, "what it wrote is gone");
  }
}

describe("the pull of what the host lacks", () => {
  it("asks once where nothing is missing", () => {
    const { status, calls, stdout } = pull(renderPull(IMAGES, [ACCOUNT]), { there: Object.values(IMAGES) });
    assert.equal(status, 0);
    assert.deepEqual(calls, ["host image inspect ghcr.io/acme/shop:1.0.0 nginx:1.30.6"]);
    assert.equal(stdout, "");
  });

  it("signs in with the given account where the registry has one, and as the host where not", () => {
    const { status, calls, stdout, accounts } = pull(renderPull(IMAGES, [ACCOUNT]), {
      pullable: Object.values(IMAGES),
    });
    assert.equal(status, 0);
    assert.deepEqual(
      calls.filter((call) => call.includes("pull")),
      ["given pull ghcr.io/acme/shop:1.0.0", "host pull nginx:1.30.6"],
    );
    assert.equal(stdout, "==> pulling ghcr.io/acme/shop:1.0.0\n==> pulling nginx:1.30.6\n");
    const auth = Buffer.from("bot:s3cr3t").toString("base64");
    assert.deepEqual(JSON.parse(accounts), { auths: { "ghcr.io": { auth } } });
  });

  it("calls Docker Hub as the client does", () => {
    const hub = { ...ACCOUNT, address: "docker.io" };
    const { calls, accounts } = pull(renderPull({ "blue.image": "acme/shop:1" }, [hub]), {
      pullable: ["acme/shop:1"],
    });
    assert.ok(calls.includes("given pull acme/shop:1"));
    assert.deepEqual(Object.keys((JSON.parse(accounts) as { auths: object }).auths), [
      "https://index.docker.io/v1/",
    ]);
  });

  it("tells all that can't be had, by setting, with the registry's words", () => {
    const { status, stderr } = pull(renderPull(IMAGES, []));
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^error: blue\.image: ghcr\.io\/acme\/shop:1\.0\.0 is not on the host and can't be pulled:\n {2}manifest unknown\nerror: proxy\.image: nginx:1\.30\.6 is not .*\n {2}manifest unknown\nNothing was changed: what is live keeps serving\.\nWhat to do next: /,
    );
  });

  it("says it once when Docker does not answer", () => {
    const { status, stderr, calls } = pull(renderPull(IMAGES, []), { answers: false });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^error: no answer from Docker at its default address\. Nothing was changed\.\n {2}Cannot connect to the Docker daemon\nWhat to do next: [^\n]*\n$/,
    );
    assert.ok(!calls.some((call) => call.includes("pull")));
  });

  it("takes any user name and password as data", () => {
    fc.assert(
      fc.property(anyText, anyText, (username, password) => {
        const account = { ...ACCOUNT, username, password };
        const { status, accounts } = pull(renderPull({ "blue.image": IMAGES["blue.image"] }, [account]), {
          pullable: [IMAGES["blue.image"]],
        });
        assert.equal(status, 0);
        const { auths } = JSON.parse(accounts) as { auths: { [host: string]: { auth: string } } };
        assert.equal(Buffer.from(auths["ghcr.io"].auth, "base64").toString(), `${username}:${password}`);
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });

  it("a part of it, cut off anywhere, calls nothing", () => {
    const input = renderPull(IMAGES, [ACCOUNT]);
    const end = input.lastIndexOf("main\n");
    for (const cut of fc.sample(fc.integer({ min: 0, max: end }), 60).concat(0, end))
      assert.deepEqual(pull(input.slice(0, cut)).calls, [""], `cut at ${cut} of ${input.length}`);
  });
});

/** Runs an input with a "docker" whose disk has room for one image more only when old ones are removed. */
function pullOnFullDisk(keepImages: number | undefined, journal: string[]) {
  const folder = mkdtempSync(path.join(tmpdir(), "bluegreen-unit-"));
  const docker = path.join(folder, "docker");
  writeFileSync(
    docker,
    `#!/bin/sh
cd "$FOLDER"
case "$1 $2" in
  "image inspect") [ -e pulled ] ;;
  "image ls") for n in 1 2 3; do echo "ghcr.io/acme/shop:$n ghcr.io/acme/shop@sha256:$n"; done ;;
  "image rm") echo "$3" >>removed ;;
  "ps "*) echo nginx-id ;;
  "exec nginx-id") cat journal ;;
  "info "*) case $3 in *RootDir*) echo /var/lib/docker ;; *) echo overlay2 ;; esac ;;
  "pull "*)
    [ -e removed ] || { echo "failed to register layer: write /app/a.bin: no space left on device" >&2; exit 1; }
    : >pulled ;;
esac
`,
  );
  chmodSync(docker, 0o755);
  const entry = (image: string) => `{"at":"x","to":"green","blue":"ghcr.io/acme/shop:1","green":"${image}"}`;
  writeFileSync(path.join(folder, "journal"), journal.map((image) => `${entry(image)}\n`).join(""));
  try {
    const images = { "blue.image": "ghcr.io/acme/shop:1", "green.image": "ghcr.io/acme/shop:4" };
    const { status, stdout, stderr } = spawnSync("sh", ["-s"], {
      input: renderPull(images, [], [], { ingress: "acme-dev-shop", keepImages }),
      env: { PATH: `${folder}:${process.env.PATH}`, FOLDER: folder, TMPDIR: folder },
      encoding: "utf8",
    });
    const removed = path.join(folder, "removed");
    const gone = existsSync(removed) ? readFileSync(removed, "utf8").trim().split("\n") : [];
    return { status, stdout, stderr, gone };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("F15: a pull for which the disk has no room", () => {
  const SHOP = "ghcr.io/acme/shop";

  it("removes what may go after this release, and pulls again", () => {
    const { status, stdout, gone } = pullOnFullDisk(1, [`${SHOP}:2`, `${SHOP}:3`]);
    assert.equal(status, 0);
    // 3 is the former one once 4 is live; 1 is blue's.
    assert.deepEqual(gone, [`${SHOP}:2`]);
    assert.match(stdout, /==> no room for \S+: the disk of the Docker host is full \(\/var\/lib\/docker/);
    assert.match(stdout, /==> removed an old image: ghcr\.io\/acme\/shop:2/);
  });

  for (const [title, keepImages, journal] of [
    ["nothing may go", 1, [`${SHOP}:3`]],
    ["nothing is to be removed by itself", undefined, [`${SHOP}:2`, `${SHOP}:3`]],
  ] as const) {
    it(`names the disk, and no spelling or login, where ${title}`, () => {
      const { status, stderr, gone } = pullOnFullDisk(keepImages, [...journal]);
      assert.equal(status, 1);
      assert.deepEqual(gone, []);
      assert.match(
        stderr,
        /^error: blue\.image: there is no room for \S+: the disk of the Docker host is full \(\/var\/lib\/docker.*\):\n {2}.*no space left on device\n/,
      );
      assert.match(stderr, /Nothing was changed: what is live keeps serving\.\nWhat to do next: make room/);
      assert.doesNotMatch(stderr, /spelt|login/);
    });
  }
});
