import assert from "node:assert/strict";
import type { BlueGreenServiceArgs } from "../../../components/index";
import { other } from "../../../components/settings";
import { hash } from "../../../components/shell";
import { fillSite } from "../../../components/nginx/fillSite";
import { renderTemplates } from "../../../components/nginx/site";
import { renderTakeOver } from "../../../components/ingress/createIngress";
import {
  renderIdleGateInput,
  renderSwitchInput,
  renderWorkersInput,
} from "../../../components/release/switchInput";
import { compare } from "../../../components/cli/compare";
import { inWords } from "../../../components/cli/words";
import { readFacts } from "../../../components/cli/observe";
import type { Container, Entry, Facts, Observed } from "../../../components/cli/report";
import { readServices } from "../../../components/cli/services";
import { settingsOf } from "../valid";

const URN = "urn:pulumi:prod::shop::bluegreen:index:BlueGreenService";
const NAMES = { blue: "shop-blue-1", green: "shop-green-1", proxy: "shop-proxy-1", edge: "shop-edge-1" };
const ARGS: BlueGreenServiceArgs = {
  activeColor: "blue",
  blue: { image: "shop:1.0" },
  green: { image: "shop:1.1" },
  health: { bodyText: "it's\nup", jsonField: undefined },
};
const DONE: Entry = {
  at: "2026-01-01T10:00:00Z",
  by: "me@host",
  stack: "shop/prod/shop",
  from: "",
  to: "blue",
  seconds: 2,
};

interface Resource {
  urn: string;
  type: string;
  [more: string]: unknown;
}

/** What `pulumi stack export` gives after the last switch passed. */
function exported(args: Partial<BlueGreenServiceArgs> = {}) {
  const settings = settingsOf({ ...ARGS, ...args });
  const values = {
    lockHolder: "shop/prod/shop",
    id: "1a2b3c4d",
    ingress: "shop-prod-shop",
    service: "shop",
    settings,
  };
  const command = (name: string, stdin: string) =>
    child("command:local:Command", name, { inputs: { stdin } });
  const child = (type: string, name: string, more: object): Resource => ({
    urn: `${URN}$${type}::shop-${name}`,
    type,
    parent: `${URN}::shop`,
    ...more,
  });
  const container = (role: string, name: string) =>
    child("docker:index/container:Container", role, { id: `id of ${name}`, outputs: { name } });
  const resources: Resource[] = [
    { urn: `${URN}::shop`, type: "bluegreen:index:BlueGreenService" },
    child("pulumi:providers:docker", "docker", {
      inputs: { host: "ssh://me@there", sshOpts: '["-o","StrictHostKeyChecking=yes"]' },
    }),
    ...Object.entries(NAMES).map(([role, name]) => container(role, name)),
    container("redis", "shop-redis"),
    command("idle-gate", renderIdleGateInput(values, NAMES)),
    command(
      "take-over",
      renderTakeOver({ ...values, nginxContainer: NAMES.proxy, stack: values.lockHolder }),
    ),
    command("switch", renderSwitchInput(values, NAMES[settings.activeColor])),
  ];
  return { deployment: { resources, pending_operations: [] as object[] } };
}

const siteOf = (args: Partial<BlueGreenServiceArgs> = {}) => {
  const settings = settingsOf({ ...ARGS, ...args });
  const { activeColor: live } = settings;
  const side = (color: "blue" | "green") => ({
    color,
    container: NAMES[color],
    port: settings.colors[color].containerPort,
  });
  const site = fillSite(renderTemplates(settings), "shop", side(live), side(other(live)));
  return { site, hash: hash(site) };
};

interface There extends Observed {
  edge: Facts;
  proxy: Facts;
}

