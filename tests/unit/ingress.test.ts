import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  BlueGreenService,
  Ingress,
  type BlueGreenServiceArgs,
  type IngressArgs,
} from "../../components/index";
import { mock, replaceLog, valueOf, type Registered } from "./mocked";
import { LEAST } from "./valid";

interface Declared {
  /** By their names. */
  resources: { [name: string]: Registered };
  outputs: { [name: string]: string };
  logs: string[];
}

/** Declares an ingress "web" and a service "shop" on it. */
async function declareBoth(
  service: Partial<BlueGreenServiceArgs> = {},
  args: IngressArgs = {},
): Promise<Declared> {
  const registered = mock();
  const logs: string[] = [];
  const restore = replaceLog((message) => logs.push(message));
  try {
    const web = new Ingress("web", args);
    const shop = new BlueGreenService("shop", { ...LEAST, ingress: web.name, ...service });
    const { url, previewUrl, proxyContainer } = shop;
    const outputs = await valueOf(pulumi.all({ name: web.name, url, previewUrl, proxyContainer }));
    await pulumi.runtime.disconnect();
    await setImmediate();
    return { resources: Object.fromEntries(registered.map((one) => [one.name, one])), outputs, logs };
  } finally {
    restore();
  }
}

/** What the thrown error says. */
function refused(act: () => unknown): string {
  mock();
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail("nothing was refused");
}

describe("an ingress that services share", () => {
  let declared: Declared;
  before(
    async () => void (declared = await declareBoth({ hosts: ["shop.example"], redis: { enabled: true } })),
  );

  it("has the edge, nginx and its volume, and no color", () => {
    const own = Object.keys(declared.resources).filter((name) => name.startsWith("web-"));
    assert.deepEqual(own.map((name) => name.slice(4)).sort(), [
      ...["checkpoint", "docker", "downtime-guard", "edge", "identity", "images", "ingress-guard"],
      ...["network", "network-guard", "ports", "proxy", "proxy-state", "take-over"],
    ]);
    assert.equal(declared.outputs.name, "web");
  });

  it("publishes a port for HTTPS, since a service may have a certificate", () => {
    const ports = declared.resources["web-edge"].inputs.ports as { external: number }[];
    assert.deepEqual(
      ports.map(({ external }) => external),
      [80, 443, 80, 443, 8081, 8081],
    );
    assert.match(declared.resources["web-take-over"].inputs.stdin as string, /^TLS_PORT='443'$/m);
  });

  it("what services of other stacks look for has its name", () => {
    const names = ["network", "proxy-state"].map(
      (role) => declared.resources[`web-${role}`].inputs.name as string,
    );
    assert.deepEqual(names, ["bluegreen-web", "bluegreen-web-state"]);
  });

  it("its service has colors and a switch, and nothing that holds a port", () => {
    const own = Object.keys(declared.resources).filter((name) => name.startsWith("shop-"));
    for (const role of ["edge", "proxy", "proxy-state", "take-over", "ports", "downtime-guard"])
      assert.ok(!own.includes(`shop-${role}`), role);
    assert.match(declared.resources["shop-switch"].inputs.stdin as string, /^INGRESS='web'$/m);
    const pulled = /^IMAGES='([^']*)'$/m.exec(declared.resources["shop-images"].inputs.stdin as string)?.[1];
    assert.deepEqual(
      pulled?.split("\n").map((line) => line.split(" ")[0]),
      ["blue.image", "green.image", "redis.image"],
    );
  });

  it("its service is on its network, and its Redis is not", () => {
    const networks = (name: string) => declared.resources[name].inputs.networksAdvanced as { name: string }[];
    assert.deepEqual(networks("shop-blue"), [{ name: "bluegreen-web" }, { name: "bluegreen-acme-dev-shop" }]);
    assert.deepEqual(networks("shop-redis"), [{ name: "bluegreen-acme-dev-shop" }]);
    assert.deepEqual(networks("web-edge"), [{ name: "bluegreen-web" }]);
  });

  it("its service leaves it before its containers go, and it can't go before its services", () => {
    const { resources } = declared;
    for (const color of ["shop-blue", "shop-green"])
      assert.ok(resources["shop-leave"].dependencies.includes(color), color);
    // A first update may end in the middle.
    assert.ok(resources["shop-switch"].dependencies.includes("shop-leave"));
    assert.equal(resources["shop-leave"].inputs.delete, "sh -s delete");
    assert.ok(resources["web-ingress-guard"].dependencies.includes("web-take-over"));
    assert.equal(resources["web-ingress-guard"].inputs.triggers, undefined);
  });

  it("says in the plan what it is", () => {
    assert.ok(declared.logs.includes("plan: ingress: made, with nginx:1.30.6"), declared.logs.join("\n"));
  });

  it("without a Redis, its service has no network of its own", async () => {
    const { resources } = await declareBoth();
    assert.equal(resources["shop-network"], undefined);
    assert.deepEqual(resources["shop-blue"].inputs.networksAdvanced, [{ name: "bluegreen-web" }]);
  });

  it("a service may name it from another program, and be on another network", async () => {
    const { resources } = await declareBoth({ ingress: "other", network: { name: "backend" } });
    assert.deepEqual(resources["shop-blue"].inputs.networksAdvanced, [{ name: "backend" }]);
    assert.match(resources["shop-switch"].inputs.stdin as string, /^INGRESS='other'$/m);
  });
});

