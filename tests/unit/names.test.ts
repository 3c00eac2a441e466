import assert from "node:assert/strict";
import { problemOfNames, type Names } from "../../components/names";
import * as pulumi from "@pulumi/pulumi";
import { BlueGreenService } from "../../components/index";
import { mock } from "./mocked";
import { LEAST } from "./valid";

const PATTERN = "${project}-${stack}-${name}-${hex(7)}";
const CONFIG = JSON.stringify({ providers: { docker: { pattern: PATTERN } } });
/** Names of that many letters. */
const names = (project: number, stack: number, component: number, autonaming?: string): Names => ({
  project: "p".repeat(project),
  stack: "s".repeat(stack),
  component: "c".repeat(component),
  autonaming,
});
const problem = (...args: Parameters<typeof names>) => problemOfNames(names(...args), true);

describe("F14: names that Docker does not find", () => {
  it("are refused with numbers, before anything is made", () => {
    assert.match(
      problem(22, 38, 10) ?? "",
      /^makes a container's name of 78 letters, p+-s+-c+-redis, with project p+ \(22\), stack s+ \(38\) and component c+ \(10\): .* more than 63, so make one of them shorter by 15 /,
    );
  });

  it("are refused from the first letter too much on, whatever they come from", () => {
    assert.equal(problem(20, 20, 15), undefined, "Redis: 63");
    assert.match(problem(20, 20, 16) ?? "", /of 64 letters, p+-s+-c+-redis/);
    assert.equal(problemOfNames(names(30, 30, 49), false), undefined, "a color without a pattern: 63");
    assert.match(problemOfNames(names(30, 30, 50), false) ?? "", /of 64 letters, c+-green-0000000/);
    assert.equal(problem(17, 15, 15, CONFIG), undefined, "a color by the pattern: 63");
    assert.match(problem(17, 15, 16, CONFIG) ?? "", /of 64 letters, p+-s+-c+-green-0000000/);
  });

  it("come from the nearest pattern", () => {
    const type = "docker:index/container:Container";
    const near = {
      providers: { docker: { pattern: PATTERN, resources: { [type]: { pattern: "${name}-${num(3)}" } } } },
    };
    assert.equal(problemOfNames(names(30, 30, 50, JSON.stringify(near)), false), undefined);
    const far = JSON.stringify({ pattern: "${organization}-${name}-${uuid}" });
    assert.match(problemOfNames(names(1, 1, 10, far), false) ?? "", /of 66 letters/);
    assert.equal(problemOfNames(names(1, 1, 10, JSON.stringify({ mode: "default" })), false), undefined);
  });

  it("are refused where two containers would get the same", () => {
    for (const rule of [{ mode: "verbatim" }, { mode: "disabled" }, { pattern: "${project}-${name}" }])
      assert.match(problem(1, 1, 1, JSON.stringify(rule)) ?? "", /would all get the same name/);
  });

  it("are refused where Docker takes no such name", () => {
    assert.match(
      problemOfNames({ project: "p", stack: "s", component: "my shop" }, true) ?? "",
      /^is "my shop", which makes "my shop-green-0000000" of a container: only letters/,
    );
    assert.match(problemOfNames({ project: "_p", stack: "s", component: "c" }, true) ?? "", /"_p-s-c-redis"/);
  });

  it("are refused with all else that is wrong", () => {
    const registered = mock();
    assert.throws(
      () => new BlueGreenService("c".repeat(60), { ...LEAST, activeColor: "red" }),
      (error: unknown) => {
        assert.ok(pulumi.InputPropertiesError.isInstance(error));
        assert.deepEqual(
          error.errors?.map((e) => e.propertyPath),
          ["name", "activeColor"],
        );
        assert.match(error.message, /2 invalid setting\(s\)\. Nothing was changed\.\n {2}name: makes /);
        return true;
      },
    );
    assert.deepEqual(registered, []);
  });
});
