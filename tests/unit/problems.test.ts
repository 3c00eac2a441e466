import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { BlueGreenService, type BlueGreenServiceArgs } from "../../components/index";
import { collide, heldPorts, readFacts, type Facts, type HostContainer } from "../../components/host/facts";
import type { Known } from "../../components/host/known";
import { findProblems, inWords, type Wanted } from "../../components/host/problems";
import { mock, replaceLog } from "./mocked";
import { LEAST } from "./valid";

const WANTED: Wanted = {
  ...{ name: "shop", stack: "acme/dev", service: "shop", id: "1a2b", fullName: "acme-dev-shop" },
  ingress: "acme-dev-shop",
  place: {
    isShared: false,
    claims: [{ setting: "hosts", host: "*", path: "/" }],
    needsTls: false,
    networks: [] as string[],
    replicas: { blue: 1, green: 1 },
  },
  host: "unix:///var/run/docker.sock",
  ports: [
    { setting: "proxy.port", internal: 80, port: 80, address: "0.0.0.0" },
    { setting: "proxy.previewPort", internal: 8081, port: 8081, address: "127.0.0.1" },
  ],
  network: undefined,
  migrateConnections: true,
  ipv6: undefined,
};
const container = (name: string, more: Partial<HostContainer> = {}): HostContainer => ({
  ...{ id: `id of ${name}`, name, ports: "", "bluegreen.id": "", "bluegreen.stack": "" },
  ...{
    "bluegreen.service": "",
    "bluegreen.role": "",
    "bluegreen.ingress": "",
    "com.docker.compose.project": "",
  },
  ...more,
});
const own = (name: string, id = WANTED.id) =>
  container(name, { "bluegreen.id": id, "bluegreen.stack": WANTED.stack, "bluegreen.service": "shop" });
const resource = (role: string) => ({ role, id: `id of shop-${role}`, name: `shop-${role}` });
const KNOWN: Known = {
  live: "blue",
  host: WANTED.host,
  containers: ["edge", "proxy", "blue", "green", "redis"].map(resource),
  networks: [resource("network")],
  volumes: [resource("redis-data"), resource("proxy-state")],
};
const NONE: Known = { live: undefined, host: undefined, containers: [], networks: [], volumes: [] };
const FACTS: Facts = {
  engine: { version: "28.5.0", kernel: "6.1.0-31-amd64", ipv6: true, podman: false },
  containers: KNOWN.containers.map(({ name }) => own(name)),
  networks: KNOWN.networks,
  volumes: KNOWN.volumes,
  places: [],
};
const words = (facts: Partial<Facts>, known: Known = KNOWN, wanted: Partial<Wanted> = {}) => {
  const all = { ...WANTED, ...wanted };
  const problems = findProblems({ ...FACTS, ...facts }, known, all);
  return problems.length === 0 ? "" : inWords(all, known, problems);
};
const without = (...roles: string[]) => ({
  containers: FACTS.containers.filter(({ name }) => !roles.includes(name.replace("shop-", ""))),
});

describe("the facts of a Docker host", () => {
  it("are read from their lines; the end of each list is none", () => {
    const printed = [
      `volume {"name":"v"}`,
      "volume all",
      `container ${JSON.stringify(container("c"))}`,
      "container all",
      "network all",
      `engine {"version":"1","kernel":"6","podman":false,"ipv6":false}`,
      "engine all",
      "",
    ];
    assert.deepEqual(readFacts(printed.join("\n")), {
      engine: { version: "1", kernel: "6", ipv6: false, podman: false },
      containers: [container("c")],
      networks: [],
      volumes: [{ name: "v" }],
      places: [],
    });
  });

  it("tell the ports that a container holds", () => {
    const ports =
      "0.0.0.0:80->80/tcp, :::80->80/tcp, [::]:81->80/tcp, 127.0.0.1:90-91->90-91/tcp, 1.2.3.4:5->5/udp, 443/tcp";
    assert.deepEqual(heldPorts(ports), [
      { address: "0.0.0.0", port: 80, inside: 80 },
      { address: "::", port: 80, inside: 80 },
      { address: "::", port: 81, inside: 80 },
      { address: "127.0.0.1", port: 90, inside: 90 },
      { address: "127.0.0.1", port: 91, inside: 91 },
    ]);
    assert.deepEqual(heldPorts(""), []);
  });

  it("bound to every address, a port collides with each of the same family", () => {
    const bound = (address: string, port = 80) => ({ address, port });
    assert.ok(collide(bound("0.0.0.0"), bound("127.0.0.1")));
    assert.ok(collide(bound("192.0.2.1"), bound("0.0.0.0")));
    assert.ok(collide(bound("127.0.0.1"), bound("127.0.0.1")));
    assert.ok(!collide(bound("127.0.0.1"), bound("192.0.2.1")));
    assert.ok(!collide(bound("0.0.0.0"), bound("0.0.0.0", 81)));
    assert.ok(!collide(bound("::"), bound("0.0.0.0")));
    assert.ok(collide(bound("::"), bound("::1")));
  });
});