/** What is there when all is in order; each test changes one thing. */
function observed(): There {
  const { site, hash } = siteOf();
  const facts: Facts = {
    id: "1",
    owner: "1",
    listens: true,
    lock_held: false,
    lock_holder: "shop/prod/shop since 2026-01-01T10:00:00Z",
    files: "abc",
    running: "abc",
    site,
    health_code: "200",
    healthy: true,
    health_answer: "HTTP 200 yes, it's up",
    nginxes: [],
    journal: [{ ...DONE, config: hash, outcome: "done" }],
  };
  const container = (role: string, name: string): Container => ({
    id: `id of ${name}`,
    name,
    role,
    image: "image",
    status: "running",
    exitCode: 0,
    outOfMemory: false,
    restarts: 0,
    startedAt: "2026-01-01T10:00:00.123Z",
    finishedAt: "2026-01-01T11:00:00.123Z",
    error: "",
  });
  return {
    containers: [
      ...Object.entries(NAMES).map(([role, name]) => container(role, name)),
      container("redis", "shop-redis"),
    ],
    edge: { ...facts, id: "edge", listens: false },
    proxy: facts,
  };
}

function report(
  change: (there: There, stack: ReturnType<typeof exported>) => void,
  args: Partial<BlueGreenServiceArgs> = {},
) {
  const [there, stack] = [observed(), exported(args)];
  change(there, stack);
  return compare(readServices(stack)[0], there);
}
const stop = (there: There, name: string) =>
  Object.assign(
    there.containers.find((container) => container.name === name)!,
    { status: "exited" },
  );
const editProxy = (change: object) => (there: There) => void Object.assign(there.proxy, change);

describe("N15 several containers of a color", () => {
  const args = { blue: { ...ARGS.blue, replicas: 3 } };
  const peers = ["shop-blue-1-2", "shop-blue-1-3"];
  /** As it is in order, with one thing changed. */
  function reported(change: (there: There) => void = () => {}, replicas = 3) {
    const settings = settingsOf({ ...ARGS, ...args });
    const side = (color: "blue" | "green", count: number) => ({
      ...{ color, container: NAMES[color], port: settings.colors[color].containerPort, replicas: count },
    });
    const site = fillSite(renderTemplates(settings), "shop", side("blue", replicas), side("green", 1));
    return report((there, stack) => {
      const first = there.containers.find(({ name }) => name === NAMES.blue)!;
      there.containers.push(...peers.map((name) => ({ ...first, name, id: `id of ${name}` })));
      stack.deployment.resources.push(
        ...peers.map((name, i) => ({
          urn: `${URN}$docker:index/container:Container::shop-blue-${i + 2}`,
          type: "docker:index/container:Container",
          parent: `${URN}::shop`,
          ...{ id: `id of ${name}`, outputs: { name } },
        })),
      );
      for (const facts of [there.proxy, there.edge]) facts.site = site;
      there.proxy.journal = [{ ...DONE, config: hash(site), outcome: "done" }];
      there.edge.journal = there.proxy.journal;
      change(there);
    }, args);
  }

  it("are one side, and in order when all run", () => {
    const { drift, live, idle, workers } = reported();
    assert.deepEqual(drift, []);
    assert.deepEqual(
      live?.peers,
      peers.map((container) => ({ container, state: "running" })),
    );
    assert.deepEqual([idle?.peers, workers], [[], []]);
    assert.match(
      inWords(reported()),
      /live: +blue image \(shop-blue-1, shop-blue-1-2, shop-blue-1-3\), 3 containers, running, healthy/,
    );
  });

  it("one that does not run is named, and users get the others' answers", () => {
    const found = reported((there) => {
      stop(there, peers[1]);
      editProxy({ healthy: false, health_code: "200", health_answer: "none", health_from: peers[1] })(there);
    });
    assert.deepEqual(
      found.drift.map(({ what }) => what.replace(/ since .*/, "")),
      [
        "the live color blue: shop-blue-1-3 is exited",
        "the live color blue (shop-blue-1-3) fails its health request: none",
      ],
    );
    assert.equal(found.users, "blue answers, but not each of its containers is well");
    assert.match(inWords(found), /3 containers, running, shop-blue-1-3 exited/);
    const gone = reported((there) => there.containers.splice(-1));
    assert.deepEqual(
      gone.drift.map(({ kind, what }) => [kind, what]),
      [["blue-missing", "the live color blue: shop-blue-1-3 is not there"]],
    );
  });

  it("a site with another number of them is a difference", () => {
    const { drift } = reported(() => {}, 2);
    assert.deepEqual(
      drift.map(({ kind }) => kind),
      ["replicas"],
    );
    assert.match(drift[0].what, /^blue is served from 2 container\(s\), the stack says 3/);
  });
});

