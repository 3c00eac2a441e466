import * as pulumi from "@pulumi/pulumi";
import { namesOf, type Violation } from "./settings";

/** What the names of containers are made of. */
export interface Names {
  project: string;
  stack: string;
  component: string;
  /** How Pulumi names what has no name: the configuration `pulumi:autonaming`, as text. */
  autonaming?: string;
}

/** Docker's own name server knows no longer ones. */
const LONGEST = 63;

/** Why containers can't have the names that they would get, or undefined if they can. `replicas`: of the color that has most. */
export function problemOfNames(names: Names, hasRedis: boolean, replicas = 1): string | undefined {
  const { project, stack, component } = names;
  const color = autoName(names, "green");
  if (color === undefined) {
    return "has containers that would all get the same name by the configuration pulumi:autonaming: a new color is made beside the old one, so a pattern with a random part is needed, such as ${project}-${stack}-${name}-${hex(7)}";
  }
  const colors = namesOf(color, replicas);
  const made = hasRedis ? [...colors, `${project}-${stack}-${component}-redis`] : colors;
  const wrong = made.find((name) => !/^[A-Za-z0-9][\w.-]*$/.test(name));
  if (wrong !== undefined) {
    return `is ${JSON.stringify(component)}, which makes ${JSON.stringify(wrong)} of a container: only letters, digits and _.- can be in its name, and a letter or a digit first`;
  }
  const longest = made.reduce((a, b) => (b.length > a.length ? b : a));
  if (longest.length <= LONGEST) return undefined;
  return `makes a container's name of ${longest.length} letters, ${longest}, with project ${lengthOf(project)}, stack ${lengthOf(stack)} and component ${lengthOf(component)}: Docker finds no container with more than ${LONGEST}, so make one of them shorter by ${longest.length - LONGEST} (pulumi stack rename changes nothing that serves)`;
}

const lengthOf = (name: string) => `${name} (${name.length})`;

/** What is wrong with the name of a component. */
export function badNames(component: string, hasRedis: boolean, replicas = 1): Violation[] {
  const reason = problemOfNames(namesOfNow(component), hasRedis, replicas);
  return reason === undefined ? [] : [{ propertyPath: "name", reason }];
}

/** The names of the stack that is updated. */
const namesOfNow = (component: string): Names => ({
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  component,
  autonaming: pulumi.runtime.allConfig()["pulumi:autonaming"],
});

interface Rule {
  mode?: string;
  pattern?: string;
}
interface Autonaming extends Rule {
  providers?: { docker?: Rule & { resources?: { [type: string]: Rule } } };
}

/** An example of what Pulumi calls a container, or undefined where each would get the same name. */
function autoName(
  { project, stack, component, autonaming = "{}" }: Names,
  child: string,
): string | undefined {
  const rules = JSON.parse(autonaming) as Autonaming;
  const docker = rules.providers?.docker;
  const given = [docker?.resources?.["docker:index/container:Container"], docker, rules];
  const { mode, pattern } = given.find((rule) => rule?.mode ?? rule?.pattern) ?? {};
  if (mode === "verbatim" || mode === "disabled") return undefined;

  const unique = (pattern ?? "${name}-${hex(7)}")
    .replace(/\$\{(?:hex|alphanum|string|num)\((\d+)\)\}/g, (_, digits: string) => "0".repeat(Number(digits)))
    .replace("${uuid}", "0".repeat(36));
  if (unique === pattern) return undefined;
  return (
    unique
      .replaceAll("${project}", project)
      .replaceAll("${stack}", stack)
      .replaceAll("${name}", `${component}-${child}`)
      .replaceAll("${organization}", "organization")
      // What it is, only Pulumi knows.
      .replace(/\$\{[^}]*\}/g, "")
  );
}