describe("an ingress on a Docker host", () => {
  const shared = {
    isShared: true,
    claims: [{ setting: "hosts[0]", host: "shop.example", path: "/" }],
    needsTls: false,
    networks: [] as string[],
    replicas: { blue: 1, green: 1 },
  };
  const wanted = { ingress: "web", place: shared, ports: [] };
  const edge = (ingress: string, more: Partial<HostContainer> = {}) =>
    container(`${ingress}-edge`, {
      ...{ "bluegreen.ingress": ingress, "bluegreen.role": "edge", "bluegreen.id": "9z" },
      ...{ "bluegreen.stack": "infra/prod", "bluegreen.service": ingress, ports: "0.0.0.0:80->80/tcp" },
      ...more,
    });
  const network = { id: "n", name: "bluegreen-web" };
  const there = { containers: [edge("web")], networks: [network], volumes: [] };

  it("that is there is no problem", () => assert.equal(words(there, NONE, wanted), ""));

  it("that is not there is named, with those that are", () => {
    const text = words({ ...there, containers: [edge("other")] }, NONE, wanted);
    assert.match(text, /ingress: there is no ingress web on the Docker host .*\. It has: other\./);
    assert.match(text, /What to do next: run 'pulumi up' in the stack that makes it/);
  });

  it("without a port for HTTPS does not do for a service with TLS", () => {
    const place = { ...shared, needsTls: true };
    assert.match(words(there, NONE, { ...wanted, place }), /publishes no port for HTTPS/);
    const secure = edge("web", { ports: "0.0.0.0:80->80/tcp, 0.0.0.0:8443->443/tcp" });
    assert.equal(words({ ...there, containers: [secure] }, NONE, { ...wanted, place }), "");
  });

  it("on a network of another name asks for that name", () =>
    assert.match(words({ ...there, networks: [] }, NONE, wanted), /set network\.name as the service has it/));

  it("whose address or whose name another service has: that one is named", () => {
    const places = [
      { service: "store", id: "9z" },
      { service: "store", id: "9z", claim: "shop.example /" },
    ];
    const text = words({ ...there, places }, NONE, wanted);
    assert.match(text, /hosts\[0\]: the service store has shop\.example\/ on the ingress web\./);
    const own = places.map((place) => ({ ...place, id: WANTED.id }));
    assert.equal(words({ ...there, places: own }, NONE, wanted), "");
    const namesake = words({ ...there, places: [{ service: "shop", id: "9z" }] }, NONE, wanted);
    assert.match(namesake, /another stack has a service shop on the ingress web/);
  });

  it("can be made once: another one of that name is named, and what a lost one has left", () => {
    const made = { ingress: "web", place: undefined };
    assert.match(
      words({ ...there, networks: [] }, NONE, made),
      /has an ingress web already: web-edge \(stack infra\/prod, service web\)[^]*'npx bluegreen forget infra\/prod\/web'/,
    );
    const left = words(
      { containers: [], networks: [network], volumes: [{ name: "bluegreen-web-state" }] },
      NONE,
      made,
    );
    assert.match(
      left,
      /left of an ingress of the same name: network bluegreen-web, volume bluegreen-web-state/,
    );
    assert.match(left, /'docker network rm bluegreen-web', 'docker volume rm bluegreen-web-state'/);
  });
});

