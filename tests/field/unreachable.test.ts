import assert from "node:assert/strict";
import { useStack } from "../support/stack";

describe("F25 a preview where the Docker host does not answer", () => {
  const stack = useStack({ blue: { image: "shop:1" }, green: { image: "shop:2" } }, { overSsh: false });

  for (const address of ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock"])
    it(`F25 ${address}: fails, as with the official plugin`, async () => {
      await stack.set({ host: { address } });
      const { code, output } = await stack.run("preview");
      assert.equal(code, 1, output);
      assert.match(output, /failed to connect to any docker daemon/);
    });

  it("F25 ssh://: plans, so pull requests need no host", async () => {
    const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGy/nYxrZZ3LGvYJ4IvWbTBOxAsfFAhO+MEcVoZEVLX";
    await stack.set({ host: { address: "ssh://root@127.0.0.1:1", hostKey } });
    const { output } = await stack.preview();
    assert.match(output, /plan: first release: blue goes live with shop:1/);
  });
});