describe("an ingress, given bad input", () => {
  it("settings of a service, and unknown ones, all at once", () => {
    const args = { activeColor: "blue", proxy: { port: 0, maxBodySize: "1m" }, prxy: {} } as IngressArgs;
    const message = refused(() => new Ingress("web", args));
    for (const line of [
      "activeColor: is a service's: set it on the BlueGreenService",
      "proxy.maxBodySize: is a service's: set it on the BlueGreenService",
      "proxy.port: is 0, but must be a port from 1 to 65535",
      "prxy: is no setting. Did you mean proxy?",
    ])
      assert.ok(message.includes(`  ${line}`), message);
  });

  it("has a folder for certificates from files, which services on it name", async () => {
    const certificateFolder = "/etc/letsencrypt";
    const live = `${certificateFolder}/live/example.com`;
    const { resources } = await declareBoth(
      {
        tls: {
          names: ["shop.example.com"],
          certificateFolder,
          certificateFile: `${live}/fullchain.pem`,
          privateKeyFile: `${live}/privkey.pem`,
        },
      },
      { tls: { certificateFolder } },
    );
    const { volumes, capabilities } = resources["web-proxy"].inputs;
    const mount = { hostPath: certificateFolder, containerPath: "/bluegreen/certificates", readOnly: true };
    assert.deepEqual((volumes as unknown[])[1], mount);
    assert.ok((capabilities as { adds: string[] }).adds.includes("CAP_DAC_OVERRIDE"));
    assert.match(
      resources["shop-certificate"].inputs.stdin as string,
      /^CHAIN_FILE='\/bluegreen\/certificates\/live\/example\.com\/fullchain\.pem'$/m,
    );
  });

  it("a service on it sets nothing that is the ingress's", () => {
    const message = refused(
      () =>
        new BlueGreenService("shop", {
          ...LEAST,
          ingress: "web",
          proxy: { port: 81, maxBodySize: "1m" },
          tls: { names: ["shop.example"], port: 8443, certificateFile: "/a/b", privateKeyFile: "/a/c" },
        }),
    );
    assert.match(message, /proxy\.port: is the ingress's: with 'ingress', set it where that is made/);
    assert.match(message, /tls\.port: is the ingress's/);
    assert.doesNotMatch(message, /certificateFile/);
    assert.doesNotMatch(message, /maxBodySize/);
  });

  it("a host name that the certificate is not for, one that is there twice, a path that is none", () => {
    const tls = { names: ["shop.example"], acmeEmail: "ops@shop.example" };
    const hosts = ["shop.example", "www.shop.example", "shop.example", "Shop"];
    const message = refused(
      () => new BlueGreenService("shop", { ...LEAST, ingress: "web", hosts, tls, path: "/a/" }),
    );
    assert.match(message, /hosts\[3\]: is "Shop", but must be a host name in small letters/);
    assert.match(message, /path: is "\/a\/", but must be "\/", or a path such as "\/api"/);
    const others = refused(
      () =>
        new BlueGreenService("shop", {
          ...LEAST,
          ingress: "web",
          hosts: hosts.slice(0, 3),
          tls,
          stripPath: true,
        }),
    );
    assert.match(others, /hosts\[1\]: is "www\.shop\.example", which the certificate is not for/);
    assert.match(others, /hosts\[2\]: is "shop\.example", which is there twice/);
    assert.match(others, /stripPath: is for a path other than "\/" only/);
  });

  it("two services of a program with one address, and two components with one port", () => {
    const both = (one: Partial<BlueGreenServiceArgs>, two: Partial<BlueGreenServiceArgs>) =>
      refused(() => {
        new BlueGreenService("shop", { ...LEAST, ingress: "web", ...one });
        new BlueGreenService("wiki", { ...LEAST, ingress: "web", ...two });
      });
    const hosts = ["a.example", "b.example"];
    assert.match(
      both({ hosts }, { hosts: ["b.example"] }),
      /hosts\[0\]: is b\.example; b\.example\/ is of shop, too/,
    );
    assert.match(
      both({ hosts }, { redirects: { "a.example": "https://wiki.example" } }),
      /redirects\["a\.example"\]: is a\.example; a\.example\/ is of shop, too, .*: change hosts, redirects, ports or path/,
    );
    assert.match(both({}, {}), /hosts: are all names, and \/ is of shop, too, on this ingress/);
    assert.match(
      refused(() => {
        new Ingress("web", {});
        new Ingress("other", { proxy: { previewPort: 8082 } });
      }),
      /proxy\.port: is 80, as is proxy\.port of web: on one host each port can be used once/,
    );
  });
});