describe("what keeps an update from being made", () => {
  it("is nothing on an empty host, and where all is as the state has it", () => {
    assert.equal(words({ containers: [], networks: [], volumes: [] }, NONE), "");
    assert.equal(words({}), "");
  });

  it("F5: all is gone", () => {
    const text = words({ containers: [], networks: [], volumes: [] });
    assert.match(
      text,
      /^shop: the Docker host unix:\/\/\S+ has lost all that this stack made there:\n {2}network shop-network\n/,
    );
    assert.match(text, /Nothing was changed, but users get no answer/);
    assert.match(text, /'pulumi up --refresh'/);
  });

  it("F5: the data of Redis is gone, and users are served", () => {
    const text = words({ volumes: FACTS.volumes.slice(1) });
    assert.match(text, /lacks:\n {2}volume shop-redis-data\n/);
    assert.match(text, /only a backup brings it back/);
    assert.match(text, /what is live there keeps serving/);
  });

  it("F7: the idle color is gone", () => {
    const text = words(without("green"));
    assert.match(text, /lacks:\n {2}container green: shop-green\n/);
    assert.match(text, /what is live there keeps serving/);
  });

  it("F7: the live color or the edge is gone: then nobody is served", () => {
    for (const role of ["blue", "edge"]) assert.match(words(without(role)), /users get no answer/);
  });

  it("F5: another host than the state's lacks what was made on that one", () => {
    const text = words({ containers: [] }, { ...KNOWN, host: "ssh://me@old" });
    assert.match(text, /the stack was made on ssh:\/\/me@old, and this host lacks:/);
    assert.match(text, /set host\.address back to ssh:\/\/me@old/);
    assert.equal(words({}, { ...KNOWN, host: "ssh://me@old" }), "", "the same host by another way");
  });

  it("N15 a name that a further container of a color needs is taken by what a killed update left", () => {
    const left = own("shop-blue-2");
    const found = (place: Partial<Wanted["place"]>, more = KNOWN) =>
      words({ containers: [...FACTS.containers, left] }, more, { place: { ...WANTED.place!, ...place } });
    assert.match(
      found({ replicas: { blue: 2, green: 1 } }),
      /has a container shop-blue-2, which this stack does not know: blue needs that name\.\nWhat to do next: .*'docker rm -f shop-blue-2'/,
    );
    assert.equal(found({ replicas: { blue: 1, green: 2 } }), "", "it is in nobody's way");
    const known = {
      ...KNOWN,
      containers: [...KNOWN.containers, { ...resource("blue"), id: left.id, name: left.name }],
    };
    assert.equal(found({ replicas: { blue: 2, green: 1 } }, known), "");
  });

  it("F17: a port is taken: by another stack, by a compose project, by any container, by what a killed update left", () => {
    const taken = (more: Partial<HostContainer>) =>
      words({ containers: [container("squatter", { ...more, ports: "0.0.0.0:8081->80/tcp" })] }, NONE);
    assert.match(
      taken({ "bluegreen.stack": "acme/test", "bluegreen.service": "web" }),
      /^shop: proxy\.previewPort: port 8081 is taken by the container squatter \(stack acme\/test, service web\)\./,
    );
    assert.match(taken({ "com.docker.compose.project": "blog" }), /squatter \(compose project blog\)/);
    assert.match(taken({}), /container squatter\.\nWhat to do next: choose another proxy\.previewPort/);
    assert.match(taken({}), /Nothing was changed: no color is live yet\.$/);
    assert.match(taken(own("squatter")), /a killed update left it: 'docker rm -f squatter'/);
  });

  it("F17: its own edge may have the ports", () => {
    const edge = { ...own("shop-edge"), ports: "0.0.0.0:80->80/tcp, 127.0.0.1:8081->8081/tcp" };
    assert.equal(words({ containers: [edge, ...without("edge").containers] }), "");
  });

  it("F22: another stack has the names: before the first release this one may get another name", () => {
    const text = words(
      { containers: [own("acme-dev-shop-redis", "9f9f"), own("service-edge", "9f9f")] },
      NONE,
    );
    assert.match(
      text,
      /containers of another stack or program with the same names .*acme\/dev\/shop\): acme-dev-shop-redis service-edge/,
    );
    assert.match(text, /'docker rm -f acme-dev-shop-redis service-edge'/);
    assert.match(text, /'pulumi destroy' \(nothing of it is there yet\), 'pulumi stack rename NAME'/);
  });

  it("F22: who serves is not told to destroy itself", () => {
    const text = words({ containers: [...FACTS.containers, own("service-edge", "9f9f")] });
    assert.match(text, /'docker rm -f service-edge'/);
    assert.doesNotMatch(text, /nothing of it is there yet/);
  });

  it("F22: a container that has the name of Redis by chance", () => {
    assert.match(
      words({ containers: [container("acme-dev-shop-redis")] }, NONE),
      /'docker rm -f acme-dev-shop-redis'/,
    );
  });

  it("F22: what an own update has left is none, and neither is the data of Redis that was kept", () => {
    assert.equal(words({ containers: [...FACTS.containers, own("service-blue-2")] }), "");
    assert.equal(words({ containers: [], volumes: [{ name: "acme-dev-shop-redis-data" }] }, NONE), "");
  });

  it("N3 a network that the colors are to join is not there", () => {
    const place = { ...WANTED.place!, networks: ["db", "network"] };
    const text = words({ networks: [...FACTS.networks, { id: "n", name: "network" }] }, KNOWN, {
      ...WANTED,
      place,
    });
    assert.match(text, /container\.networks: there is no network db on the Docker host/);
    assert.match(text, /make it \('docker network create db'\), or name another\./);
  });

  it("the named network is not there", () => {
    assert.match(
      words({}, KNOWN, { network: "web" }),
      /^shop: network\.name: there is no network web .*\nWhat to do next: make it/,
    );
  });

  it("the kernel is too old to hand connections on, and there is no edge yet", () => {
    const engine = { version: "20.10.0", kernel: "5.10.0-9", ipv6: true, podman: false };
    assert.match(
      words({ engine, containers: [] }, NONE),
      /needs Linux 5\.14, and the Docker host .* has 5\.10\.0-9/,
    );
    assert.equal(words({ engine }), "", "an edge that is there runs");
    assert.equal(words({ engine, containers: [] }, NONE, { migrateConnections: false }), "");
    assert.equal(words({ engine: { ...engine, kernel: "5.14.0" }, containers: [] }, NONE), "");
  });

  it("IPv6 is asked for, and the host has none", () => {
    const engine = { ...FACTS.engine, ipv6: false };
    assert.equal(words({ engine }), "", "not asked for");
    assert.match(
      words({ engine }, KNOWN, { ipv6: true }),
      /^shop: proxy\.ipv6: the Docker host .* has no IPv6\.\nWhat to do next: set proxy\.ipv6 to false/,
    );
    assert.equal(words({}, KNOWN, { ipv6: true }), "");
  });

  it("several are told in one error", () => {
    const text = words(
      { containers: [...without("green").containers, container("x", { ports: "0.0.0.0:80->80/tcp" })] },
      KNOWN,
    );
    assert.match(
      text,
      /^shop: 2 things on the Docker host .* are in the way:\n1\. .*lacks[^]*\n2\. proxy\.port: /,
    );
    assert.equal(text.match(/What to do next/g)?.length, 2);
  });
});

