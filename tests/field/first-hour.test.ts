import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { Report } from "../../components/cli/report";
import { Checkout } from "../support/checkout";
import { docker } from "../support/docker";
import { get } from "../support/http";
import { useImages } from "../support/images";
import { freePorts } from "../support/ports";
import { until, type Ended } from "../support/running";
import { useStack } from "../support/stack";

// What a new user meets, with the commands that a new user types. The tests go on from each other.
describe("the first hour", function () {
  const images = useImages({ holder: "ok" });
  const checkout = new Checkout();
  let wanted: number[];
  let program: Server;
  let container = "";
  let started: Ended;

  before("a checkout on a machine where both ports are taken", async () => {
    checkout.create();
    wanted = await freePorts(2);
    checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replace("8080", String(wanted[0])).replace("8081", String(wanted[1])),
    );
    program = await listen(wanted[0]);
    const published = ["--publish", `127.0.0.1:${wanted[1]}:3000`];
    container = await docker("run", "--detach", ...published, images.holder, "sleep", "600");
    started = await checkout.npm("start");
  });

  after(async () => {
    program.close();
    if (container !== "") await docker("rm", "--force", container);
    await checkout.remove();
  });

  async function status(): Promise<Report> {
    const { output } = await checkout.npm("run", "--silent", "status", "--", "--json", "--stack", "dev");
    return (JSON.parse(output) as Report[])[0];
  }

  it("U1 `npm start` picks free ports, says so, and says where it is written", async () => {
    assert.equal(started.code, 0, started.output);
    const name = (await docker("inspect", "--format", "{{.Name}}", container)).slice(1);
    const said =
      /Port (\d+) is taken by (.*), so the (live|idle) color gets port (\d+): (proxy\.\w+) in Pulumi\.dev\.yaml/g;
    const [live, idle] = [...started.output.matchAll(said)].map(([, ...words]) => words);
    assert.deepEqual(live?.slice(0, 3), [String(wanted[0]), "another program", "live"], started.output);
    assert.deepEqual(idle?.slice(0, 3), [String(wanted[1]), `the container ${name}`, "idle"]);
    assert.match(
      checkout.read("Pulumi.dev.yaml"),
      new RegExp(`port: ${live[3]}\\n +previewPort: ${idle[3]}\\n`),
    );
    assert.match(started.output, new RegExp(`^Live \\(blue\\): +http://localhost:${live[3]}$`, "m"));
    assert.equal((await get(`http://127.0.0.1:${live[3]}/health`)).status, 200);
    assert.equal((await get(`http://127.0.0.1:${idle[3]}/health`)).status, 200);
  });

  it("U9 `status` has the URLs", async () => {
    const { output } = await checkout.npm("run", "status");
    const [, url] = /^Live \(blue\): +(\S+)$/m.exec(started.output) ?? [];
    const [, preview] = /^Preview \(green\): +(\S+)$/m.exec(started.output) ?? [];
    assert.match(output, new RegExp(`^  url: +${url}$`, "m"));
    assert.match(output, new RegExp(`^  preview: +${preview}$`, "m"));
  });

  it("U2 `npx pulumi` asks nothing for the demo, and a passphrase for any other stack", async () => {
    const demo = await checkout.pulumi("config", "set", "activeColor", "green", "--non-interactive");
    assert.equal(demo.code, 0, demo.output);
    const other = await checkout.pulumi("stack", "init", "other", "--non-interactive");
    assert.notEqual(other.code, 0);
    assert.match(other.output, /PULUMI_CONFIG_PASSPHRASE/);
  });

  it("U9 the history tells a release, a flip and a heal from each other, with images", async () => {
    const flip = await checkout.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    assert.equal(flip.code, 0, flip.output);
    // Something to heal that harms nobody.
    await docker("stop", await checkout.container("blue"));
    const heal = await checkout.npm("run", "heal", "--", "--yes");
    assert.equal(heal.code, 0, heal.output);
    const { output } = await checkout.bluegreen("history");
    assert.match(output, /Z {2}first release: blue bluegreen-demo:1\.0\.0, \d+ s, by .*: done$/m);
    assert.match(output, /Z {2}release: idle green bluegreen-demo:1\.1\.0, \d+ s, by .*: done$/m);
    assert.match(output, /Z {2}flip blue -> green: bluegreen-demo:1\.1\.0, \d+ s, by .*: done$/m);
    assert.match(
      output,
      /Z {2}nothing new, as in a heal, green bluegreen-demo:1\.1\.0 stays live, \d+ s, by .*: done$/m,
    );
  });

  it("U8 an outage is called one, and `heal` touches nothing before it may", async () => {
    const live = await checkout.container("green");
    await docker("stop", live);
    const { drift } = await status();
    for (const { users } of drift) assert.match(users, /^OUTAGE: green is live, but does not answer$/);
    const { code, output } = await checkout.npm("run", "heal");
    assert.equal(code, 1, output);
    assert.match(
      output,
      /no terminal to ask at\. Nothing was changed\. Without asking: npx bluegreen heal --yes/,
    );
    assert.doesNotMatch(output, /docker start|pulumi up/);
    assert.equal(await docker("inspect", "--format", "{{.State.Status}}", live), "exited");
    await docker("start", live);
    await until(
      () => "green answers again",
      async () => (await status()).inOrder,
    );
  });

  it("U11 `npm start` leaves another selected stack selected and says so; the ports stay", async () => {
    checkout.exported.PULUMI_CONFIG_PASSPHRASE = "of the other stack";
    const other = await checkout.pulumi("stack", "init", "other", "--non-interactive");
    assert.equal(other.code, 0, other.output);
    const settings = checkout.read("Pulumi.dev.yaml");
    const { code, output } = await checkout.npm("start");
    assert.equal(code, 0, output);
    assert.match(output, /The stack `other` stays selected/);
    assert.match(output, /^Roll back: +npx bluegreen rollback --stack dev$/m);
    assert.match((await checkout.pulumi("stack", "ls")).output, /^other\*/m);
    assert.equal(checkout.read("Pulumi.dev.yaml"), settings);
  });

  it("U11 `npm run down` names what it leaves, and how to remove that", async () => {
    const type = "pulumi:pulumi:Stack";
    const urn = `urn:pulumi:other::${checkout.project}::${type}::${checkout.project}-other`;
    const deployment = {
      manifest: { time: "2026-01-01T00:00:00Z", magic: "", version: "" },
      resources: [{ urn, type }],
    };
    checkout.write("other.json", JSON.stringify({ version: 3, deployment }));
    const imported = await checkout.pulumi("stack", "import", "--stack", "other", "--file", "other.json");
    assert.equal(imported.code, 0, imported.output);

    const { code, output } = await checkout.npm("run", "down");
    assert.equal(code, 0, output);
    const [, advice] =
      /Left alone: the stack `other` \(1 resources\)\. To remove it: npx pulumi (.*)$/m.exec(output) ?? [];
    assert.equal(advice, "destroy --stack other", output);
    const followed = await checkout.pulumi(
      ...advice.split(" "),
      "--yes",
      "--skip-preview",
      "--non-interactive",
    );
    assert.equal(followed.code, 0, followed.output);
    assert.doesNotMatch((await checkout.npm("run", "down")).output, /Left alone/);
  });

  it("U9 every command of `npm run` has --help, and does nothing then", async () => {
    const usages = {
      start: /^npm start /,
      down: /^npm run down /,
      status: /^Usage: bluegreen status /,
      heal: /^Usage: bluegreen heal /,
      test: /^npm test /,
    };
    for (const [name, usage] of Object.entries(usages)) {
      const { code, output } = await checkout.npm("run", "--silent", name, "--", "--help");
      assert.equal(code, 0, output);
      assert.match(output, usage);
      assert.doesNotMatch(output, /==>/);
    }
  });
});

