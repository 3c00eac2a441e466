import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assignments, shellFile } from "../../components/shell";

/** What is told of a switch that ended by `status`, while Docker calls the container of nginx `state`. */
function told(status: number, state: string) {
  const script = `set -eu
${assignments({ NGINX: "shop-nginx-1" })}
docker() {
  case "$*" in
    inspect*) echo ${state} ;;
    logs*) echo 'nginx: [emerg] no such file' ;;
  esac
}
${shellFile("on-host/failure.sh")}
${shellFile("on-host/conclude.sh")}
report_failure green shop-green-2 ${status}
`;
  const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
  assert.equal(stdout, "");
  return stderr;
}

describe("a switch that failed where no color is to blame", () => {
  const ADVICE = /docker rm --force shop-nginx-1' and 'pulumi up --refresh'/;

  it("because nginx does not run: its log, and how to get it back", () => {
    assert.match(told(1, "exited"), /does not stay up: its container is exited\. The edge serves for it\./);
    assert.match(told(1, "exited"), /\| nginx: \[emerg\] no such file/);
    assert.match(told(1, "exited"), ADVICE);
  });

  it("because nginx ended when the switch was to begin: Docker still calls it running", () => {
    assert.match(told(126, "running"), /does not stay up: its container is ending\./);
    assert.match(told(126, "running"), ADVICE);
    assert.match(told(126, "restarting"), /does not stay up: its container is restarting\./);
  });

  it("because nginx took no configuration: what it logged", () => {
    assert.match(told(1, "running"), /nginx \(shop-nginx-1\) has logged:\n {2}\| nginx: \[emerg\]/);
    assert.doesNotMatch(told(1, "running"), ADVICE);
  });

  it("because another switch runs, or it was killed: nothing of nginx", () => {
    assert.doesNotMatch(told(3, "running"), /nginx/);
    assert.match(told(137, "running"), /^error: the switch was killed \(exit status 137\)/);
  });
});