describe("F31: two services of one program", () => {
  let restoreLog: () => void;
  before(() => void (restoreLog = replaceLog(() => {})));
  after(async () => {
    await pulumi.runtime.disconnect();
    restoreLog();
  });
  const services = (...all: [string, Partial<BlueGreenServiceArgs>?][]) => {
    mock();
    return () => {
      for (const [name, args] of all) new BlueGreenService(name, { ...LEAST, ...args });
    };
  };
  const ports = (port: number, previewPort: number, more: object = {}) => ({
    proxy: { port, previewPort, ...more },
  });

  it("can't have one port: the second is refused with its setting and the other's", () => {
    assert.throws(services(["shop"], ["blog"]), (error: Error) => {
      assert.match(error.message, /^blog: 2 invalid setting\(s\)\. Nothing was changed\./);
      assert.match(error.message, /proxy\.port: is 80, as is proxy\.port of shop: on one host/);
      assert.match(error.message, /proxy\.previewPort: is 8081, as is proxy\.previewPort of shop/);
      return true;
    });
    assert.throws(
      services(["shop"], ["blog", ports(8081, 82)]),
      /proxy\.port: is 8081, as is proxy\.previewPort/,
    );
  });

  it("may have one at different addresses, or on different hosts", () => {
    const hostKey = "ssh-ed25519 AAAAkey";
    assert.doesNotThrow(
      services(
        ["shop", ports(80, 81, { bindAddress: "192.0.2.1" })],
        ["blog", ports(80, 82, { bindAddress: "192.0.2.2" })],
        ["far", { host: { address: "ssh://me@far", hostKey } }],
      ),
    );
  });

  it("can't have one name on one host", () => {
    assert.throws(
      services(["shop"], ["shop", ports(82, 83)]),
      /name: two services of this program are called shop/,
    );
  });

  it("may have both what a service of another run of a program has", () => {
    services(["shop"])();
    assert.doesNotThrow(services(["shop"]));
  });
});
