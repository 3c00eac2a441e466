import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { problemOfNames } from "../../components/names";
import { fillSite } from "../../components/nginx/fillSite";
import { renderStagedSite, renderTemplates } from "../../components/nginx/site";
import { planInWords } from "../../components/release/plan";
import { renderIdleGateInput, renderSwitchInput, switchHash } from "../../components/release/switchInput";
import { findViolations, namesOf, type Settings } from "../../components/settings";
import { assignments, shellFile } from "../../components/shell";
import { declare } from "./mocked";
import { LEAST, RUNS, settingsOf, validSettings } from "./valid";

const THREE = { ...LEAST, replicas: 3 };
const sh = (input: string) => {
  const { status, stdout, stderr } = spawnSync("sh", ["-s"], {
    input: `set -eu\n${input}`,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
};
const BOTH = shellFile("in-both/replicas.sh");
const STEPS = [BOTH, shellFile("in-nginx/piped/steps.sh")].join("\n");

describe("N15 replicas", () => {
  it("is a number of containers, for both colors or for one", () => {
    const wrong = (args: object) =>
      findViolations({ ...LEAST, ...args }).map(({ propertyPath, reason }) => `${propertyPath} ${reason}`);
    for (const replicas of [1, 16]) assert.deepEqual(wrong({ replicas }), []);
    for (const replicas of [0, 17, 1.5, "2", -1])
      assert.deepEqual(wrong({ replicas }), [
        `replicas is ${JSON.stringify(replicas)}, but must be a whole number from 1 to 16`,
      ]);
    const { colors } = settingsOf({ ...THREE, green: { ...LEAST.green, replicas: 2 } });
    assert.deepEqual([colors.blue.replicas, colors.green.replicas], [3, 2]);
    const recreate = { strategy: "recreate" };
    const because =
      'but strategy "recreate" is for a service that there may be only one of. Leave one of them out';
    assert.deepEqual(wrong({ ...recreate, replicas: 2 }), [`replicas is 2, ${because}`]);
    assert.deepEqual(wrong({ ...recreate, blue: { ...LEAST.blue, replicas: 2 } }), [
      `blue.replicas is 2, ${because}`,
    ]);
    assert.deepEqual(wrong({ ...recreate, replicas: 1 }), []);
  });

  it("makes names longer, which Docker has to find", () => {
    const names = { project: "shop", stack: "prod", component: "c".repeat(48) };
    assert.equal(problemOfNames(names, false), undefined);
    assert.match(problemOfNames(names, false, 10) ?? "", /of 65 letters, c+-green-0000000-10/);
  });

  it("makes as many containers, of which the further ones are as the first, and named after it", async () => {
    const { resources } = await declare({ ...THREE, green: { ...LEAST.green, replicas: 1 }, memoryMb: 64 });
    assert.deepEqual(
      Object.keys(resources)
        .filter((name) => /^(blue|green)/.test(name))
        .sort(),
      ["blue", "blue-2", "blue-3", "green"],
    );
    const { blue, "blue-2": second, "blue-3": third, switch: switched, "idle-gate": gate } = resources;
    const { name, labels, ...same } = third.inputs;
    assert.equal(name, "shop-blue-1a2b3c4-3");
    const { labels: ofFirst, ...first } = blue.inputs;
    assert.deepEqual(same, first);
    assert.deepEqual(labels, [...(ofFirst as object[]), { label: "bluegreen.replica", value: "3" }]);
    assert.deepEqual(
      [second.deleteBeforeReplace, second.ignoreChanges, second.dependencies.includes("shop-blue")],
      [false, blue.ignoreChanges, true],
    );
    assert.deepEqual((switched.inputs.triggers as string[]).slice(1, 4), [
      "shop-blue-id",
      "shop-blue-2-id",
      "shop-blue-3-id",
    ]);
    assert.equal((gate.inputs.triggers as string[]).length, 6);
    for (const one of [resources.edge, resources.proxy, switched])
      assert.ok(one.dependencies.includes("shop-blue-3"), one.name);
  });

  it("with one, everything is as without", () => {
    const values = (settings: Settings) => ({
      ...{ lockHolder: "acme/dev/shop", service: "shop", id: "1", ingress: "web" },
      settings,
    });
    fc.assert(
      fc.property(validSettings, (settings) => {
        const { blue, green } = settings.colors;
        const one = {
          ...settings,
          colors: { blue: { ...blue, replicas: 1 }, green: { ...green, replicas: 1 } },
        };
        const told = [
          renderSwitchInput(values(one), "first"),
          renderIdleGateInput(values(one), { blue: "first", green: "other" }),
        ].map((input) => input.slice(0, input.indexOf("\nin_container_script()")));
        assert.doesNotMatch(told.join(), /-(many|one|each|end|replicas)>|_REPLICAS=|max_fails|next_upstream/);
      }),
      { numRuns: RUNS },
    );
    const { lockHolder, ...more } = values(settingsOf(THREE));
    const input = renderSwitchInput({ lockHolder, ...more }, "first");
    assert.match(input, /\nLIVE_REPLICAS='3'\n/);
    assert.match(
      renderIdleGateInput({ lockHolder, ...more }, { blue: "b", green: "g" }),
      /\nBLUE_REPLICAS='3'\n[^]*\nGREEN_REPLICAS='3'\n/,
    );
    // How many of the idle color is none of the switch's business.
    const other = settingsOf({ ...THREE, green: { ...LEAST.green, replicas: 2 } });
    assert.equal(switchHash(other), switchHash(settingsOf(THREE)));
  });

  it("nginx knows them by one name, which tells how many they are; each is gated by its own", () => {
    const settings = settingsOf({ ...THREE, ports: [{ containerPort: 2, path: "/admin" }] });
    const live = { color: "blue", container: "b", port: 3000, replicas: 3 };
    const idle = { color: "green", container: "g", port: 3000 };
    const site = fillSite(renderTemplates(settings), "shop", live, idle);
    const all = (pattern: RegExp) => [...site.matchAll(pattern)].map(([, found]) => found);
    assert.deepEqual(all(/^# (?:live|idle|replicas): (.*)$/gm), ["blue b", "b 3", "green g", "g 1"]);
    assert.deepEqual(all(/^upstream (\S+) \{$/gm), ["b~3", "b-2~3", "g", "g-2"]);
    assert.deepEqual(all(/^ {2}server (\S+) resolve max_fails=0;$/gm), [
      ...["b:3000", "b-2:3000", "b-3:3000", "b:2", "b-2:2", "b-3:2"],
      ...["g:3000", "g:2"],
    ]);
    assert.deepEqual(all(/listen unix:\/run\/bluegreen\/(?:gate|peers)-(\S+)\.sock;/g), [
      ...["b", "b-2", "b-3", "b~3", "g", "g"],
    ]);
    assert.deepEqual(
      [...new Set(all(/proxy_pass "?http:\/\/([^/;"]+)/g))],
      [...["b~3", "$bluegreen_peer:3000", "b-2~3", "g", "g-2"]],
    );
    assert.doesNotMatch(site, /[<>]/);
    const tried = /error_page 418 502 504 = @b;/;
    assert.match(site, tried);
    for (const proxy of [{ protocol: "grpc" }, { requestBuffering: false }])
      assert.doesNotMatch(renderTemplates(settingsOf({ ...THREE, proxy })).site, /418 50|bluegreen_tried/);
  });

  it("only what the site has not yet is staged", () => {
    const settings = settingsOf(THREE);
    const served = { color: "blue", container: "b", port: 3000, replicas: 2 };
    const site = fillSite(renderTemplates(settings), "shop", served);
    const staged = (replicas: number) =>
      sh(`${assignments({ SITE: "/dev/stdin", STAGED_TEMPLATE: renderStagedSite(settings) })}${STEPS}
SITE=$(mktemp)
cat >"$SITE" <<'END'
${site}
END
printf '%s\\n' "$STAGED_TEMPLATE" | fill candidate b 3000 ${replicas} | not_in_site
rm "$SITE"`);
    assert.equal(staged(2), "");
    const names = (text: string) => [...text.matchAll(/^upstream (\S+)|sock|listen unix:.*\/(\S+)\.sock/gm)];
    assert.deepEqual(
      names(staged(3)).map(([, upstream, socket]) => upstream ?? socket),
      ["b~3", "gate-b-3", "peers-b~3"],
    );
    assert.deepEqual(
      names(staged(1)).map(([, upstream, socket]) => upstream ?? socket),
      ["b", "peers-b"],
    );
  });

  it("their names are the same in the shell", () => {
    for (const count of [1, 2, 16])
      assert.deepEqual(sh(`${BOTH}\nnames_of a.b ${count}`).trim().split("\n"), namesOf("a.b", count));
    assert.equal(sh(`${BOTH}\nnames_of '' 3`), "");
    assert.equal(
      sh(`${BOTH}\nwithout "$(names_of a 3)" "$(names_of a 2)"; among "$(names_of a 2)" a-2`),
      "a-3\na-2\n",
    );
    assert.equal(sh(`${BOTH}\nwithout '' ''; without a ''; among a ''; among '' a`), "a\n");
  });

  it("a pass is one of all; the first that does not, is named", () => {
    const gate = (answers: string) =>
      sh(`${["common", "gate"].map((one) => shellFile(`in-nginx/piped/${one}.sh`).replace(/^set -eu$|^\. .*$|^\[ "\$\{PROTOCOL.*\n.*$/gm, "")).join("\n")}
GATE_TIMEOUT=1 HEALTH_INTERVAL=0 HEALTH_PASSES=2 HEALTH_ASKED='GET /up' probe_final=''
say() { echo "$@"; }
sleep() { :; }
note_failure() { echo "failed: $*"; }
asks=0
uptime_seconds() { echo $((asks / 20)); }
ask_for_gate() {
  asks=$((asks + 1)) last_answer="of $1"
  case $1 in ${answers}) ;; *) return 1 ;; esac
}
(gate blue b b-2 b-3) 2>&1 || echo "status $?"`);
    assert.equal(
      gate("*"),
      `gate: blue on /up, 2 in a row within 1 s (each of 3 containers)
gate: blue passed 1 of 2: of b-3 (each of 3 containers)
gate: blue passed 2 of 2: of b-3 (each of 3 containers)
`,
    );
    assert.match(
      gate("b | b-3"),
      /\nfailed: gate blue b-2\nerror: blue \(b-2\) did not pass its health gate: no 2 passes in a row within 1 s\.\n.*of b-2\nstatus 10\n$/,
    );
  });

  /** What the host's part stops, where these run and this is served. */
  function stopped(running: string[], served: string, more = "", failed = "") {
    const lines = ["b", "b-2", "b-3", "g", "g-2", "old", "old-2"].map(
      (name) =>
        `${name} ${name.startsWith("g") ? "green" : "blue"} ${running.includes(name) ? "running" : "exited"} image id i`,
    );
    const parts = [
      "in-both/replicas",
      "on-host/containers",
      "on-host/explain",
      "on-host/failure",
      "on-host/conclude",
    ];
    const given = { SERVICE: "shop", SERVICE_ID: "id", INGRESS: "i", IDLE: "running", STOP_GRACE_SECONDS: 7 };
    return sh(`${parts.map((part) => shellFile(`${part}.sh`)).join("\n")}
${assignments({ ...given, LINES: [...lines, "nginx proxy running image id i"].join("\n"), SERVED: served, failure: "" })}
docker() {
  case $1 in
    ps) printf '%s\\n' "$LINES" ;;
    exec) printf '%s\\n' "$SERVED" ;;
  esac
}
${more}
look_around
stop_what_is_not_served ${failed}`)
      .split("\n")
      .filter((line) => line !== "");
  }

  it("where one can't be started, none of them runs in vain", () => {
    const fails = `docker() {
  case "$*" in
    ps*) printf '%s\\n' "$LINES" ;;
    exec*) printf '%s\\n' "$SERVED" ;;
    "start b-3") echo "no such luck" >&2 && return 1 ;;
  esac
}
candidate_replicas=3
give_up() { exit 0; }
look_around
start_all b b b-2 b-3 2>&1`;
    assert.deepEqual(stopped(["b", "b-2", "g", "g-2"], "live: blue old", fails).slice(0, 7), [
      "==> starting b-3",
      "==> stopping b, within 1 s",
      "==> stopping b-2, within 1 s",
      "==> stopping b-3, within 1 s",
      "==> stopping g, within 7 s",
      "==> stopping g-2, within 7 s",
      "error: the container b-3 can't be started. Docker says:",
    ]);
  });

  it("all that nginx does not serve is stopped, at once, with its peers", () => {
    const served = "live: blue b\nreplicas: b 2\nidle: green g\nreplicas: g 2";
    assert.deepEqual(stopped(["b", "b-2", "b-3", "g", "g-2", "old", "old-2"], served), [
      "==> stopping b-3, within 7 s",
      "==> stopping old, within 7 s",
      "==> stopping old-2, within 7 s",
    ]);
    assert.deepEqual(stopped(["b", "b-2", "g", "g-2"], served), []);
    assert.deepEqual(stopped(["b", "b-2", "g", "g-2"], served, "IDLE=stopped"), [
      "==> stopping g, within 7 s",
      "==> stopping g-2, within 7 s",
    ]);
    // One that has failed its gate has served nobody.
    assert.deepEqual(stopped(["b", "b-2", "b-3", "old"], served, "candidate_replicas=3", "b"), [
      "==> stopping b-3, within 1 s",
      "==> stopping old, within 7 s",
    ]);
  });

  it("the plan says how many there are, and what becomes of the others", () => {
    const release = { activeColor: "blue", blueImage: "s:1", greenImage: "s:2", proxyImage: "", binding: "" };
    const children = (...names: string[]) =>
      Object.fromEntries(["blue", "green", "switch", "green-jobs", ...names].map((name) => [name, "id"]));
    const plan = (settings: Settings, ...peers: string[]) =>
      planInWords({ ...release, failed: {}, children: children(...peers) }, release, settings, {
        declared: new Set(),
        made: new Set(["switch"]),
        all: false,
      });
    assert.deepEqual(plan(settingsOf(LEAST)), []);
    assert.deepEqual(plan(settingsOf({ ...LEAST, blue: { ...LEAST.blue, replicas: 2 } }), "blue-2"), []);
    assert.deepEqual(plan(settingsOf(THREE)), [
      "blue: 1 -> 3 containers; each new one is gated before it gets a request",
      "green: 1 -> 3 containers; each new one is gated before it gets a request",
    ]);
    assert.deepEqual(plan(settingsOf(LEAST), "blue-2", "green-2"), [
      "blue: 2 -> 1 containers; what is too many ends after a drain of up to 30 s",
      "green: 2 -> 1 containers; what is too many ends",
    ]);
    const decided = { declared: new Set<string>(), made: new Set(["switch"]), all: true };
    const scaled = settingsOf({ ...LEAST, blue: { ...LEAST.blue, replicas: 2 } });
    const former = { ...release, failed: {}, children: children() };
    assert.equal(planInWords(former, release, scaled, decided).at(-1), "blue stays live with s:1");
    const first = planInWords(undefined, release, settingsOf(THREE), {
      declared: new Set(),
      made: new Set(),
      all: true,
    });
    assert.ok(first.includes("blue: 3 containers, each of them gated"), first.join("\n"));
  });
});
