import assert from "node:assert/strict";
import { ignored, markOf } from "../../components/host/podman";
import { inFull } from "../../components/host/registry";

describe("Podman: what an image is called there", () => {
  const cases: { [image: string]: string } = {
    nginx: "docker.io/library/nginx:latest",
    "nginx:1.30.6": "docker.io/library/nginx:1.30.6",
    "acme/shop:1": "docker.io/acme/shop:1",
    "index.docker.io/acme/shop:1": "docker.io/acme/shop:1",
    "docker.io/nginx:1": "docker.io/library/nginx:1",
    "docker.io/library/nginx:1": "docker.io/library/nginx:1",
    "ghcr.io/acme/shop": "ghcr.io/acme/shop:latest",
    "localhost/shop:1": "localhost/shop:1",
    "localhost:5000/shop:1": "localhost:5000/shop:1",
    "localhost:5000/shop": "localhost:5000/shop:latest",
    [`shop@sha256:${"a".repeat(64)}`]: `docker.io/library/shop@sha256:${"a".repeat(64)}`,
    [`sha256:${"a".repeat(64)}`]: `sha256:${"a".repeat(64)}`,
  };
  for (const [image, name] of Object.entries(cases)) it(image, () => assert.equal(inFull(image), name));
});

describe("Podman: what the provider does not compare", () => {
  const OURS = ["capabilities", "logOpts", "stopSignal", "sysctls", "tmpfs", "ulimits"];

  it("all that is told otherwise, for a new container and for one that was made with what is wanted", () => {
    assert.deepEqual(ignored([], undefined, "a", {}), OURS);
    assert.deepEqual(ignored(["labels"], "a", "a", { memorySwap: -1 }), ["labels", ...OURS, "memorySwap"]);
  });

  it("all of that, where a preview does not know what is wanted", () =>
    assert.deepEqual(ignored([], "a", undefined, {}), OURS));

  it("nothing of it where something else is wanted: the label alone makes a new container", () => {
    assert.deepEqual(ignored([], "a", "b", {}), []);
    assert.deepEqual(ignored(["labels"], "a", "b", { memorySwap: -1 }), ["memorySwap"]);
  });

  it("all of that, where it is no reason for downtime", () =>
    assert.deepEqual(ignored(["capabilities", "labels"], "a", "b", {}), [
      "capabilities",
      "labels",
      ...OURS.slice(1),
    ]));

  it("a memory limit with a limit of swap is compared", () =>
    assert.deepEqual(ignored([], undefined, "a", { memorySwap: 200 }), OURS));
});

describe("Podman: the mark of what a container was made with", () => {
  const made = [{ adds: ["CAP_KILL"], drops: ["ALL"] }, { "/run": "size=1m" }];

  it("is the same in whatever order the values come", () =>
    assert.equal(markOf(made), markOf([{ drops: ["ALL"], adds: ["CAP_KILL"] }, { "/run": "size=1m" }])));

  it("is another for another value of it, and for none", () => {
    assert.notEqual(markOf(made), markOf([made[0], { "/run": "size=2m" }]));
    assert.notEqual(markOf(made), markOf([made[0], undefined]));
  });
});
