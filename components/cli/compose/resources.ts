import { take } from "./container";
import { isTree, type Tree } from "./file";
import type { Findings } from "./findings";
import type { Place } from "./problem";
import { DEPLOY_ROWS, isNothing, OFF, ROWS } from "./rows";
import { isSecret } from "./secrets";
import { asText, integer, mebibytes, pairs, seconds, texts } from "./values";
import { schema } from "../../settings/schema";

// What a container may do and take.

const MEND = "set it by hand, in the form that the component takes.";

export function mapMemory(findings: Findings, service: Tree): void {
  const read = (value: unknown, from: Place) => {
    if (isNothing(value)) return findings.holds(from, "is empty");
    const mb = mebibytes(value);
    if (mb === undefined)
      findings.leave(from, `is ${JSON.stringify(value)}, which is no size`, "set memoryMb.");
    else if (mb === 0) findings.holds(from, "is 0: there is no limit");
    else findings.set(["memoryMb"], mb, from);
  };
  if ("mem_limit" in service) read(service.mem_limit, ["mem_limit"]);
  const deploy = isTree(service.deploy) ? service.deploy : {};
  if ("deploy" in service && isNothing(service.deploy)) findings.holds(["deploy"], "is empty");
  const resources = isTree(deploy.resources) ? deploy.resources : {};
  const limits = isTree(resources.limits) ? resources.limits : {};
  for (const [key, value] of Object.entries(limits)) {
    const from = ["deploy", "resources", "limits", key];
    if (key === "memory") read(value, from);
    else if (key === "cpus") take(findings, "cpus", value, from);
    else if (key === "pids") leaveByRow(findings, from, ROWS.pids_limit, value);
    else findings.leave(from, "has no setting", MEND);
  }
  for (const [key, value] of Object.entries(isTree(resources.reservations) ? resources.reservations : {})) {
    const from = ["deploy", "resources", "reservations", key];
    if (key === "devices") take(findings, "gpus", value, from);
    else findings.leave(from, "reserves nothing on one host", "memoryMb and container.cpus are the limits.");
  }
  if ("resources" in deploy) findings.holds(["deploy", "resources"], "see its limits");
  mapDeploy(findings, deploy);
}

function mapDeploy(findings: Findings, deploy: Tree): void {
  for (const [key, value] of Object.entries(deploy)) {
    const from = ["deploy", key];
    if (key === "restart_policy") mapRestartPolicy(findings, value);
    else if (key === "replicas") take(findings, "scale", value, from);
    else if (key in DEPLOY_ROWS) leaveByRow(findings, from, DEPLOY_ROWS[key], value);
    else if (key !== "resources") findings.leave(from, "is not known here", MEND);
  }
}

export function leaveByRow(
  findings: Findings,
  from: Place,
  { reason, next, holds }: (typeof ROWS)[string],
  value: unknown,
): void {
  if (isNothing(value) || holds?.(value) === true) findings.holds(from, OFF);
  else findings.leave(from, reason, next);
}

const POLICIES = ["no", "always", "on-failure", "unless-stopped"];

export function mapRestart(findings: Findings, value: unknown): void {
  if (isNothing(value)) return findings.holds(["restart"], "is empty");
  const [, policy, tries] = /^([a-z-]+?)(?::(\d+))?$/.exec(value === false ? "no" : String(value)) ?? [];
  if (policy === undefined || !POLICIES.includes(policy))
    return findings.leave(
      ["restart"],
      `is ${JSON.stringify(value)}, which Docker does not know`,
      "set restart.",
    );
  findings.set(["restart"], policy, ["restart"]);
  if (tries !== undefined)
    findings.leave(
      ["restart"],
      `tries ${tries} times, and Docker tries without end here`,
      "nothing: 'docker ps' shows a color that restarts.",
    );
}

function mapRestartPolicy(findings: Findings, value: unknown): void {
  const from = ["deploy", "restart_policy"];
  const condition = isTree(value) ? asText(value.condition ?? "any") : "any";
  const policy = { none: "no", "on-failure": "on-failure", any: "always" }[condition];
  if (policy !== undefined && findings.value("restart") === undefined)
    findings.set(["restart"], policy, from);
  const rest = isTree(value) ? Object.keys(value).filter((key) => key !== "condition") : [];
  if (policy === undefined || rest.length > 0)
    findings.leave(
      from,
      `${rest.join(", ") || condition} has no setting: Docker goes on trying, with longer and longer pauses`,
      "set restart.",
    );
  else findings.holds(from, "is restart");
}

const DROPPED = ["CAP_MKNOD", "CAP_NET_RAW"];
const inFull = (name: string) => {
  const capital = name.toUpperCase();
  return capital === "ALL" || capital.startsWith("CAP_") ? capital : `CAP_${capital}`;
};

/** What the component takes away by default stays away, unless it is asked for. */
export function mapCapabilities(findings: Findings, service: Tree): void {
  const adds = texts(service.cap_add).map(inFull);
  const drops = texts(service.cap_drop).map(inFull);
  if (adds.length > 0) findings.set(["container", "capabilities", "adds"], adds, ["cap_add"]);
  else if ("cap_add" in service) findings.holds(["cap_add"], "is empty");
  const all = drops.includes("ALL") ? drops : [...new Set([...drops, ...DROPPED])];
  const left = all.filter((name) => !adds.includes(name));
  if (drops.length > 0) findings.set(["container", "capabilities", "drops"], left, ["cap_drop"]);
  else {
    if ("cap_drop" in service) findings.holds(["cap_drop"], "is empty");
    if (left.length < DROPPED.length) findings.set(["container", "capabilities", "drops"], left, ["cap_add"]);
  }
}

