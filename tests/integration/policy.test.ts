import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import path from "node:path";
import { useStack } from "../support/stack";

// The other rules are told apart in tests/unit/policy.test.ts. SSH is tried only there: a security group would need the AWS plugin.
describe("the policy pack, with the real engine", () => {
  const stack = useStack({ blue: { image: "shop:1.0.0" }, green: { image: "shop:1.1.0" } });
  const pack = ["--policy-pack", path.resolve(__dirname, "../../policy/run")];

  it("passes a stack that keeps to it, also one with secrets", async () => {
    await stack.setSecret("env.API_TOKEN", "hidden");
    await stack.setSecret("redis.password", "hidden");
    const { output } = await stack.preview(...pack);
    assert.match(output, /✅ bluegreen@v/);
  });

  it("refuses each thing that it is there for, all at once, in a preview", async () => {
    await stack.unset("env", "redis.password");
    await stack.set({
      allowMovingTags: true,
      blue: { image: "shop:latest" },
      env: { API_TOKEN: "plain" },
      volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/docker.sock" }],
    });
    appendFileSync(
      path.join(stack.folder, "index.ts"),
      `import * as docker from "@pulumi/docker";
      const ports = [{ internal: 6379, external: 6379 }];
      new docker.Container("cache", { image: "redis:8.0.6", ports });\n`,
    );
    const { code, output } = await stack.run("preview", ...pack);
    assert.notEqual(code, 0);
    const refused = [...output.matchAll(/\[mandatory\] +([\w-]+) +\(docker:index:Container: ([\w-]+)\)/g)];
    assert.deepEqual(refused.map(([, rule, container]) => `${rule} ${container}`).sort(), [
      "health-checked cache",
      "no-docker-socket service-blue",
      "no-docker-socket service-green",
      "no-moving-tags service-blue",
      "no-plain-secrets service-blue",
      "no-plain-secrets service-green",
      "redis-not-published cache",
    ]);
  });
});