describe("a first release whose port is taken", () => {
  const images = useImages({ one: "ok", two: "ok" });
  const stack = useStack({
    blue: { image: images.one },
    green: { image: images.two },
    redis: { enabled: false },
  });
  let holder: Server;

  before("an update that fails", async () => {
    holder = await listen(stack.port);
    await stack.upFails();
  });
  after(() => holder.close());

  it("U1 `status` says what is wrong and what users notice", async () => {
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 2, output);
    assert.match(output, /no switch has passed yet/);
    assert.match(output, /^ {4}users: {3}no color is live yet: nothing answers$/m);
  });

  it("U1 U8 `heal` says what is true when it fails, and works when the port is free", async () => {
    const failed = await stack.bluegreen("heal", "--yes");
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, /Users of service now: no color is live yet: nothing answers\./);
    assert.doesNotMatch(failed.output, /still (does|serves)/);
    assert.match(failed.output, /error: proxy\.port: port \d+ at 0\.0\.0\.0 can't be had: it is in use/);
    await new Promise((closed) => holder.close(closed));
    const { code, output } = await stack.bluegreen("heal", "--yes");
    assert.equal(code, 0, output);
    assert.deepEqual(await stack.serving(), { live: "blue one", idle: "green two" });
  });

  it("U1 `status` says so, too, when the edge was stopped and its port has been taken since", async () => {
    const { Id } = await stack.container("edge");
    await docker("stop", Id);
    holder = await listen(stack.port);
    await assert.rejects(docker("start", Id));
    const { code, output } = await stack.bluegreen("status");
    assert.equal(code, 2, output);
    assert.match(output, /the edge \S+ is exited .*; Docker could not start it: .*address already in use/);
    assert.match(output, /^ {4}users: {3}OUTAGE: blue is live, but does not answer$/m);
    assert.match(output, /^ {4}to heal: free the port, or choose another: .*\. Then npx bluegreen heal$/m);
    await new Promise((closed) => holder.close(closed));
    const healed = await stack.bluegreen("heal", "--yes");
    assert.equal(healed.code, 0, healed.output);
  });
});

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(port, "0.0.0.0", () => resolve(server)));
}