describe("what status reads of a stack", () => {
  const [service] = readServices(exported());

  it("names, host and containers", () => {
    assert.equal(service.name, "shop");
    assert.equal(service.stack, "shop/prod");
    assert.equal(service.host, "ssh://me@there");
    assert.deepEqual(service.sshOptions, ["-o", "StrictHostKeyChecking=yes"]);
    assert.deepEqual(
      service.containers.map(({ role, name }) => [role, name]),
      [...Object.entries(NAMES), ["redis", "shop-redis"]],
    );
  });

  it("U9 where it answers, from the ports of its edge", () => {
    const urlsWith = (ports: object[], args = {}, host = "ssh://me@there") => {
      const { deployment } = exported();
      const named = (name: string) => deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`))!;
      Object.assign(named("shop-edge").outputs as object, { ports });
      Object.assign(named("shop"), { inputs: args });
      Object.assign(named("shop-docker").inputs as object, { host });
      return readServices({ deployment })[0].urls;
    };
    const preview = { internal: 8081, external: 9081, ip: "127.0.0.1" };
    const plain = { internal: 80, external: 8080, ip: "0.0.0.0" };
    const secure = { internal: 443, external: 8443, ip: "0.0.0.0" };
    const tls = { names: ["shop.example", "www.shop.example"] };
    const on = (live: string) => ({ live, preview: "http://127.0.0.1:9081" });
    assert.deepEqual(urlsWith([plain, preview]), on("http://there:8080"));
    assert.deepEqual(urlsWith([plain, preview], {}, "unix:///run/docker.sock"), on("http://localhost:8080"));
    assert.deepEqual(urlsWith([{ ...plain, ip: "10.0.0.1" }, preview]), on("http://10.0.0.1:8080"));
    assert.deepEqual(urlsWith([plain, secure, preview], { tls }), on("https://shop.example:8443"));
    assert.deepEqual(
      urlsWith([plain, { ...secure, external: 443 }, preview], { tls }),
      on("https://shop.example"),
    );
    assert.deepEqual(service.urls, {}, "no edge has been made");
  });

  it("what the switch was told, with quotes and newlines as they are", () => {
    const { values } = service.switch!;
    assert.equal(values.LIVE_COLOR, "blue");
    assert.equal(values.HEALTH_BODY, "it's\nup");
    assert.match(values.SITE_TEMPLATE, /^# live: <live-color> <live>\n[^]*'\$remote_addr[^]*\}\n$/);
  });

  it("what each color is wanted to be: from the switch for the live one, from the idle gate for the other", () => {
    const { values } = service.switch!;
    assert.deepEqual([values.LIVE, values.BLUE, values.GREEN], [NAMES.blue, NAMES.blue, NAMES.green]);
  });

  it("a stack without resources has no service", () => {
    assert.deepEqual(readServices({ deployment: {} }), []);
  });
});

describe("what status reads of a container", () => {
  it("facts, the journal, and what is broken in it", () => {
    const facts = readFacts(
      `id 1\nowner \nlistens yes\nlock_held no\nintent \nsite ${btoa("# live: blue x\n")}\njournal {"to":"blue"}\njournal {"to\n`,
    );
    assert.equal(facts.owner, "");
    assert.equal(facts.listens, true);
    assert.equal(facts.lock_held, false);
    assert.equal(facts.intent, undefined);
    assert.equal(facts.site, "# live: blue x\n");
    assert.deepEqual(facts.journal, [{ to: "blue" }, { outcome: `can't be read: {"to` }]);
  });
});

describe("what status compares", () => {
  it("is in order", () => {
    const { inOrder, drift, live, idle, liveSince, servedThrough, configHash: hashes } = report(() => {});
    assert.deepEqual(drift, []);
    assert.equal(inOrder, true);
    assert.equal(live?.container, "shop-blue-1");
    assert.equal(idle?.container, "shop-green-1");
    assert.equal(liveSince, DONE.at);
    assert.equal(servedThrough, "nginx");
    assert.equal(hashes.served, hashes.stack);
  });

  it("N8 workers: those of the live color run, and no others", () => {
    const workers = { jobs: { command: ["jobs"] } };
    const told = (
      change: (there: There, add: (color: string, status: string, more?: object) => void) => void,
    ) =>
      report(
        (there, { deployment: { resources } }) => {
          const { switch: switched } = readServices({ deployment: { resources } })[0];
          assert.ok(switched);
          const template = resources.find(({ urn }) => urn.endsWith("::shop-blue"))!;
          const values = {
            lockHolder: "shop/prod/shop",
            id: "1a2b3c4d",
            ingress: "shop-prod-shop",
            service: "shop",
          };
          const stdin = renderWorkersInput(
            { ...values, settings: settingsOf({ ...ARGS, workers }) },
            NAMES.blue,
            { jobs: "shop-blue-jobs-1" },
          );
          const command = resources.find(({ urn }) => urn.endsWith("::shop-switch"))!;
          resources.push({ ...command, urn: command.urn.replace(/switch$/, "workers"), inputs: { stdin } });
          change(
            there,
            (color, status, { name = `shop-${color}-jobs-1`, ...more }: { name?: string } = {}) => {
              resources.push({
                ...template,
                urn: `${template.urn}-jobs`.replace("shop-blue", `shop-${color}`),
                id: `id of ${name}`,
                outputs: { name },
                ...more,
              });
              there.containers.push({
                ...there.containers[0],
                id: `id of ${name}`,
                name,
                role: "worker",
                status,
              });
            },
          );
        },
        { workers },
      );
    const fine = told((_, add) => (add("blue", "running"), add("green", "created")));
    assert.deepEqual(fine.drift, []);
    assert.deepEqual(fine.workers, [
      { name: "jobs", container: "shop-blue-jobs-1", image: "image", state: "running" },
    ]);
    const kinds = ({ drift }: typeof fine) => drift.map(({ kind }) => kind);
    assert.deepEqual(kinds(told((_, add) => (add("blue", "exited"), add("green", "exited")))), [
      "worker-exited",
    ]);
    assert.deepEqual(kinds(told((_, add) => (add("blue", "restarting"), add("green", "running")))), [
      "worker-restarting",
      "worker-running",
    ]);
    const failed = told((_, add) => {
      add("blue", "running", { delete: true });
      add("blue", "exited", { name: "shop-blue-jobs-2" });
      add("green", "created");
    });
    assert.deepEqual(kinds(failed), ["unfinished-update"]);
    assert.match(failed.drift[0].what, /the worker jobs was made, and has not moved to shop-blue-jobs-2/);
  });

  const green = siteOf({ activeColor: "green" });
  const larger = siteOf({ proxy: { maxBodySize: "20m" } });
  const killed = { ...DONE, at: "2026-01-02T10:00:00Z", from: "blue", to: "green", config: green.hash };
  const intent = { at: "2026-01-02T10:00:00Z", by: "me@host", to: "green" };
  const made = (name: string) => (there: There, stack: ReturnType<typeof exported>) => {
    const { resources } = stack.deployment;
    const former = resources.find(({ id }) => id === "id of shop-green-1")!;
    resources.push({ ...former, delete: true });
    Object.assign(former, { id: `id of ${name}`, outputs: { name } });
    there.containers.push({ ...there.containers[0], id: `id of ${name}`, name, role: "green" });
  };
  const cases: {
    [name: string]: {
      change: Parameters<typeof report>[0];
      args?: Partial<BlueGreenServiceArgs>;
      kinds: string[];
      says?: RegExp;
      users?: RegExp;
    };
  } = {
    "no switch has passed": {
      change: (_, { deployment }) => void deployment.resources.pop(),
      kinds: ["no-switch"],
      users: /^no color is live yet: each request gets a 503$/,
    },
    "U1 a first release whose port is taken": {
      change: (there, { deployment }) => {
        deployment.resources.pop();
        const edge = there.containers.find(({ role }) => role === "edge")!;
        Object.assign(edge, {
          status: "created",
          error: "listen tcp4 0.0.0.0:80: bind: address already in use",
        });
      },
      kinds: ["no-switch", "edge-created"],
      users: /^no color is live yet: nothing answers$/,
    },
    "a candidate that failed": {
      change: made("shop-green-2"),
      kinds: ["unfinished-update"],
      says: /green shop-green-2 was made and has not passed a switch/,
    },
    "an operation that was begun": {
      change: (_, { deployment }) =>
        void deployment.pending_operations.push({
          type: "creating",
          resource: { urn: `${URN}$x::shop-green`, parent: `${URN}::shop` },
        }),
      kinds: ["unfinished-update"],
      says: /"creating shop-green" was begun/,
    },
    "a stopped live color": {
      change: (there) => {
        stop(there, "shop-blue-1");
        Object.assign(there.containers[0], { exitCode: 137, outOfMemory: true });
        editProxy({ healthy: false, health_code: "502", health_answer: "HTTP 502 " })(there);
      },
      kinds: ["blue-exited", "ill"],
      says: /live color blue: shop-blue-1 is exited since 2026-01-01T11:00:00Z, exit code 137, killed for want of memory/,
      users: /^OUTAGE: blue is live, but does not answer$/,
    },
    "a color that restarts again and again": {
      change: (there) =>
        void Object.assign(there.containers[1], { status: "restarting", exitCode: 3, restarts: 8 }),
      kinds: ["green-restarting"],
      says: /idle color green: shop-green-1 is restarting, exit code 3, restarted 8 times/,
    },
    "a removed candidate": {
      change: (there) => void there.containers.splice(1, 1),
      kinds: ["green-missing"],
    },
    "a stopped idle color that should run": {
      change: (there) => void stop(there, "shop-green-1"),
      kinds: ["green-exited"],
    },
    "a stopped idle color that should be stopped": {
      change: (there) => void stop(there, "shop-green-1"),
      args: { idle: "stopped" },
      kinds: [],
    },
    "a running idle color that should be stopped": {
      change: () => {},
      args: { idle: "stopped" },
      kinds: ["green-running"],
    },
    "N7 one at a time: the idle color has never run": {
      change: (there) => {
        Object.assign(there.containers[1], { status: "created" });
        const { site, hash } = siteOf({ strategy: "recreate" });
        editProxy({ site, journal: [{ ...DONE, config: hash, outcome: "done" }] })(there);
      },
      args: { strategy: "recreate" },
      kinds: [],
    },
    "N7 one at a time: it runs": {
      change: (there) => {
        const { site, hash } = siteOf({ strategy: "recreate" });
        editProxy({ site, journal: [{ ...DONE, config: hash, outcome: "done" }] })(there);
      },
      args: { strategy: "recreate" },
      kinds: ["green-running"],
    },
    "N7 one at a time: an update was killed while nothing ran": {
      change: (there) => {
        for (const name of ["shop-blue-1", "shop-green-1"]) stop(there, name);
        const nothing = { health_code: undefined, healthy: false, health_answer: "" };
        editProxy({ site: "# closed: blue shop-blue-1\n", ...nothing })(there);
      },
      args: { strategy: "recreate" },
      kinds: ["closed", "blue-exited"],
      says: /blue \(shop-blue-1\) was stopped for another container to take its place/,
      users: /^no color is live: each request gets a 503$/,
    },
    "a stopped Redis": { change: (there) => void stop(there, "shop-redis"), kinds: ["redis-exited"] },
    "a stopped nginx, for which the edge stands in": {
      change: (there) => {
        stop(there, "shop-proxy-1");
        there.edge = { ...there.proxy, id: "edge" };
        delete (there as Observed).proxy;
      },
      kinds: ["proxy-exited"],
      users: /^blue answers, through the edge$/,
    },
    "the edge serves beside an nginx that runs": {
      change: (there) => {
        there.edge.listens = true;
        there.proxy.listens = false;
      },
      kinds: ["edge-serves"],
    },
    "nobody serves": {
      change: editProxy({ listens: false }),
      kinds: ["nobody-serves"],
      users: /^nothing answers$/,
    },
    "another nginx owns the ports": {
      change: editProxy({ owner: "2" }),
      kinds: ["other-owner"],
    },
    "an nginx that can't be asked": {
      change: (there) => {
        there.edge = { ...there.proxy, id: "edge" };
        (there as Observed).proxy = { error: "Container is paused" };
      },
      kinds: ["proxy-silent"],
      says: /proxy could not be asked: Container is paused/,
    },
    "the other color is served, and a switch wrote it": {
      change: (there) => {
        const { journal } = there.proxy;
        const facts = { site: green.site, journal: [...journal, { ...killed, outcome: "done" }] };
        editProxy(facts)(there);
      },
      kinds: ["color"],
      says: /^green is served, the stack says blue, as a switch by me@host wrote it at 2026-01-02T10:00:00Z$/,
      users: /^green answers$/,
    },
    "the other color is served, and no switch wrote it": {
      change: (there) => {
        const { journal } = there.proxy;
        const facts = { site: green.site, journal: [...journal, { ...killed, outcome: "failed: its gate" }] };
        editProxy(facts)(there);
      },
      kinds: ["color"],
      says: /^green is served, the stack says blue$/,
    },
    "another container is served": {
      change: (there) =>
        void (there.proxy.site = there.proxy.site.replaceAll("shop-green-1", "shop-green-0")),
      kinds: ["container"],
      says: /green is served from shop-green-0, the stack says shop-green-1/,
    },
    "a site that was changed by hand": {
      change: editProxy({ site: larger.site }),
      kinds: ["site-edited"],
      says: /line \d+: "client_max_body_size 20m;" instead of "client_max_body_size 10m;"/,
    },
    "a site that a switch wrote with other settings": {
      change: editProxy({ site: larger.site, journal: [{ ...DONE, config: larger.hash, outcome: "done" }] }),
      kinds: ["site"],
      says: /as a switch by me@host wrote it/,
    },
    "a site that was cut off": {
      change: (there) => void (there.proxy.site = there.proxy.site.slice(0, -3)),
      kinds: ["site-edited"],
    },
    "an empty site": { change: editProxy({ site: "\n" }), kinds: ["nothing-live"] },
    "a config that was not loaded": {
      change: editProxy({ running: "def" }),
      kinds: ["not-loaded"],
    },
    "a switch that is running": {
      change: editProxy({ lock_held: true, intent, running: "def", owner: "2" }),
      kinds: ["switch-running"],
      says: /a switch is running: shop\/prod\/shop since .* \(to green, by me@host, since 2026-01-02/,
    },
    "a switch that was killed": {
      change: editProxy({ intent }),
      kinds: ["intent-left"],
    },
    "a live color that is ill": {
      change: editProxy({ healthy: false, health_code: "503", health_answer: "HTTP 503 no " }),
      kinds: ["ill"],
      says: /fails its health request: HTTP 503 no$/,
      users: /^blue answers, but not as its health request should be answered$/,
    },
    "a container that nobody knows": {
      change: (there) =>
        void there.containers.push({ ...there.containers[0], id: "other", name: "shop-blue-9" }),
      kinds: ["orphan"],
      says: /blue shop-blue-9 \(running\)/,
    },
  };
  for (const [name, { change, args, kinds, says, users }] of Object.entries(cases)) {
    it(name, () => {
      const { drift, inOrder } = report(change, args);
      assert.deepEqual(
        drift.map(({ kind }) => kind),
        kinds,
        JSON.stringify(drift, null, 2),
      );
      assert.equal(inOrder, kinds.length === 0);
      if (says) assert.match(drift[0].what, says);
      if (users) assert.match(drift[0].users, users);
      for (const found of drift) assert.ok(found.what && found.users && found.heal);
    });
  }

  it("live since the switch to it, not since what came after", () => {
    const later = { ...killed, config: "x" };
    const journal = [
      { ...DONE, config: "x", outcome: "done" },
      { ...later, outcome: "done, but 1 connections to the old container were left" },
      { ...later, at: "2026-01-03T10:00:00Z", to: "blue", outcome: "failed: its gate" },
      { ...later, at: "2026-01-04T10:00:00Z", from: "green", outcome: "done" },
    ];
    const { liveSince } = report(editProxy({ site: green.site, journal }));
    assert.equal(liveSince, killed.at);
  });
});
