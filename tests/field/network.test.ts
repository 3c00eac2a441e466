import assert from "node:assert/strict";
import { docker, dockerLines } from "../support/docker";
import { useImages } from "../support/images";
import { useStack } from "../support/stack";

describe("faults from the field: a container of the user's own on the component's network", function () {
  this.timeout(300_000);
  const images = useImages({ one: "ok" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.one },
    redis: { enabled: false },
  });
  let own = "";
  after(async () => {
    if (own !== "") await docker("rm", "--force", own);
  });

  it("F20: destroy says at once which container holds the network, and the command that mends it", async () => {
    await stack.up();
    const [network] = (await stack.leftovers()).networks;
    own = await docker("run", "--detach", "--network", network, images.one, "sleep", "600");
    const name = (await docker("inspect", "--format", "{{.Name}}", own)).slice(1);
    await stack.expectNoChange();

    const { code, output } = await stack.run("destroy", "--yes", "--skip-preview");
    assert.notEqual(code, 0);
    assert.match(
      output,
      new RegExp(`error: the network ${network} can't be deleted, since other containers are on it: ${name}`),
    );
    const [, command] = / {2}docker (network disconnect \S+ \S+)/.exec(output) ?? [];
    assert.equal(command, `network disconnect ${network} ${name}`);
    assert.deepEqual((await stack.leftovers()).containers, []);
    // Docker itself would have been asked for half a minute.
    const seconds = Number(/Duration: (?:(\d+)m)?(\d+)s/.exec(output)?.[2]);
    assert.ok(seconds < 30, output);

    await docker(...command.split(" "));
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
    assert.equal((await dockerLines("ps", "--quiet", "--no-trunc", "--filter", `id=${own}`)).length, 1);
  });

  it("F20: where the network is gone already, destroy passes", async () => {
    await stack.up();
    const { containers, networks } = await stack.leftovers();
    await docker("rm", "--force", "--volumes", ...containers);
    await docker("network", "rm", ...networks);
    await stack.destroy();
    assert.deepEqual(await stack.leftovers(), { containers: [], volumes: [], networks: [] });
  });
});