/** `no-new-privileges` holds by default, and goes on holding. */
export function mapSecurity(findings: Findings, value: unknown): void {
  const options = new Set(["no-new-privileges"]);
  for (const [i, given] of texts(value).entries()) {
    const option = given.replace(/^(no-new-privileges|apparmor|seccomp|label):/, "$1=");
    const from = ["security_opt", i];
    if (/^seccomp=.*(\/|\.json$)/.test(option))
      findings.leave(
        from,
        `${given} is a file, which is not read`,
        "give its content in one line: container.securityOpts.",
      );
    else if (/^no-new-privileges(=true)?$/.test(option)) findings.holds(from, "holds by default");
    else if (option === "no-new-privileges=false") {
      options.delete("no-new-privileges");
      options.add(option);
    } else if (/^(apparmor|seccomp|label)=./.test(option)) options.add(option);
    else findings.leave(from, `${given} has no setting`, "see what container.securityOpts takes.");
  }
  if (options.size > 1 || !options.has("no-new-privileges"))
    findings.set(["container", "securityOpts"], [...options], ["security_opt"]);
  else findings.holds(["security_opt"], "no-new-privileges holds by default");
}

const ULIMITS = schema.shape.container.unwrap().shape.ulimits.unwrap().element.shape.name
  .options as readonly string[];

export function mapUlimits(findings: Findings, value: unknown): void {
  if (isNothing(value)) return findings.holds(["ulimits"], "is empty");
  for (const [i, [name, limit]] of Object.entries(value as Tree).entries()) {
    const from = ["ulimits", name];
    const [soft, hard] = isTree(limit)
      ? [integer(limit.soft), integer(limit.hard)]
      : [integer(limit), integer(limit)];
    if (!ULIMITS.includes(name)) findings.leave(from, `${name} is no limit that Docker has`, MEND);
    else if (soft === undefined || hard === undefined)
      findings.leave(from, `needs whole numbers as soft and hard`, "set container.ulimits.");
    else findings.set(["container", "ulimits", i], { name, soft, hard }, from);
  }
}

export function mapStopGrace(findings: Findings, value: unknown): void {
  const from = ["stop_grace_period"];
  const found = seconds(value);
  if (isNothing(value)) findings.holds(from, "is empty");
  else if (found === undefined)
    findings.leave(from, `is ${JSON.stringify(value)}, which is no time`, "set stopGraceSeconds.");
  else findings.set(["stopGraceSeconds"], Math.max(1, Math.ceil(found)), from);
}

/** Without a driver, or with Docker's own, the component rotates the log. */
export function mapLogging(findings: Findings, value: unknown): void {
  const { driver = "json-file", options = {}, ...rest } = isTree(value) ? value : {};
  const isOwn = ["json-file", "local"].includes(asText(driver));
  if (isOwn) findings.holds(["logging"], "Docker's own log, with rotation");
  else findings.set(["container", "logDriver"], driver, ["logging", "driver"]);
  for (const [key, given] of Object.entries(isTree(options) ? options : {})) {
    const from = ["logging", "options", key];
    const size = mebibytes(given) ?? 0;
    if (!isOwn && isSecret(key, asText(given)))
      findings.leave(from, "is a secret, which is not printed", `set container.logOpts.${key}.`);
    else if (!isOwn) findings.set(["container", "logOpts", key], asText(given), from);
    else if (key === "max-size" && size > 0) findings.set(["logs", "maxSizeMb"], size, from);
    else if (key === "max-file" && (integer(given) ?? 0) > 0)
      findings.set(["logs", "maxFiles"], integer(given), from);
    else findings.leave(from, `${key} has no setting`, "there are logs.maxSizeMb and logs.maxFiles.");
  }
  for (const key of Object.keys(rest)) findings.holds(["logging", key], "is nothing to Docker");
}

/** "/run:size=64m" as an item, or a list of such. */
export function mapTmpfs(findings: Findings, value: unknown): void {
  if (isNothing(value)) return findings.holds(["tmpfs"], "is empty");
  for (const [i, item] of texts(value).entries()) {
    const [folder, ...options] = item.split(":");
    findings.set(
      ["container", "tmpfs", folder],
      options.join(":"),
      Array.isArray(value) ? ["tmpfs", i] : ["tmpfs"],
    );
  }
}

/** Labels by which a program on the host finds a container and does something to it. */
const OF_OTHERS: [RegExp, string, string][] = [
  [
    /^com\.docker\.compose\./,
    "is Docker Compose's own: it would take the colors for its containers",
    "nothing.",
  ],
  [
    /^(traefik|caddy)([._]|$)/,
    "would have that proxy send users to both colors, past the gate",
    "the component's nginx serves: set proxy.port, and tls.names for HTTPS.",
  ],
  [
    /^(com\.centurylinklabs\.watchtower|wud|diun|io\.containers\.autoupdate)([._]|$)/,
    "is for a program that changes images by itself, past the gate",
    "a release changes blue.image or green.image.",
  ],
];

export function mapLabels(findings: Findings, value: unknown): void {
  if (isNothing(value)) findings.holds(["labels"], "is empty");
  for (const { name, value: text, at } of pairs(value)) {
    const other = OF_OTHERS.find(([pattern]) => pattern.test(name));
    if (other === undefined) findings.set(["labels", name], text ?? "", ["labels", at]);
    else findings.leave(["labels", at], `${name} ${other[1]}`, other[2]);
  }
}
